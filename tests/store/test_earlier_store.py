"""A store that an earlier version left opens, and nothing of it is lost.

``fixtures/earlier`` was made by the code of version 0.1.0, ``fixtures/earlier.json`` is what that
code told of it.
"""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.facts import Selection

from .pictures import Picture, sha256

FIXTURES = Path(__file__).parent / "fixtures"
EARLIER: dict[str, Any] = json.loads((FIXTURES / "earlier.json").read_text("utf-8"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ImageStore]:
    folder = tmp_path / "store"
    shutil.copytree(FIXTURES / "earlier", folder)
    store = ImageStore(folder, max_size=1 << 40, max_age=1e12)
    yield store
    await store.close()


async def test_every_image_is_there_as_it_was(store: ImageStore) -> None:
    found = await store.catalog.select(Selection(), limit=1000, after="")
    told = [
        asdict(each.info) | {"source": each.source, "added": each.added, "used": each.used}
        for each in found
    ]
    assert told == EARLIER["images"]
    for each in found:
        data = await store.read(each.info)
        assert data is not None
        assert sha256(data) == each.info.sha256
    for step in await store.steps():
        assert await store.check(step, deep=True, grace=0) == []
    assert await store.catalog.index_trouble() == ""


async def test_every_reference_means_what_it_meant(store: ImageStore) -> None:
    for each in EARLIER["references"]:
        info = await store.find(ImageReference(**each["reference"]))
        assert info is not None, each
        assert info.sha256 == each["sha256"]


async def test_names_pins_sightings_counters_and_notes_are_kept(store: ImageStore) -> None:
    for each in EARLIER["images"]:
        (known,) = await store.catalog.describe(each["sha256"], max_sightings=100)
        assert known.names == EARLIER["names"][each["sha256"]]
        assert known.pins == EARLIER["pins"].get(each["sha256"], {})
    assert await store.sightings(limit=1000) == [
        Sighting(**{**each, "reference": ImageReference(**each["reference"])})
        for each in EARLIER["sightings"]
    ]
    for kind, counted in EARLIER["counters"].items():
        assert await store.catalog.counters(kind) == counted
    kept = {name: tuple(note) for name, note in EARLIER["notes"].items()}
    assert await store.notes("") == kept


async def test_the_earlier_version_can_go_on_with_it(store: ImageStore) -> None:
    picture = Picture(99)
    await store.put(picture.reference, picture.info, picture.data, "test")
    await store.close()
    index = "index.sqlite3"
    with closing(sqlite3.connect(FIXTURES / "earlier" / index)) as before:
        with closing(sqlite3.connect(store.folder / index)) as after:
            for what in ("SELECT sql FROM sqlite_master ORDER BY name", "PRAGMA user_version"):
                assert after.execute(what).fetchall() == before.execute(what).fetchall()
