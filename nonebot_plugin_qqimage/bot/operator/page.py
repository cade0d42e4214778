"""The operator's page in the running bot: put on its servers, and opened for superusers."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio.to_thread
from nonebot.drivers import URL, HTTPServerSetup, Request, Response

from ...doctor.line import Line
from ...errors import StoreError
from ...gallery.entry.addresses import PATH, Addresses
from ...language import localized, say
from ..background.task import BackgroundTask
from ..services import Services
from .examining import examine

if TYPE_CHECKING:
    from ...gallery.gallery import Gallery

_NAME = "nonebot_plugin_qqimage_page"
_PREPARE_AFTER = 30.0
"""Seconds after the start until indexes are made: it takes seconds for a million images."""
_INTERVAL = 3600.0
"""Seconds from one round of order to the next."""
_AFTER_TROUBLE = 60.0


class Page:
    """The page of this bot.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._installed = find_spec("jinja2") is not None  # now, for looking for it blocks
        self._started = False
        self._gallery: Gallery | None = None
        self.bases: list[str] = []
        """The base URLs at which this process has it; none where it has no page."""
        self._order = BackgroundTask(
            "page",
            self._keep_in_order,
            after_trouble=_AFTER_TROUBLE,
            delay=_PREPARE_AFTER,
        )
        for method in ("GET", "POST") if self._installed else ():
            name = f"{_NAME}_{method.lower()}"
            services.own_server.add(HTTPServerSetup(URL(PATH), method, name, self._handle))

    async def start(self, bases: Iterable[str]) -> None:
        """Let the servers' part of it answer; nobody gets in before somebody asks for a link.

        Args:
            bases: the base URLs of what serves, as `start_serving` gives them.
        """
        if not self._installed:
            return
        config = self._services.config
        self.bases = [each for each in (config.public_url, config.base_url, *bases) if each]
        self._started = True
        self._order.start(self._services.pipeline.store_trouble.log)

    async def stop(self) -> None:
        """End it."""
        self._started = False
        await self._order.stop()
        if self._gallery is not None:
            await self._gallery.close()

    async def invitation(self, who: str) -> list[str]:
        """What to answer a superuser who asks for the page in a private chat.

        Args:
            who: the superuser's id.
        """
        if not self._started or not self.bases:
            return [self._missing]
        from ...gallery.entry.invitations import invite  # imports what the start need not wait for

        try:
            invitation = await invite(self._services.store.browsing, self.bases, who)
        except StoreError as error:
            return [error.brief]
        about = [localized(line) for line in invitation.lines]
        if not invitation.url:
            return ["\n".join(about)]
        once = say("It works once, within 10 minutes, for whoever has it: pass it on to nobody.")
        # the link alone, so that it can be tapped in any client
        return ["\n".join([once, *about]), invitation.url]

    async def close_all(self) -> str:
        """End every link and session, at a superuser's word; what to answer."""
        try:
            count = await self._services.store.browsing.end_all()
        except StoreError as error:
            return error.brief
        return say("links and sessions of the page that were ended: {count}", count=count)

    @property
    def _missing(self) -> str:
        """Why there is no page."""
        if not self._installed:
            return say('the page needs more: pip install "nonebot-plugin-qqimage[gallery]"')
        return say("nothing of this bot could listen, so there is no page: the log says why")

    async def _handle(self, request: Request) -> Response:
        if self._started and self._gallery is None:
            await self._open()
        if not self._started or self._gallery is None:  # the bot has not started, or has ended
            return Response(404)
        return await self._gallery.handle(request)

    async def _open(self) -> None:
        # when it is first asked for, and in a thread: importing it takes longer than a bot's loop
        # may be held, and most starts are not followed by a visit
        gallery_class = await anyio.to_thread.run_sync(_import)
        if self._gallery is None:
            services, config = self._services, self._services.config
            self._gallery = gallery_class(
                services.store, config, self._examine, services.pipeline.hint
            )
            self._gallery.addresses = Addresses(config.public_url, self.bases)

    async def _keep_in_order(self) -> float:
        browsing = self._services.store.browsing
        await browsing.prepare()
        await browsing.sweep_thumbnails()
        return _INTERVAL

    async def _examine(self) -> list[Line]:
        return await examine(self._services, self._services.implementations.connected)


def _import() -> "type[Gallery]":
    from ...gallery.gallery import Gallery  # needs the extra

    return Gallery
