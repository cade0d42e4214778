"""Pictures are looked at in the background: what is there already, and what comes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.bot.background.looking import looking
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..looks.changing import encoded
from ..looks.making import sticker


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ImageStore]:
    store = ImageStore(tmp_path, max_size=1 << 30, max_age=1e9)
    yield store
    await store.close()


async def put(store: ImageStore, seed: int) -> None:
    data = encoded(sticker(seed))
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    await store.put(ImageReference(sha256=info.sha256), info, data, "test")


async def hashed(store: ImageStore, count: int) -> None:
    for _ in range(1500):
        if (await store.looks.progress()).hashed >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await store.looks.progress())


async def test_what_is_there_and_what_comes(store: ImageStore, tmp_path: Path) -> None:
    for seed in range(3):
        await put(store, seed)
    another = ImageStore(tmp_path, max_size=1 << 30, max_age=1e9)  # knows nothing of new ones
    complaints: list[StoreError] = []
    task = looking(ScopedConfig(), another, delay=0.0)
    assert task is not None
    task.start(complaints.append)
    await hashed(store, 3)
    await put(another, 3)
    await hashed(store, 4)
    await task.stop()
    assert not complaints
    assert (await another.looks.progress()).images == 4
    await another.close()


def test_nobody_looks_where_the_settings_say_not_to(store: ImageStore) -> None:
    assert looking(ScopedConfig(looks=False), store) is None
