"""NoneBot with our plugin in this process; a bot whose implementation a benchmark scripts."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, Bot
from nonebot.log import logger

from .pictures import Numbered

Answer = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Answers an action with these parameters."""


class AnsweringBot(Bot):
    """A connected bot; calls go no further than to `answer`."""

    answer: Answer
    """Set it before anything is asked."""

    async def call_api(self, api: str, **data: Any) -> Any:
        return await self.answer(api, data)

    async def call_with_hooks(self, api: str, **data: Any) -> Any:
        """A call as plugins make it."""
        return await super().call_api(api, **data)


class AnsweringAdapter(Adapter):
    """Calls of its bots go no further."""

    async def _call_api(self, bot: Any, api: str, **data: Any) -> Any:
        return await bot.answer(api, data)


@asynccontextmanager
async def running_bot() -> AsyncIterator[AnsweringBot]:
    """Start NoneBot with our plugin and one connected bot, once a process. It logs nothing."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        logger.remove()
        nonebot.init(
            driver="~httpx",
            localstore_data_dir=Path(folder),
            # without any connection, the plugin would take the bot for one of a test
            onebot_api_roots={"10001": "http://127.0.0.1:9/"},
            qqimage={"trusted_hosts": ["127.0.0.1"]},
        )
        driver = nonebot.get_driver()
        driver.register_adapter(AnsweringAdapter)
        assert nonebot.load_plugin("nonebot_plugin_qqimage")
        adapter = nonebot.get_adapter(AnsweringAdapter)
        async with driver._lifespan:  # as the driver itself does while it runs
            bot = AnsweringBot(adapter, "10001")
            adapter.bot_connect(bot)
            yield bot


def message(message_id: int, picture: Numbered, url: str) -> dict[str, Any]:
    """The event of a group message with one picture, as an implementation sends it."""
    segment = {
        "type": "image",
        "data": {
            "summary": "",
            "file": picture.name,
            "sub_type": 0,
            "url": url,
            "file_size": str(picture.size),
        },
    }
    return {
        "self_id": 10001,
        "user_id": 30001,
        "time": 1_700_000_000,
        "message_id": message_id,
        "message_seq": message_id,
        "real_id": message_id,
        "message_type": "group",
        "sender": {"user_id": 30001, "nickname": "Tester", "card": "", "role": "member"},
        "raw_message": f"[CQ:image,file={picture.name},url={url},file_size={picture.size}]",
        "font": 14,
        "sub_type": "normal",
        "message": [segment],
        "message_format": "array",
        "post_type": "message",
        "group_id": 20001,
    }


async def keep(picture: Numbered) -> None:
    """Have a picture stored as if it had been fetched a while ago."""
    # the plugin must not be imported before NoneBot has loaded it
    from nonebot_plugin_qqimage import ImageReference
    from nonebot_plugin_qqimage.bot.lifespan import get_services
    from nonebot_plugin_qqimage.content.inspection import inspect

    info = inspect(picture.data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(file=picture.name, size=picture.size)
    await get_services().store.put(reference, info, picture.data, "benchmark")
