"""`Gallery`: answers every request for the page.

Nothing is open before somebody asked for a link: until then it answers as if there were no page.
Then a link opens it, once, and gives the browser a session. Nothing else is trusted: no address,
no proxy, no password.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from nonebot.drivers import Request, Response

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..doctor.line import Line
from ..errors import StoreError
from ..language import say
from ..log import logger
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from .changes import Changes
from .entry.addresses import Addresses
from .entry.invitations import NAME_HEADER
from .thumbnailing import Busy, Thumbnailing
from .views.browse import message, newest, one
from .views.likenesses import duplicates, similar
from .views.overview import Overview
from .web.answers import answer, page, picture, plain, see_other, thumbnail, unchanged
from .web.requests import Asked, Unreadable, cookies_of, form_of, query_of

SESSION = 12 * 3600
"""Seconds for which a browser is let in."""
_MAX_UNDER_WAY = 64
"""Requests answered at once: each waits for a thread that others need, too."""
_TIMEOUT = 25.0
"""Seconds for one request; our own server gives up after 30."""
_STATIC = Path(__file__).parent / "static"
_ASSETS = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "no-thumbnail.svg": "image/svg+xml",
}


class Gallery:
    """The page of one bot.

    Args:
        store: has the images.
        config: the settings.
        examine: asks the doctor, which takes seconds.
        hint: what would help an image that has failed; empty where nothing is known.
    """

    def __init__(
        self,
        store: ImageStore,
        config: ScopedConfig,
        examine: Callable[[], Awaitable[list[Line]]],
        hint: Callable[[ImageReference], str] = lambda _: "",
    ) -> None:
        self._store = store
        self._browsing = store.browsing
        self.addresses = Addresses(config.public_url)
        """Where the page is; whoever mounts it says so."""
        self._thumbnailing = Thumbnailing(store, config.max_decoded_pixels)
        self._changes = Changes(store)
        self._overview = Overview(store, examine, hint)
        self._assets: dict[str, bytes] = {}
        self._installation = ""
        self._under_way = 0

    async def handle(self, request: Request) -> Response:
        """Answer a request; it never raises.

        Args:
            request: as a NoneBot driver gives it, on the bot's event loop.
        """
        if self._under_way >= _MAX_UNDER_WAY:
            return plain(503, say("too many requests at once"), Retry_After="5")
        self._under_way += 1
        try:
            with anyio.fail_after(_TIMEOUT):
                return await self._answer(request)
        except Unreadable:
            return plain(400, say("this request cannot be read"))
        except (Busy, TimeoutError):
            return plain(503, say("this takes long: ask again"), Retry_After="5")
        except StoreError as error:
            return plain(503, error.brief)
        except Exception:  # noqa: BLE001  the outermost guard
            logger.exception(say("qqimage: the page failed, please report it"))
            return plain(500, say("the page failed; the log says why"))
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """End what is under way."""
        self._thumbnailing.close()
        await self._overview.close()

    async def cookie_name(self) -> str:
        """What the session's cookie is called: cookies know no ports, and another bot on this host
        must not take ours for its own."""
        if not self._installation:
            self._installation = await self._browsing.installation()
        return f"qqimage_{self._installation}"

    async def _answer(self, request: Request) -> Response:
        try:
            name = await self.cookie_name()
            secret, session = await self._session(request, name)
            is_open = session is not None or await self._browsing.anybody()
        except StoreError:  # then nobody can be let in, and strangers need not know why
            is_open, name, secret, session = False, "", "", None
        if not is_open:
            return plain(404, "not found")
        if not self.addresses.know(request.headers.get("host", "")):
            text = say("this page has another name: set QQIMAGE__PUBLIC_URL to how you reach it")
            return plain(421, text)
        if request.method == "POST":
            if not self.addresses.is_own_form(request.headers):
                return plain(403, say("this form is not one of this page"))
            form = form_of(request)
            if form["action"] == "login":
                return await self._log_in(form, name)
            if session is None:
                return await self._refused(401, say("You are not logged in (any more)."))
            if form["action"] == "logout":
                await self._browsing.end_session(secret)
                # on its own: with the last session, everything else of the page has closed
                return await page("goodbye.html", cookie=self._cookie(name, "", 0))
            return await self._changes.do(form, **_shown(session))
        asked = query_of(request)
        if asked["asset"] in _ASSETS:
            return await self._asset(asked["asset"])
        if asked["view"] == "login":
            response = await page("login.html", **_shown(session))
            response.headers[NAME_HEADER] = name
            return response
        if session is None:
            return await self._refused(401, say("You are not logged in (any more)."))
        return await self._shown(request, asked, session)

    async def _session(self, request: Request, name: str) -> tuple[str, dict[str, Any] | None]:
        """The session that a request is of, with its secret; None where it is of none."""
        for value in cookies_of(request, name):
            session = await self._browsing.session(value)
            if session is not None:
                return value, session
        return "", None

    async def _shown(self, request: Request, asked: Asked, session: dict[str, Any]) -> Response:
        for kind in ("thumb", "file"):
            if asked[kind]:
                return await self._picture(request, asked, kind)
        shown = _shown(session, done=asked["done"])
        view = asked["view"] or "newest"
        if view == "newest":
            return await newest(self._store, asked, await self._overview.choices(), **shown)
        if view == "picture":
            return await one(self._store, asked, **shown)
        if view == "similar":
            return await similar(self._store, asked, **shown)
        if view == "duplicates":
            return await duplicates(self._store, asked, **shown)
        response = await self._overview.show(view, **shown)
        return response or await message(404, say("There is no such page."), **shown)

    async def _picture(self, request: Request, asked: Asked, kind: str) -> Response:
        digests = asked.digests(kind)
        info = await self._browsing.info(digests[0]) if digests else None
        if info is None and digests and kind == "thumb":  # it has gone since the page was made
            return await self._asset("no-thumbnail.svg")
        if info is None:
            return plain(404, say("This picture is not stored (any more)."))
        etag = f'"{info.sha256}-{kind}"'
        if request.headers.get("if-none-match") == etag:
            return unchanged(etag)
        return await (self._file if kind == "file" else self._thumbnail)(info, etag)

    async def _file(self, info: ImageInfo, etag: str) -> Response:
        data = await self._store.read(info)
        if data is None:
            return plain(404, say("This picture is not stored (any more)."))
        return picture(info, data, etag)

    async def _thumbnail(self, info: ImageInfo, etag: str) -> Response:
        data = await self._thumbnailing.get(info)
        return await self._asset("no-thumbnail.svg") if data is None else thumbnail(data, etag)

    async def _asset(self, name: str) -> Response:
        if name not in self._assets:
            self._assets[name] = await anyio.to_thread.run_sync((_STATIC / name).read_bytes)
        cached = {"Cache-Control": "private, max-age=3600"}
        return answer(200, self._assets[name], _ASSETS[name], **cached)

    # Getting in

    async def _log_in(self, form: Asked, name: str) -> Response:
        said = await self._browsing.spend_link(form["token"])
        if said is None:
            text = say("This link has been used, or is older than 10 minutes. Ask for another one.")
            return await self._refused(403, text)
        # always a new one: a cookie that was there before may be anybody's
        secret = await self._browsing.admit("session", SESSION, who=str(said.get("who", "")))
        return see_other("view=newest", self._cookie(name, secret, SESSION))

    async def _refused(self, status: int, text: str) -> Response:
        return await page("refused.html", status=status, text=text, **_shown(None))

    def _cookie(self, name: str, value: str, seconds: int) -> str:
        path = self.addresses.cookie_path
        return (
            f"{name}={value}; HttpOnly; SameSite=Lax; Max-Age={seconds}"
            + (f"; Path={path}" if path else "")
            + ("; Secure" if self.addresses.secure else "")
        )


def _shown(session: dict[str, Any] | None, done: str = "") -> dict[str, Any]:
    """What every page shows."""
    return {"who": str(session["who"]) if session else "", "done": done}
