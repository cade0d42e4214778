"""Several processes with different bounds on one folder: the largest hold."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import json
import os
import sqlite3
import stat
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.doctor.store.storage import about_store
from nonebot_plugin_qqimage.serving.tokens import Tokens
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local import notes
from nonebot_plugin_qqimage.store.local.upkeep import maintenance

from ..inside import change
from ..pictures import OpenStore, Picture

PICTURES = [Picture(number, filler=1000) for number in range(20)]
LARGE = json.dumps({"max_size": 1 << 30, "max_age": 5 * 86400.0})


async def put(store: ImageStore, picture: Picture) -> None:
    await store.put(picture.reference, picture.info, picture.data, "test")


async def test_a_smaller_bound_takes_nothing_from_a_larger_one(open_store: OpenStore) -> None:
    store = open_store(max_size=3000)
    await change(store, lambda db: notes.leave(db, "bounds:elsewhere:1:", LARGE))
    for picture in PICTURES:
        await put(store, picture)
    await store.upkeep.evict()
    assert (await store.totals()).images == len(PICTURES)
    lines = await about_store(store, 3000, deep=False)
    (line,) = [line for line in lines if "different bounds" in line.text]
    assert line.state == "warning"
    assert "elsewhere:1: 1.0 GiB, 5 days" in line.text
    assert f":{os.getpid()}: 2.9 KiB" in line.text
    # whoever does not run any more counts no longer
    await change(store, lambda db: notes.forget(db, "bounds:elsewhere", time.time() + 1))
    await store.upkeep.evict()
    assert (await store.totals()).images == 2


async def test_whoever_ends_takes_its_note_back(open_store: OpenStore) -> None:
    store = open_store(max_size=1 << 30)
    await put(store, PICTURES[0])
    assert len(await store.catalog.bounds()) == 1
    await store.close()
    assert await open_store().catalog.bounds() == {}


async def test_the_hourly_round_reads_no_large_index_as_a_whole(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, PICTURES[0])
    asked: list[Path] = []
    monkeypatch.setattr(
        "nonebot_plugin_qqimage.store.local.upkeep.maintenance.is_sound",
        lambda path: asked.append(path) or 1,
    )
    await store.upkeep.steps(thorough=False)
    assert len(asked) == 1
    monkeypatch.setattr(maintenance, "_SMALL", 100)
    assert await store.upkeep.steps(thorough=False) == [PICTURES[0].info.sha256[:2]]
    assert len(asked) == 1


async def test_looking_up_waits_for_no_lock_even_at_the_start(
    open_store: OpenStore, folder: Path
) -> None:
    store = open_store()
    await put(store, PICTURES[0])
    await store.close()
    with closing(sqlite3.connect(folder / "index.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert await open_store().find(PICTURES[0].reference) is not None
        assert time.monotonic() - started < 0.5
        other.execute("ROLLBACK")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
async def test_only_the_pictures_can_be_read_by_others(store: ImageStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "quarantine").mkdir(mode=0o755)
    for name in ("index.sqlite3", "secret"):
        (folder / name).touch(mode=0o644)
    (folder / "secret").write_bytes(b"x" * 32)
    await asyncio.to_thread(Tokens.load, folder)
    await put(store, PICTURES[0])
    await put(store, PICTURES[1])
    store.path(PICTURES[1].info).write_bytes(b"damaged")
    assert await store.read(PICTURES[1].info) is None

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(folder / "quarantine") == 0o700
    assert mode(folder / "secret") == 0o600
    for path in folder.glob("index*"):
        assert mode(path) == 0o600, path
    blob = store.path(PICTURES[0].info)
    assert mode(blob) == 0o644
    assert mode(blob.parent) & 0o005 == mode(folder) & 0o005


@pytest.mark.skipif(sys.platform == "win32", reason="it flushes no folders")
@pytest.mark.parametrize("number", [22, 95])
async def test_a_folder_that_cannot_be_flushed_is_no_failure(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.fsync

    def refuse(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    await put(store, PICTURES[0])
    assert await store.read(PICTURES[0].info) == PICTURES[0].data
