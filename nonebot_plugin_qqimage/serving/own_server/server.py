"""`OwnServer`: its thread, from the start of the bot to its end."""

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from nonebot.drivers import HTTPServerSetup

from ...config import ScopedConfig
from ...language import say
from ...log import logger
from ...pipeline.pipeline import Pipeline
from ...settings.values import listen_at
from ...threads import DaemonThreads
from ..links import Links
from ..route import ImageRoute
from ..urls import base_of
from .bot_loop import BotLoop
from .pages import Pages
from .ports import listen

if TYPE_CHECKING:
    from .connections import Connections

_HEAD_START = 1.0
"""Seconds that the bot has to start, unless somebody connects: what serves takes long to import."""
_LISTEN_TIMEOUT = 10.0
"""Seconds until there is a port: the folder may lie on a network drive that is gone."""
_END_TIMEOUT = 2.0
"""Seconds for the thread to end with the bot; it never keeps the process from ending."""


class OwnServer:
    """Serves images from a thread with an event loop of its own.

    Handlers that download synchronously, as with `requests`, block the bot's event loop, and would
    wait for ever for an answer that only this loop can give. Other pages can be served, too, by
    `add`; their handlers run on the bot's loop.

    Args:
        config: the settings.
        pipeline: gets images that are not stored; used on the bot's loop only.
        links: opens the tokens.

    Raises:
        ValueError: ``QQIMAGE__LISTEN`` is no host with a port.
    """

    def __init__(self, config: ScopedConfig, pipeline: Pipeline, links: Links) -> None:
        self._config = config
        self._pipeline = pipeline
        self._links = links
        self._host, self._port = listen_at(config.listen)
        self._setups: list[HTTPServerSetup] = []
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._wake = lambda: None

    def add(self, setup: HTTPServerSetup) -> None:
        """Serve a page here, and at the bot's own HTTP port where the driver has one.

        Call it before the bot starts. The handler runs on the bot's event loop, is given NoneBot's
        `Request` with the whole body in ``content`` (1 MiB at most), and gives its `Response`. It
        has 30 seconds; where the bot's loop gives no sign of life for 2 seconds, 503 is answered.

        Args:
            setup: a method, a path without patterns, a name that no other page has, the handler.
        """
        self._setups.append(setup)

    @property
    def setups(self) -> tuple[HTTPServerSetup, ...]:
        """What was added."""
        return tuple(self._setups)

    async def start(self) -> str:
        """Begin to listen, and to serve a moment later.

        Returns:
            The URL by which programs on this machine reach it; empty where it cannot listen, which
            is logged.
        """
        folder = self._pipeline.store.folder
        waiting = asyncio.get_running_loop().run_in_executor(
            DaemonThreads(1, "qqimage-port"), listen, folder, self._host, self._port
        )
        try:
            listening, taken = await asyncio.wait_for(waiting, _LISTEN_TIMEOUT)
        except (OSError, asyncio.TimeoutError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            logger.error(
                say(
                    "qqimage: cannot listen at {host}, so images are not served there: {reason}. "
                    "Hint: correct QQIMAGE__LISTEN",
                    host=self._host,
                    reason=reason,
                )
            )
            return ""
        url = base_of(self._host, listening.getsockname()[1])
        if taken:
            logger.warning(
                say(
                    "qqimage: port {port} is taken, so images are served at {url} instead",
                    port=taken[0],
                    url=url,
                )
            )
        else:
            logger.info(say("qqimage: images are served at {url}", url=url))
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._run,
            args=(listening, asyncio.get_running_loop()),
            name="qqimage-serve",
            daemon=True,
        )
        self._thread.start()
        return url

    async def stop(self) -> None:
        """End the thread; what it serves at the moment is cut off."""
        self._ended.set()
        self._wake()
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(
                DaemonThreads(1, "qqimage-end"), thread.join, _END_TIMEOUT
            )

    def _run(self, listening: socket.socket, bots: asyncio.AbstractEventLoop) -> None:
        # a loop of the bot's own kind, which may be the faster uvloop
        options = {"loop_factory": type(bots)}
        try:
            anyio.run(self._serve, listening, BotLoop(bots), backend_options=options)
        except Exception:  # noqa: BLE001  the outermost guard of this thread
            logger.exception(say("qqimage: the server ended, please report it"))
        finally:
            listening.close()

    async def _serve(self, listening: socket.socket, bot: BotLoop) -> None:
        loop, begin, end = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the thread has ended
                loop.call_soon_threadsafe(lambda: (begin.set(), end.set()))

        self._wake = wake
        listening.setblocking(False)
        with contextlib.suppress(NotImplementedError):  # Windows: then nobody is noticed early
            loop.add_reader(listening, begin.set)
        if self._ended.is_set():
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(begin.wait(), _HEAD_START)
        with contextlib.suppress(NotImplementedError):
            loop.remove_reader(listening)
        if end.is_set():
            return
        await bot.reacts(0.0)  # asked now, so that a client of a blocked loop waits no longer
        connections = await anyio.to_thread.run_sync(self._make, bot)
        await connections.serve(listening, end)

    def _make(self, bot: BotLoop) -> "Connections":
        """What serves; with it come aiohttp's server and client."""
        from .connections import Connections
        from .images import OwnImages

        images = OwnImages(self._config, self._pipeline, bot)
        route = ImageRoute(images, self._links, self._config.resolve_timeout)
        return Connections(route, images, Pages(self._setups, bot))
