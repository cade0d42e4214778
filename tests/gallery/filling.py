"""A store with many pictures, made in a moment: the files and rows that `put` would have made."""

import hashlib
import random
import struct
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.simulator.pictures import ANIMATION, PHOTO, STICKER, WEBP, png
from nonebot_plugin_qqimage.store.local import images
from nonebot_plugin_qqimage.store.local.files.blobs import Blobs
from nonebot_plugin_qqimage.store.local.sightings import sightings
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection, Database

from ..e2e.bots import fresh

_ANY = {"max_size": 1 << 40, "max_pixels": 1 << 40, "max_frames": 1 << 20}
SOURCES = ("url of the segment", "get_image", "url with a fresh key")


@cache
def kinds(count: int = 40) -> list[bytes]:
    """Different pictures, of different types and shapes."""
    shapes = [(320, 200), (200, 320), (240, 240), (400, 150)]
    drawn = [png(*shapes[seed % 4], seed=seed) for seed in range(count)]
    return [*drawn, PHOTO, WEBP, ANIMATION, STICKER]


def fill(
    folder: Path, count: int, *, days: float = 20, seed: int = 1, steady: bool = True
) -> list[ImageInfo]:
    """Fill a store, the latest picture last: each was seen in one of twelve chats.

    Args:
        folder: of the store.
        count: how many pictures.
        days: how long ago the first one came.
        seed: another one gives other chats and users.
        steady: whether they came at the same intervals, rather than now and then.
    """
    dice, some = random.Random(seed), kinds()
    folder.mkdir(parents=True, exist_ok=True)
    blobs, database = Blobs(folder), Database(folder / "index.sqlite3")
    begin = time.time() - days * 86400
    shares = [(number + 1) / count for number in range(count)]
    if not steady:
        shares = sorted(dice.betavariate(1.6, 1.1) for _ in shares)
    infos: list[ImageInfo] = []
    seen: list[Sighting] = []
    for number in range(count):
        kind = some[number % len(some)]
        data = _one_more(kind, number)
        info = _info(kind, data)
        path = blobs.path(info)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        infos.append(info)
        when = begin + shares[number] * days * 86400
        group = dice.choice((1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8))
        reference = ImageReference(
            self_id="10000", message_id=str(number), file=f"{info.md5}.image"
        )
        chat, user = f"group:{20000 + group}", str(30000 + dice.randrange(40))
        seen.append(Sighting(reference, chat, user, when, info.sha256, when))
    with database.transaction() as db:
        _write(db, infos, seen, dice)
    database.close()
    return infos


def _write(
    db: Connection, infos: Sequence[ImageInfo], seen: Sequence[Sighting], dice: random.Random
) -> None:
    for info, sighting in zip(infos, seen, strict=True):
        images.add(db, info, "", dice.choice(SOURCES))
        db.run(
            "UPDATE images SET added = ?, used = ? WHERE sha256 = ?",
            *(sighting.time, sighting.time, info.sha256),
        )
    for start in range(0, len(seen), 500):
        sightings.add(db, seen[start : start + 500])


@cache
def _inspected(kind: bytes) -> ImageInfo:
    return inspect(kind, **_ANY)


def _info(kind: bytes, data: bytes) -> ImageInfo:
    """What the bytes are, as those of the same picture are known."""
    return replace(
        _inspected(kind),
        sha256=hashlib.sha256(data).hexdigest(),
        md5=hashlib.md5(data).hexdigest(),
        sha1=hashlib.sha1(data).hexdigest(),
        size=len(data),
    )


def _one_more(data: bytes, number: int) -> bytes:
    """The same picture in other bytes."""
    if data[:4] != b"\x89PNG":
        return fresh(data)
    body = b"tEXtComment\0" + f"{number:08}".encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + data[-12:]
