"""`Kit`: what a test gets; and the isolation that it lives in."""

import itertools
import random
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, Message, MessageEvent, MessageSegment

from ..bot.lifespan import replaced
from ..bot.services import Services
from ..config import ScopedConfig
from ..errors import Cause
from ..language import say
from ..simulator.image_host.cdn import SimulatedCdn
from ..simulator.implementation import SimulatedImplementation
from ..simulator.transports.forward_ws import ForwardWebSocket
from ..store.image_store import ImageStore
from .connection import BotConnection
from .planned import PlannedFetcher

_numbers = itertools.count(1)
"""For ids of messages: other plugins remember them across tests, and real ones differ."""


class Kit:
    """What a test works with.

    Args:
        folder: where the store is.
        fetcher: knows the planned pictures.
        stack: closes what is opened here, when the test ends.
    """

    def __init__(self, folder: Path, fetcher: PlannedFetcher, stack: AsyncExitStack) -> None:
        self.folder = folder
        """The store, which belongs to this test alone."""
        self.cdn = SimulatedCdn()
        """The simulated image host behind all simulated implementations of this test."""
        self._fetcher = fetcher
        self._stack = stack
        self._hosted = False

    def picture(self, data: bytes | None = None) -> MessageSegment:
        """A received segment, as NapCat writes it, of a picture that resolves without any call.

        Args:
            data: the picture's bytes; by default those of a small PNG that no other segment has.

        Raises:
            QQImageError: this is no picture, or one that the settings do not allow.
        """
        return self._fetcher.picture(data)

    def failing(self, cause: Cause = Cause.EXPIRED, detail: str = "") -> MessageSegment:
        """A received segment of a picture that cannot be had; nobody is asked for it.

        Args:
            cause: why it fails; it decides which `ImageUnavailable` is raised.
            detail: what exactly happened, for the text of the error.
        """
        return self._fetcher.failing(cause, detail or f"a test wants it: {cause.value}")

    def event(
        self,
        *content: str | MessageSegment,
        user_id: int = 30001,
        group_id: int | None = 20001,
        self_id: int | str = 10001,
    ) -> MessageEvent:
        """A message event, to be received by a bot of nonebug.

        Args:
            *content: texts and segments.
            user_id: who sends it.
            group_id: where; None for a private message.
            self_id: the bot that receives it.
        """
        message = Message([MessageSegment.text(p) if isinstance(p, str) else p for p in content])
        place = {"message_type": "private", "sub_type": "friend"}
        if group_id is not None:
            place = {"message_type": "group", "sub_type": "normal", "group_id": group_id}
        event = Adapter.json_to_event(
            {
                **place,
                "post_type": "message",
                "time": int(time.time()),
                "self_id": int(self_id),
                "message_id": next(_numbers),
                "user_id": user_id,
                "message": [{"type": part.type, "data": dict(part.data)} for part in message],
                "raw_message": str(message),
                "font": 14,
                "sender": {"user_id": user_id, "nickname": "Tester"},
            }
        )
        return cast(MessageEvent, event)

    @asynccontextmanager
    async def bot(
        self, flavour: str = "napcat", *, max_frame: int | None = None, **options: Any
    ) -> AsyncGenerator[SimulatedImplementation, None]:
        """A bot that is connected to a simulated implementation; all loaded plugins answer.

        Let people say something with ``send_group``, and read with ``next_sent`` what the bot
        answers. ``behaviour``, ``cdn.faults`` and ``away`` let things go wrong.

        Args:
            flavour: which implementation it is, a name in ``FLAVOURS``.
            max_frame: bytes of a frame that breaks the connection, beside the 4 MiB of the driver
                ``~aiohttp``.
            **options: of `SimulatedImplementation`, such as ``self_id`` and ``inline_base64``.

        Raises:
            RuntimeError: OneBot's adapter is not registered, or NoneBot takes no such bot: it has
                not started, or has one of this ``self_id`` already.
        """
        try:
            adapter = nonebot.get_adapter(Adapter)
        except ValueError:
            text = say("register the adapter first: driver.register_adapter(onebot.v11.Adapter)")
            raise RuntimeError(text) from None
        if not self._hosted:
            await self._stack.enter_async_context(self.cdn)
            self._hosted = True
        implementation = SimulatedImplementation(flavour, self.cdn, **options)
        implementation.dice = random.Random(next(_numbers))
        async with ForwardWebSocket(implementation, max_frame=max_frame) as transport:
            connection = BotConnection(adapter, transport.url, implementation.settings.token)
            try:
                await connection.start()
                yield implementation
            finally:
                await connection.stop()


@asynccontextmanager
async def isolated(folder: Path, **settings: Any) -> AsyncGenerator[Kit, None]:
    """The plugin on a new store for a while, with nothing prefetched unless it is wanted.

    The fixture `qqimage` is this, in a temporary folder.

    Args:
        folder: where the store is to be.
        **settings: by their names in lower case; what is not given is as by default.

    Raises:
        RuntimeError: the plugin is not loaded; the text says what to do.
        TypeError: there is no such setting.
    """
    unknown = sorted(settings.keys() - ScopedConfig.__annotations__.keys())
    if unknown:
        raise TypeError(say("no such setting: {names}", names=", ".join(unknown)))
    if nonebot.get_plugin("nonebot_plugin_qqimage") is None:
        text = say(
            "nonebot-plugin-qqimage is not loaded: call "
            'nonebot.load_plugin("nonebot_plugin_qqimage") before the first test, such as in the '
            "fixture after_nonebot_init of your conftest.py"
        )
        raise RuntimeError(text)
    # the simulated image host is on this machine
    trusted = [*settings.pop("trusted_hosts", ()), "127.0.0.1"]
    chosen: dict[str, Any] = {"prefetch": False, **settings, "trusted_hosts": trusted}
    config = ScopedConfig(**chosen)
    store = ImageStore(
        folder,
        max_size=config.max_store_size,
        max_age=config.max_age,
        remember_sightings=config.sightings,
    )
    fetcher = PlannedFetcher(config)
    services = Services.of(config, store, fetcher, nonebot.get_bots)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(services.pipeline.close)
        await services.links.load(folder)
        if base := await services.own_server.start():
            services.links.served_at(base)
        stack.push_async_callback(services.own_server.stop)
        stack.enter_context(replaced(services))
        yield Kit(folder, fetcher, stack)
