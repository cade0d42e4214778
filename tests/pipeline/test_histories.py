"""Random histories of messages, judged by a model that knows which picture each segment shows.

Never wrong bytes, never another chat's picture, and no call for a picture whose content is known.
"""

import asyncio
import base64
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import MessageSegment

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import ImageUnavailable
from nonebot_plugin_qqimage.image import Image
from nonebot_plugin_qqimage.messages.events import find_sent
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.digests import Agreement, observe
from nonebot_plugin_qqimage.store.local.sqlite.database import Database

from .histories import (
    CHATS,
    PICTURES,
    QQ,
    Segment,
    Sources,
    Told,
    ToldBot,
    claims_fit,
    segment,
)

TOGETHER = 6
"""Histories that are gone through at the same time: each waits most of the time for threads."""
ASKED = os.environ.get("QQIMAGE_TEST_HISTORIES", "")
"""How many to try instead of those that are always tried; a failure is then made small, too."""
EXAMPLES = int(ASKED or 2160) // TOGETHER // 3
EARLIER = Path(__file__).parents[1] / "store" / "fixtures" / "earlier"

picture = st.integers(0, len(PICTURES) - 1)
segments = st.tuples(
    picture,
    st.sampled_from(["true", "true", "unreadable", "plain", "none", "lying"]),
    st.sampled_from(["md5", "guid", "field", "another's md5", "another's md5", "generic", "none"]),
    st.sampled_from(["true", "none", "none", "another's"]),
    picture,
)
messages = st.tuples(
    st.just("receive"),
    st.sampled_from(["10", "20"]),
    st.sampled_from(CHATS),
    st.integers(1, 3),
    st.lists(segments, min_size=1, max_size=2),
    st.sampled_from(["read", "read last", "later"]),
)
which = st.integers(0, 3)
operations = st.one_of(
    messages,
    messages,
    st.tuples(st.just("repeat"), which, st.sampled_from(["10", "20"]), st.sampled_from(CHATS)),
    st.tuples(st.just("again"), which),
    st.tuples(st.just("again"), which),
    st.tuples(st.just("quote"), which),
    st.tuples(st.just("remove a segment"), which),
    st.tuples(st.just("send"), picture, st.sampled_from(CHATS), st.integers(1, 2)),
    st.tuples(st.just("expire")),
    st.tuples(st.just("die"), which),
    st.tuples(st.just("restart")),
    st.tuples(st.just("forget"), st.sampled_from(CHATS)),
)


class History:
    """One history, in two processes on one folder."""

    def __init__(self, folder: Path, *, gives_keys: bool) -> None:
        self.folder = folder
        self.qq = QQ(gives_keys=gives_keys)
        self.processes: dict[bool, Services] = {}
        self.binding = False
        self.given: dict[tuple[str, ...], set[int]] = {}
        self.forgotten: set[Told] = set()

    def open(self) -> Services:
        config = ScopedConfig()
        store = ImageStore(self.folder, max_size=1 << 30, max_age=1e12, memory_size=1 << 20)
        bots = {bot: ToldBot(bot, self.qq) for bot in ("10", "20")}
        return Services.of(config, store, Sources(config, self.qq), lambda: bots)

    async def close(self) -> None:
        for process in self.processes.values():
            await process.pipeline.close()

    async def do(self, number: int, operation: tuple[Any, ...]) -> None:
        second = number % 4 == 3
        process = self.processes.get(second) or self.open()
        self.processes[second] = process
        told = [each for each in self.qq.told if not each.own]
        match operation:
            case ("receive", bot, chat, message_id, said, reading):
                made: list[Segment] = []
                for shown, kind, name, size, another in said:
                    upload = self.qq.upload(shown, another, kind, private=chat[0] == "p")
                    made.append(segment(upload, name, size, another))
                message = Told(bot, chat, message_id, made, self.qq.key)
                self.receive(process, message)
                if reading != "later":
                    await self.read(process, message, last=reading == "read last")
            case ("repeat", which, bot, chat) if told:
                seen = told[which % len(told)]
                number = seen.message_id + (chat != seen.chat)
                message = Told(bot, chat, number, seen.left(), self.qq.key)
                self.receive(process, message)
                await self.read(process, message)
            case ("again", which) if told:
                await self.read(process, told[which % len(told)])
            case ("quote", which) if told:
                seen = told[which % len(told)]
                message = Told(seen.bot, seen.chat, 9, [], self.qq.key, quoted=seen)
                Intake(process).received(message.event())
                await self.read(process, seen)
            case ("remove a segment", which) if told:
                seen = told[which % len(told)]
                seen.removed.add(0)
                await self.read(process, seen)
            case ("send", shown, chat, message_id):
                await self.send(process, shown, chat, message_id)
            case ("expire",):
                self.qq.expire_keys()
            case ("die", which) if self.qq.uploads:
                self.qq.uploads[which % len(self.qq.uploads)].dead = True
            case ("restart",):
                await process.pipeline.close()
                process = self.processes[second] = self.open()
            case ("forget", chat):
                for (
                    each
                ) in self.processes.values():  # what they have seen is written down a moment later
                    await each.store.catalog.counters("")
                await process.resolver.forget(chat=chat)
                self.forgotten |= {each for each in self.qq.told if each.chat == chat}
            case _:
                return
        self.binding = (await process.store.catalog.trust_in_links()).binding

    def receive(self, process: Services, message: Told) -> None:
        self.qq.told.append(message)
        Intake(process).received(message.event())

    async def send(self, process: Services, shown: int, chat: str, message_id: int) -> None:
        """The bot sends a picture, and somebody quotes it later."""
        content = "base64://" + base64.b64encode(PICTURES[shown]).decode()
        kind, _, number = chat.partition(":")
        to = {"group_id" if kind == "group" else "user_id": int(number), "message_type": kind}
        params = {**to, "message": [{"type": "image", "data": {"file": content}}]}
        bot = ToldBot("10", self.qq)
        Intake(process).sent(bot, "send_msg", params, {"message_id": message_id})
        (sighting,) = find_sent("10", params, {"message_id": message_id}, "send_msg")
        image = process.resolver.image(sighting.reference)
        assert await image.read() == PICTURES[shown]
        await image  # until it is stored
        own = Told("10", chat, message_id, [], self.qq.key, own=True)
        quoting = Told("10", chat, 9, [], self.qq.key, quoted=own).event()
        assert quoting.reply is not None
        quoting.reply.message.append(MessageSegment("image", {"file": "", "url": ""}))
        (image,) = process.resolver.quoted_images(quoting)
        assert await image.read() == PICTURES[shown]

    async def read(self, process: Services, told: Told, *, last: bool = False) -> None:
        images = process.resolver.message_images(told.event())
        assert len(images) == len(told.left())
        pairs = [*zip(images, told.left(), told.content(), strict=True)]
        for image, said, content in pairs[-1:] if last else pairs:
            await self.judge(process, image, told, said, content)

    async def judge(
        self,
        process: Services,
        image: Image,
        told: Told,
        said: Segment,
        content: dict[str, Any],
    ) -> None:
        upload, binding = said.upload, self.binding
        fitting = [claims_fit(content, said, number) for number in range(len(PICTURES))]
        there = [
            number
            for number, (fits, named) in enumerate(fitting)
            if fits
            and named
            and await process.store.find(
                process.resolver.image(f"qqimage:{sha256(number)}").reference
            )
        ]
        before = len(self.qq.fetched)
        place = (told.bot, told.chat, str(told.message_id), image.reference.said)
        try:
            stored = await image
            got = PICTURES.index(await image.read())
        except ImageUnavailable as error:
            why = f"{error} {told} {content}"
            assert not there or told in self.forgotten, why
            # a name and a size that both contradict the link are believed
            lie = "file" in content["data"] and not fitting[upload.picture][0]
            assert not self.qq.reachable(said, told) or lie or told in self.forgotten, why
            return
        asked = [each for each in self.qq.fetched[before:] if each == image.reference]
        why = (
            f"{PICTURES.index(stored.data or await image.read())} for {upload} {content} {binding}"
        )
        assert not (there and asked), f"asked for what is there: {why}"
        right = {upload.picture, *self.given.get(place, ())} if not binding else {upload.picture}
        right |= {number for number, (fits, named) in enumerate(fitting) if fits and named}
        if upload.kind == "none" or not (
            self.qq.reachable(said, told) or (binding and upload.kind in ("true", "lying"))
        ):
            right |= set(range(len(PICTURES)))
        if upload.kind == "lying":
            right |= {upload.declared}
        assert got in right, f"{got} instead of {right}: {why}"
        self.given.setdefault(place, set()).add(got)


def sha256(number: int) -> str:
    return hashlib.sha256(PICTURES[number]).hexdigest()


@pytest.fixture(scope="module")
def templates() -> Any:
    """Indexes: a new one, one of an earlier version, and one whose links have proven true."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        shutil.copy(EARLIER / "index.sqlite3", folder / "upgraded")
        for kind in ("new", "proven"):
            database = Database(folder / kind)
            with database.transaction() as db:
                observe(db, [Agreement("1407:x", "NapCat", True)] * (kind == "proven"))
            database.close()
        yield folder


@pytest.mark.parametrize("kind", ["new", "upgraded", "proven"])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink) if ASKED else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(
    st.tuples(*[st.tuples(st.booleans(), st.lists(operations, min_size=2, max_size=6))] * TOGETHER)
)
async def test_each_segment_gives_its_own_picture(
    templates: Path, kind: str, histories: tuple[tuple[bool, list[tuple[Any, ...]]], ...]
) -> None:
    await asyncio.gather(*(go_through(templates, kind, *history) for history in histories))


async def go_through(
    templates: Path, kind: str, gives_keys: bool, history: list[tuple[Any, ...]]
) -> None:
    folder = Path(tempfile.mkdtemp(dir=templates))
    shutil.copy(templates / kind, folder / "index.sqlite3")
    world = History(folder, gives_keys=gives_keys)
    try:
        for number, operation in enumerate(history):
            await world.do(number, operation)
    finally:
        await world.close()
