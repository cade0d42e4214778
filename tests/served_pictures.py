"""A services that serves URLs, with pictures that come from where a test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
from nonebot.adapters.onebot.v11 import GroupMessageEvent, Message, MessageSegment
from nonebot.adapters.onebot.v11.event import Reply, Sender

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import Attempt, Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

CDN = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={}&spec=0&rkey=CAQSKAB6"
BASE = "http://127.0.0.1:8080"


class World:
    """Pictures by the ``fileid`` in their URL; a ``fileid`` of "slow" never comes."""

    def __init__(self, **data: bytes) -> None:
        self.data = data
        self.others: dict[str, bytes] = {}
        self.fetched: list[ImageReference] = []

    async def fetch(
        self, reference: ImageReference, *_: object
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        self.fetched.append(reference)
        if "fileid=slow" in reference.url:
            await anyio.sleep_forever()
        links = {CDN.partition("{")[0] + f"{name}&": data for name, data in self.data.items()}
        for link, data in {**links, **self.others}.items():
            if reference.url.startswith(link):
                return Fetched(inspect(data, max_size=1 << 30, max_pixels=1 << 30), data, "url"), ()
        return None, (Attempt("url of the segment", Cause.EXPIRED, "dead", 0.1),)

    async def close(self) -> None:
        pass


@asynccontextmanager
async def serving(
    folder: Path, world: World, base: str = BASE, **settings: Any
) -> AsyncIterator[Services]:
    """A services whose URLs are served, as one that was started at this base."""
    config = ScopedConfig(**settings)
    store = ImageStore(folder / "store", max_size=1 << 30, max_age=1e9)
    services = Services.of(config, store, cast(Fetcher, world), dict)
    await services.links.load(folder)
    if base:
        services.links.served_at(base)
    try:
        yield services
    finally:
        await services.pipeline.close()


def image(name: str = "a", **data: Any) -> MessageSegment:
    """A picture as implementations tell of it."""
    fields = {"file": f"{name}.jpg", "url": CDN.format(name), "file_size": "100", **data}
    return MessageSegment("image", {key: value for key, value in fields.items() if value != ""})


def group_message(*segments: MessageSegment, quoted: Message | None = None) -> GroupMessageEvent:
    """A message in group 20001, as the adapter hands it on."""
    reply = None
    if quoted is not None:
        reply = Reply(
            time=0,
            message_type="group",
            message_id=2,
            real_id=2,
            sender=Sender(user_id=30001),
            message=quoted,
        )
    message = Message(segments)
    return GroupMessageEvent(
        time=1,
        self_id=10001,
        post_type="message",
        message_type="group",
        sub_type="normal",
        message_id=1,
        group_id=20001,
        user_id=30001,
        message=message.copy(),
        original_message=message.copy(),
        raw_message="",
        font=0,
        sender=Sender(user_id=30001),
        reply=reply,
    )
