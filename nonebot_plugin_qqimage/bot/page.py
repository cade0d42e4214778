"""The operator's page in the running bot: put on its HTTP server, and opened for superusers."""

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nonebot import get_driver
from nonebot.drivers import URL, ASGIMixin, HTTPServerSetup

from ..doctor.implementations import about_implementation, known_of
from ..doctor.lately import about_last_hour, counted_lately
from ..doctor.line import Line
from ..doctor.network import reaches_hosts, speaks_tls
from ..doctor.storage import about_store
from ..doctor.versions import about_versions, versions
from ..errors import StoreError
from ..gallery.addresses import PATH, Addresses
from ..language import Text, localized, say
from ..log import logger
from .background import BackgroundTask
from .services import Services

if TYPE_CHECKING:
    from ..gallery.gallery import Gallery

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
        self._gallery: Gallery | None = None
        self.bases: list[str] = []
        """The base URLs at which this process has it; none where it has no page."""
        self._order = BackgroundTask(
            "page",
            self._keep_in_order,
            after_trouble=_AFTER_TROUBLE,
            complain=services.pipeline.store_trouble.log,
            delay=_PREPARE_AFTER,
        )

    async def start(self) -> None:
        """Put the page on the bot's HTTP server, if there is one, and what it needs."""
        driver = get_driver()
        if not self._installed or not isinstance(driver, ASGIMixin):
            return
        from ..gallery.gallery import Gallery  # needs the extra

        services = self._services
        gallery = Gallery(services.store, services.config, self._examine)
        try:
            for method in ("GET", "POST"):
                name = f"{_NAME}_{method.lower()}"
                setup = HTTPServerSetup(URL(PATH), method, name, gallery.handle)
                driver.setup_http_server(setup)
        except Exception as error:  # noqa: BLE001  whatever a driver raises: the bot must start
            logger.error(say("qqimage: the driver refused the page: {error}", error=repr(error)))
            return
        config = services.config
        host, port = str(driver.config.host), driver.config.port
        listening = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.bases = [each for each in (config.public_url, config.base_url, listening) if each]
        gallery.addresses = Addresses(config.public_url, self.bases)
        self._gallery = gallery
        await self._order.start()

    async def stop(self) -> None:
        """End it."""
        await self._order.stop()
        if self._gallery is not None:
            await self._gallery.close()

    async def invitation(self, who: str) -> list[str]:
        """What to answer a superuser who asks for the page in a private chat.

        Args:
            who: the superuser's id.
        """
        if self._gallery is None:
            return [self._missing]
        from ..gallery.invitations import invite  # imports what the start need not wait for

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
        return say("{count} links and sessions of the page have been ended", count=count)

    @property
    def _missing(self) -> str:
        """Why there is no page."""
        if not self._installed:
            return say("the page needs more: pip install nonebot-plugin-qqimage[gallery]")
        return say("this bot has no HTTP server for the page: set DRIVER=~fastapi, or ~quart")

    async def _keep_in_order(self) -> float:
        browsing = self._services.store.browsing
        await browsing.prepare()
        await browsing.sweep_thumbnails()
        return _INTERVAL

    async def _examine(self) -> list[Line]:
        """Everything that the doctor can say here."""
        services = self._services
        found = await versions()
        tls, hosts, store = await asyncio.gather(
            speaks_tls(),
            reaches_hosts(services.config),
            about_store(services.store, services.config.max_store_size, deep=False),
        )
        about: list[Line] = []
        for implementation in services.implementations.connected:
            await implementation.identify()
            about += about_implementation(known_of(implementation))
        hour = about_last_hour(**counted_lately(services.store))
        here = Line("ok", Text("versions"), about_versions(found))
        return [here, *about, hour, tls, *hosts, *store]
