"""Word of a running bot: left, renewed, taken back, and never in anybody's way."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from nonebot.adapters.onebot.v11 import Adapter

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor import Heartbeat, Word, heartbeat, words
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.peer import Peer
from nonebot_plugin_qqimage.resolver import ImageResolver
from nonebot_plugin_qqimage.store import ImageStore

from ..peer.fake_bot import FakeBot


class FakeResolver:
    """What a heartbeat wants of a resolver."""

    def __init__(self, store: ImageStore) -> None:
        self.config = ScopedConfig(proxy="http://user:secret@127.0.0.1:1")
        self.store = store
        self.peers: list[Peer] = []
        self.complaints: list[StoreError] = []

    def complain(self, error: StoreError) -> None:
        self.complaints.append(error)


class FakeAdapter(Adapter):
    """An adapter without any connection."""

    def __init__(self) -> None:
        self.connections = {}


@pytest.fixture
async def resolver(tmp_path: Path) -> AsyncIterator[FakeResolver]:
    store = ImageStore(tmp_path / "store", max_size=1 << 40, max_age=1e9)
    yield FakeResolver(store)
    await store.close()


def beating(resolver: FakeResolver) -> Heartbeat:
    return Heartbeat(cast(ImageResolver, resolver))


def peer() -> Peer:
    reply = {"app_name": "NapCat.Onebot", "app_version": "4.18.19"}
    return Peer(FakeBot(adapter=FakeAdapter(), get_version_info=reply))


async def heard(resolver: FakeResolver, bots: int) -> Word:
    """Wait for a word of that many bots."""
    with anyio.fail_after(20):
        while True:
            for word in await resolver.store.query(words):
                if len(word.said["bots"]) == bots:
                    return word
            await anyio.sleep(0.01)


async def test_word_is_left_and_taken_back(resolver: FakeResolver) -> None:
    beat = beating(resolver)
    await beat.start()
    word = await heard(resolver, 0)
    assert word.said["settings"]["max_store_size"] == resolver.config.max_store_size
    assert "secret" not in str(word)
    resolver.peers.append(peer())
    await beat.change(resolver.peers[0].bot)
    (bot,) = (await heard(resolver, 1)).said["bots"]
    assert (bot["bot"], bot["connection"], bot["name"]) == ("10001", "HTTP", "")
    await beat.stop()
    assert await resolver.store.query(words) == []
    assert resolver.complaints == []


async def test_what_has_changed_is_told_soon(
    resolver: FakeResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    resolver.peers.append(peer())
    beat = beating(resolver)
    await beat.start()
    assert (await heard(resolver, 1)).said["bots"][0]["reads_files"] is None
    resolver.peers[0].profile.file_was_read(False, "/app/pictures/x.png")
    with anyio.fail_after(20):
        while (await heard(resolver, 1)).said["bots"][0]["unreadable"] != "/app/pictures/":
            await anyio.sleep(0.01)
    await beat.stop()


async def test_after_a_while_peers_are_asked_what_they_are(
    resolver: FakeResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    monkeypatch.setattr(heartbeat, "_INTERVAL", 0.02)
    resolver.peers.append(peer())
    beat = beating(resolver)
    await beat.start()
    with anyio.fail_after(20):
        while (await heard(resolver, 1)).said["bots"][0]["name"] != "NapCat.Onebot":
            await anyio.sleep(0.01)
    await beat.stop()
    bot = cast(FakeBot, resolver.peers[0].bot)
    assert bot.actions == ["get_version_info"]


async def test_word_of_the_dead_is_ignored_and_removed(
    resolver: FakeResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: now - 121)
        await resolver.store.query(lambda index: index.note("bot:gone:1", "{}"))
    assert await resolver.store.query(words) == []
    beat = beating(resolver)
    await beat.start()
    await heard(resolver, 0)
    notes = await resolver.store.query(lambda index: index.notes("bot:"))
    assert "bot:gone:1" not in notes
    await beat.stop()


async def test_words_in_another_tongue_are_not_listened_to(resolver: FakeResolver) -> None:
    await resolver.store.query(lambda index: index.note("bot:future:1", '{"speak": "other"}'))
    assert await resolver.store.query(words) == []


async def test_a_store_in_trouble_ends_nothing(
    resolver: FakeResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_GLANCE", 0.01)
    real = resolver.store

    class Broken:
        async def query(self, work: Any) -> None:
            raise StoreError("the disk is full")

    resolver.store = cast(ImageStore, Broken())
    beat = beating(resolver)
    await beat.start()
    with anyio.fail_after(20):
        while not resolver.complaints:
            await anyio.sleep(0.01)
    resolver.store = real
    resolver.peers.append(peer())
    await heard(resolver, 1)
    await beat.stop()
