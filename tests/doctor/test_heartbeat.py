"""Word of a running bot: left, renewed, taken back, and never in anybody's way."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import anyio
import pytest
from nonebot.adapters.onebot.v11 import Adapter

from nonebot_plugin_qqimage.bot.background import heartbeat
from nonebot_plugin_qqimage.bot.background.heartbeat import Heartbeat
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor.bots.running import RunningBot, running_bots
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..implementation.fake_bot import FakeBot


class FakeServices:
    """What a heartbeat wants of the services."""

    def __init__(self, store: ImageStore) -> None:
        self.config = ScopedConfig(proxy="http://user:secret@127.0.0.1:1")
        self.store = store
        self.connected: list[Implementation] = []
        self.complaints: list[StoreError] = []
        self.implementations = self.pipeline = self.store_trouble = self

    def log(self, error: StoreError) -> None:
        self.complaints.append(error)


class FakeAdapter(Adapter):
    """An adapter without any connection."""

    def __init__(self) -> None:
        self.connections = {}


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[FakeServices]:
    store = ImageStore(tmp_path / "store", max_size=1 << 40, max_age=1e9)
    yield FakeServices(store)
    await store.close()


def beating(services: FakeServices) -> Heartbeat:
    return Heartbeat(cast(Services, services))


def implementation() -> Implementation:
    reply = {"app_name": "NapCat.Onebot", "app_version": "4.18.19"}
    return Implementation(FakeBot(adapter=FakeAdapter(), get_version_info=reply))


async def heard(services: FakeServices, bots: int) -> RunningBot:
    """Wait for a word of that many bots."""
    with anyio.fail_after(20):
        while True:
            for word in await running_bots(services.store):
                if len(word.said["bots"]) == bots:
                    return word
            await anyio.sleep(0.01)


async def test_word_is_left_and_taken_back(services: FakeServices) -> None:
    beat = beating(services)
    beat.task.start(services.log)
    word = await heard(services, 0)
    assert word.said["settings"]["max_store_size"] == services.config.max_store_size
    assert "secret" not in str(word)
    services.connected.append(implementation())
    await beat.change(services.connected[0].bot)
    (bot,) = (await heard(services, 1)).said["bots"]
    assert (bot["bot"], bot["connection"], bot["name"]) == ("10001", "HTTP", "")
    await beat.task.stop()
    assert await running_bots(services.store) == []
    assert services.complaints == []


async def test_what_has_changed_is_told_soon(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    services.connected.append(implementation())
    beat = beating(services)
    beat.task.start(services.log)
    assert (await heard(services, 1)).said["bots"][0]["reads_files"] is None
    services.connected[0].profile.file_not_readable("/app/pictures/x.png")
    with anyio.fail_after(20):
        while (await heard(services, 1)).said["bots"][0]["unreadable"] != "/app/pictures/":
            await anyio.sleep(0.01)
    await beat.task.stop()


async def test_after_a_while_implementations_are_asked_what_they_are(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    monkeypatch.setattr(heartbeat, "_INTERVAL", 0.02)
    services.connected.append(implementation())
    beat = beating(services)
    beat.task.start(services.log)
    with anyio.fail_after(20):
        while (await heard(services, 1)).said["bots"][0]["name"] != "NapCat.Onebot":
            await anyio.sleep(0.01)
    await beat.task.stop()
    bot = cast(FakeBot, services.connected[0].bot)
    assert bot.actions == ["get_version_info"]


async def test_word_of_the_dead_is_ignored_and_removed(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: now - 121)
        await services.store.notes.leave("bot:gone:1", "{}")
    assert await running_bots(services.store) == []
    beat = beating(services)
    beat.task.start(services.log)
    await heard(services, 0)
    with anyio.fail_after(20):
        while "bot:gone:1" in await services.store.notes.find("bot:"):
            await anyio.sleep(0.01)
    await beat.task.stop()


async def test_words_in_another_tongue_are_not_listened_to(services: FakeServices) -> None:
    await services.store.notes.leave("bot:future:1", '{"speak": "other"}')
    assert await running_bots(services.store) == []


async def test_a_store_in_trouble_ends_nothing(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    real = services.store

    class Broken:
        class notes:
            @staticmethod
            async def leave(name: str, text: str) -> None:
                raise StoreError("the disk is full")

    services.store = cast(ImageStore, Broken())
    beat = beating(services)
    beat.task.start(services.log)
    with anyio.fail_after(20):
        while not services.complaints:
            await anyio.sleep(0.01)
    services.store = real
    services.connected.append(implementation())
    await heard(services, 1)
    await beat.task.stop()
