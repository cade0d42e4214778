"""The simulated CDN: pictures in, URLs out, and requests judged as QQ's image host judges them."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from aiohttp import web

from ..loopback import LoopbackServer
from ..pictures import extension
from ..record import Record
from .catalog import HOSTS, Catalog, Form, HostedPicture, read_url, request_path
from .faults import EXPIRED_KEY, INVALID_KEY, NOT_FOUND, Fault, Faults, Reply, spoil
from .keys import KeyRing, Kind
from .server import put_on_wire

if TYPE_CHECKING:
    from typing_extensions import Self

_MIME = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}

_MOST_REDIRECTS = 20


@dataclass(frozen=True)
class CdnRequest:
    """A request the CDN got."""

    path: str
    fileid: str | None
    inside: bool
    """Whether the implementation asked, from the mainland, and not the bot."""
    outcome: str
    """``"ok"``, the name of a fault, or an HTTP status."""


class InsideFetchFailed(Exception):
    """The implementation's own download got no whole answer."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SimulatedCdn:
    """QQ's image host on loopback; use it as an async context manager.

    Args:
        ttl: life of the keys in seconds, as announced.
        real_hosts: write QQ's own hosts into URLs; :attr:`mirrors` says how to reach them.
        ssl_context: serve HTTPS.
        public_name: the host name in :attr:`base_url`.
    """

    def __init__(
        self,
        *,
        ttl: float = 3600.0,
        real_hosts: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        public_name: str = "127.0.0.1",
    ) -> None:
        self.keys = KeyRing(ttl)
        self.faults = Faults()
        self.requests: Record[CdnRequest] = Record()
        self._catalog = Catalog()
        self._real_hosts = real_hosts
        self._scheme = "http" if ssl_context is None else "https"
        self._public_name = public_name
        self._server = LoopbackServer(self._add_routes, ssl_context)

    async def __aenter__(self) -> "Self":
        await self._server.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._server.stop()

    @property
    def base_url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{self._scheme}://{self._public_name}:{self._server.port}"

    @property
    def mirrors(self) -> dict[str, str]:
        """Each of QQ's hosts, and the base URL that stands in for it."""
        return dict.fromkeys(HOSTS.values(), self.base_url)

    def add(
        self,
        data: bytes,
        *,
        kind: Kind = "group",
        form: Form = "nt",
        fileid: str | None = None,
        md5: str | None = None,
        given_path: str | None = None,
    ) -> HostedPicture:
        """Put a picture on the CDN."""
        return self._catalog.add(
            data, kind=kind, form=form, fileid=fileid, md5=md5, given_path=given_path
        )

    def find(self, fileid: str) -> HostedPicture | None:
        """Give a picture by its fileid."""
        return self._catalog.get(fileid)

    def url(
        self, picture: HostedPicture | str, *, key: str | None = None, spec: bool = True
    ) -> str:
        """Give a picture's URL, with the current key unless another or none ("") is given."""
        if isinstance(picture, str):
            picture = self._catalog[picture]
        key = self.keys.current(picture.kind).value if key is None else key
        return self.place(picture.path(key=key, spec=spec), picture.form)

    def place(self, path: str, form: Form) -> str:
        """Put the right host before a path."""
        return (f"https://{HOSTS[form]}" if self._real_hosts else self.base_url) + path

    def rotate_keys(self) -> None:
        """Replace the keys before their announced end, so that nobody expects it."""
        self.keys.rotate()

    def expire_keys(self) -> None:
        """Let the announced life of the keys pass."""
        self.keys.expire()

    def fetches(self, picture: HostedPicture | str, *, inside: bool | None = None) -> int:
        """Count the requests for a picture: all, the implementation's, or the bot's."""
        fileid = picture if isinstance(picture, str) else picture.fileid
        return sum(
            request.fileid == fileid and inside in (None, request.inside)
            for request in self.requests
        )

    async def fetch_inside(self, url: str, *, patience: float) -> Reply:
        """Download as the implementation does: from the mainland, without a socket, redirects too.

        Raises:
            InsideFetchFailed: no whole answer came, at the latest after ``patience`` seconds.
        """
        for _ in range(_MOST_REDIRECTS):
            path = request_path(url)
            outcome, right, fileid = self._judge(path)
            self._log(path, fileid, True, outcome, right)
            await asyncio.sleep(min(self.faults.delay(fileid), patience))
            if not isinstance(outcome, Reply):
                break
            if outcome.location is None:
                return outcome
            url = urljoin(url, outcome.location)
        else:
            raise InsideFetchFailed(Fault.RESET)
        if outcome is Fault.DRIP and right is not None:
            return right
        if outcome is Fault.HANG:
            await asyncio.sleep(patience)
        raise InsideFetchFailed(outcome)

    def _add_routes(self, app: web.Application) -> None:
        app.router.add_get("/{path:.*}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path
        outcome, right, fileid = self._judge(path)
        if self.faults.abroad is not None:
            outcome = Fault.HANG if self.faults.abroad == "hang" else Fault.RESET
        self._log(path, fileid, False, outcome, right)
        await asyncio.sleep(self.faults.delay(fileid))
        return await put_on_wire(request, outcome, right, self.faults)

    def _judge(self, path: str) -> tuple[Reply | Fault, Reply | None, str | None]:
        """Say what a request gets, what it would get without a fault, and what it is about."""
        wanted = read_url(path)
        if wanted is None:
            return self.faults.take(None, path) or NOT_FOUND, None, None
        picture = self._catalog.find(wanted)
        fileid = wanted.fileid if picture is None else picture.fileid
        right = None if picture is None else _right_answer(picture.data)
        fault = self.faults.take(fileid, path)
        if fault is not None:
            return spoil(right, fault), right, fileid
        if wanted.form == "nt":
            verdict = (
                "unknown"
                if wanted.kind is None or wanted.key is None
                else self.keys.verdict(wanted.kind, wanted.key)
            )
            if verdict != "right":
                return EXPIRED_KEY if verdict == "expired" else INVALID_KEY, right, fileid
            if picture is not None and picture.kind != wanted.kind:
                return INVALID_KEY, right, fileid
        return right or NOT_FOUND, right, fileid

    def _log(
        self,
        path: str,
        fileid: str | None,
        inside: bool,
        outcome: Reply | Fault,
        right: Reply | None,
    ) -> None:
        if isinstance(outcome, Fault):
            said = outcome.name
        else:
            said = "ok" if outcome is right else str(outcome.status)
        self.requests.append(CdnRequest(path, fileid, inside, said))


def _right_answer(data: bytes) -> Reply:
    return Reply(200, data, _MIME.get(extension(data), "application/octet-stream"))
