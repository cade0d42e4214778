"""Anything, in any order: never wrong bytes, and what was put stays until it has to go."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .pictures import Picture

PICTURES = [Picture(number, filler=number * 300) for number in range(8)]
BOUND = sum(picture.info.size for picture in PICTURES) * 2 // 3
numbers = st.integers(0, len(PICTURES) - 1)
chats = st.sampled_from(["group:1", "group:2"])
stores = st.integers(0, 1)


class StoreMachine(RuleBasedStateMachine):
    """Two processes on one folder, and what must be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="qqimage-"))
        self.stores = [self.open(), self.open()]
        self.kept: dict[int, None] = {}  # the least recently used first
        self.pins: Counter[int] = Counter()
        self.seen: dict[tuple[int, str], None] = {}

    def open(self) -> ImageStore:
        return ImageStore(self.folder, max_size=BOUND, max_age=1e9)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        for store in self.stores:
            self.run(store.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    def use(self, number: int) -> None:
        self.kept.pop(number, None)
        self.kept[number] = None

    def evict(self, keep: int | None = None) -> None:
        for number in list(self.kept):
            if sum(PICTURES[kept].info.size for kept in self.kept) <= BOUND:
                break
            if not self.pins[number] and number != keep:
                del self.kept[number]

    @rule(store=stores, number=numbers)
    def put(self, store: int, number: int) -> None:
        picture = PICTURES[number]
        self.flush()
        self.run(self.stores[store].put(picture.reference, picture.info, picture.data, "test"))
        self.use(number)
        self.evict(keep=number)

    @rule(store=stores, number=numbers)
    def find(self, store: int, number: int) -> None:
        if self.run(self.stores[store].find(PICTURES[number].reference)) is not None:
            self.flush()
            if number in self.kept:  # else another process has evicted it a moment ago
                self.use(number)

    @rule(store=stores, number=numbers)
    def damage(self, store: int, number: int) -> None:
        path = self.stores[store].path(PICTURES[number].info)
        if path.exists():
            path.write_bytes(bytes(PICTURES[number].info.size))
            self.kept.pop(number, None)
            assert self.run(self.stores[store].read(PICTURES[number].info)) is None
            assert not path.exists()

    @rule(store=stores, number=numbers)
    def delete_file(self, store: int, number: int) -> None:
        self.stores[store].path(PICTURES[number].info).unlink(missing_ok=True)
        self.kept.pop(number, None)
        assert self.run(self.stores[store].read(PICTURES[number].info)) is None

    @rule(store=stores)
    def bring_within_bounds(self, store: int) -> None:
        self.run(self.stores[store].upkeep.evict())
        self.evict()

    @rule(store=stores, number=numbers)
    def pin(self, store: int, number: int) -> None:
        pinned = self.run(self.stores[store].pins.add(PICTURES[number].info.sha256, "me"))
        assert pinned == (number in self.kept)
        self.pins[number] += pinned

    @rule(store=stores, number=numbers)
    def unpin(self, store: int, number: int) -> None:
        was_pinned = self.run(self.stores[store].pins.remove(PICTURES[number].info.sha256, "me"))
        assert was_pinned == (self.pins[number] > 0)
        self.pins[number] -= was_pinned

    @rule(store=stores, number=numbers, chat=chats)
    def see(self, store: int, number: int, chat: str) -> None:
        reference = ImageReference("1", f"{number} {chat}")
        sha256 = PICTURES[number].info.sha256

        async def saw() -> None:
            self.stores[store].saw(Sighting(reference, chat, "5", time.time(), sha256))

        self.run(saw())
        self.flush()
        self.seen[number, chat] = None

    @rule(store=stores, chat=chats)
    def forget(self, store: int, chat: str) -> None:
        gone = [number for number, where in self.seen if where == chat]
        for number in gone:
            del self.seen[number, chat]
        elsewhere = {number for number, _ in self.seen}
        sightings, images = self.run(self.stores[store].forgetting.forget(chat=chat))
        removed = {n for n in gone if n in self.kept and n not in elsewhere and not self.pins[n]}
        assert (sightings, images) == (len(gone), len(removed))
        for number in removed:
            del self.kept[number]

    @rule(store=stores)
    def reopen(self, store: int) -> None:
        self.run(self.stores[store].close())
        self.stores[store] = self.open()

    def flush(self) -> None:
        """Let nothing wait, so that the order of uses is ours."""
        for store in self.stores:
            self.run(store.catalog.counters("failed"))

    @invariant()
    def it_holds_exactly_what_it_must(self) -> None:
        for number, picture in enumerate(PICTURES):
            data = self.run(self.stores[number % 2].read(picture.info))
            assert data == (picture.data if number in self.kept else None)
        totals = self.run(self.stores[0].totals())
        size = sum(PICTURES[number].info.size for number in self.kept)
        assert (totals.images, totals.bytes) == (len(self.kept), size)


class TestStore(StoreMachine.TestCase):
    settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
