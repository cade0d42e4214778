"""What the forms of the page change: pins, and what is forgotten."""

from typing import Any

from nonebot.drivers import Response

from ..language import say
from ..messages.chats import is_chat
from ..store.image_store import ImageStore
from .export import Export, TooMuch
from .views.browse import OWNER, message
from .web.answers import answer, page, see_other
from .web.requests import Asked


class Changes:
    """Does what the forms say.

    Args:
        store: has the images.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._export = Export(store)

    async def do(self, form: Asked, **shown: Any) -> Response:
        """Do what a form says.

        Args:
            form: the form, of somebody who is logged in.
            **shown: what every page shows.
        """
        action, chosen = form["action"], form.digests()
        if action == "forget" and (form["chat"] or form["user"]):
            return await self._forget_all(form, **shown)
        if action not in ("pin", "unpin", "export", "forget"):
            return await message(400, say("The page has no such form."), **shown)
        if not chosen:
            return await message(400, say("No picture is selected."), **shown)
        if action == "export":
            return await self._exported(chosen, **shown)
        if action == "forget":
            return await self._forget(form, chosen, **shown)
        for sha256 in chosen:
            await self._pin(sha256, keep=action == "pin")
        return see_other(f"view=picture&sha={chosen[0]}" if len(chosen) == 1 else "view=newest")

    async def _pin(self, sha256: str, *, keep: bool) -> None:
        """Pin an image once, however often the button is pressed; or take that back."""
        if keep and sha256 not in await self._store.pins.of(OWNER):
            await self._store.pins.add(sha256, OWNER)
        elif not keep:
            await self._store.pins.remove(sha256, OWNER)

    async def _exported(self, chosen: list[str], **shown: Any) -> Response:
        try:
            data = await self._export.zip(chosen)
        except TooMuch as error:
            return await message(413, error.text.local, **shown)
        named = {"Content-Disposition": 'attachment; filename="pictures.zip"'}
        return answer(200, data, "application/zip", **named)

    async def _forget(self, form: Asked, chosen: list[str], **shown: Any) -> Response:
        if not form["sure"]:
            return await page("forget.html", chosen=chosen, chat="", user="", **shown)
        for sha256 in chosen:
            await self._store.forgetting.forget_picture(sha256)
        return see_other("view=newest&done=forgotten")

    async def _forget_all(self, form: Asked, **shown: Any) -> Response:
        """Forget a chat, a user, or what a user sent in a chat."""
        chat, user = form["chat"] or None, form["user"] or None
        if chat is not None and not is_chat(chat):
            return await message(400, say("Write group:123 or private:123 for a chat."), **shown)
        if not form["sure"]:
            count = await self._store.catalog.count_sightings(chat=chat, user=user)
            return await page(
                "forget.html", chosen=[], chat=chat or "", user=user or "", count=count, **shown
            )
        await self._store.forgetting.forget(chat=chat, user=user)
        return see_other("view=newest&done=forgotten")
