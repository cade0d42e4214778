"""Promise 6: it remembers where images were seen, unless it is told not to."""

# ruff: noqa: ASYNC240  short looks at small local files

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nonebot.adapters.onebot.v11 import Adapter
from nonebot.adapters.onebot.v11.event import Event

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.services import Services

from ..store.pictures import Picture
from .common import Line, link, pictures, resolving, world_of

_PROMISE = "it remembers where"
_CHATS, _USERS = 5, 20


@dataclass(frozen=True)
class _Seen:
    number: int
    chat: int
    user: int
    picture: Picture


async def attack(folder: Path, quick: bool) -> list[Line]:
    messages, known = (60, pictures(range(25), 100)) if quick else (2000, pictures(range(500), 100))
    dice = random.Random(6)
    seen = [
        _Seen(number + 1, dice.randrange(_CHATS), dice.randrange(_USERS), dice.choice(known))
        for number in range(messages)
    ]
    return [
        await _remember(folder / "remember", seen, known),
        await _forget(folder / "forget", seen, known),
        await _off(folder / "off", seen[:30], known),
    ]


async def _remember(folder: Path, seen: list[_Seen], known: list[Picture]) -> Line:
    """Ask for the latest image right after each event, and for all of them after a restart."""
    wrong = 0
    async with resolving(folder, world_of(known)) as services:
        for each in seen:
            event = _event(each)
            Intake(services).received(event)
            (latest,) = await services.resolver.latest(event)
            wrong += await latest.read() != each.picture.data
    async with resolving(folder, world_of([])) as services:
        for each in seen:
            (found,) = await services.resolver.find(message_id=str(each.number))
            place = found.chat, found.user, found.sha256, found.reference.position
            said = f"group:{each.chat + 1}", str(each.user + 1), each.picture.info.sha256, 0
            wrong += (
                place != said or await services.resolver.image(found).read() != each.picture.data
            )
        wrong += await _differences(services, seen)
    return Line(
        _PROMISE,
        f"{len(seen):,} messages: the latest is asked for right after each, and all after a "
        "restart without any source",
        f"{wrong} answers wrong",
        wrong == 0,
    )


async def _differences(services: Services, seen: Iterable[_Seen]) -> int:
    """In how many chats, users and images the sightings differ from these."""
    seen = list(seen)
    wrong = 0
    for chat in range(_CHATS):
        found = await services.resolver.find(chat=f"group:{chat + 1}", limit=10_000)
        wrong += _numbers(found) != {each.number for each in seen if each.chat == chat}
    for user in range(_USERS):
        found = await services.resolver.find(user=str(user + 1), limit=10_000)
        wrong += _numbers(found) != {each.number for each in seen if each.user == user}
    for picture in {each.picture for each in seen}:
        found = await services.resolver.find(sha256=picture.info.sha256, limit=10_000)
        wrong += _numbers(found) != {each.number for each in seen if each.picture == picture}
    return wrong


def _numbers(found: Iterable[Any]) -> set[int]:
    return {int(sighting.reference.message_id) for sighting in found}


async def _forget(folder: Path, seen: list[_Seen], known: list[Picture]) -> Line:
    """Forget a chat and a user; one image of theirs is pinned."""
    async with resolving(folder, world_of(known)) as services:
        for each in seen:
            event = _event(each)
            Intake(services).received(event)
            for image in await services.resolver.images(event):
                await image
        pinned = next(each.picture for each in seen if each.chat == 0)
        await services.resolver.pin(pinned.info.uri, "attack")
        sightings, images = 0, 0
        for gone in (
            await services.resolver.forget(chat="group:1"),
            await services.resolver.forget(user="1"),
        ):
            sightings, images = sightings + gone[0], images + gone[1]
        left = [each for each in seen if each.chat != 0 and each.user != 0]
        wrong = await _differences(services, left)
        stay = {pinned, *(each.picture for each in left)}
        went = {each.picture for each in seen} - stay
        store = services.store
        wrong += sum([await store.read(picture.info) != picture.data for picture in stay])
        wrong += sum(store.path(picture.info).exists() for picture in went)
        wrong += images != len(went) or sightings != len(seen) - len(left)
    return Line(
        _PROMISE,
        "one chat and one user are forgotten",
        f"{sightings:,} of {len(seen):,} sightings and the {images} images nobody else referred to "
        f"are gone, {len(stay)} shared or pinned ones stay; {wrong} differences",
        wrong == 0 and sightings > 0,
    )


async def _off(folder: Path, seen: list[_Seen], known: list[Picture]) -> Line:
    """Switched off, nothing of it reaches the disk."""
    async with resolving(folder, world_of(known), sightings=False) as services:
        for each in seen:
            event = _event(each)
            Intake(services).received(event)
            for image in await services.resolver.images(event):
                await image
        found = len(await services.resolver.find()) + await services.store.catalog.count_sightings()
    written = b"".join(path.read_bytes() for path in folder.glob("index*"))
    traces = sum(f"group:{chat + 1}".encode() in written for chat in range(_CHATS))
    return Line(
        _PROMISE,
        f"{len(seen)} messages with sightings switched off",
        f"{found} sightings, {traces} chats named in the files of the index",
        not (found or traces),
    )


def _event(seen: _Seen) -> Event:
    reference = link(seen.picture, seen.number)
    segment = {"type": "image", "data": {"file": reference.file, "url": reference.url}}
    event = Adapter.json_to_event(
        {
            "time": 1_700_000_000 + seen.number,
            "self_id": 1,
            "post_type": "message",
            "message_type": "group",
            "sub_type": "normal",
            "message_id": seen.number,
            "group_id": seen.chat + 1,
            "user_id": seen.user + 1,
            "message": [segment],
            "raw_message": "",
            "font": 0,
            "sender": {"user_id": seen.user + 1},
        }
    )
    assert event is not None
    return event
