"""A store that an earlier version left opens, and nothing of it is lost.

``fixtures/earlier`` was made by the code of version 0.1.0, ``fixtures/earlier.json`` is what that
code told of it.
"""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import asdict, field, make_dataclass
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.facts import Selection

from .pictures import Picture, sha256

EarlierReference = make_dataclass(
    "EarlierReference",
    [
        (name, Any, field(default=None))
        for name in (
            *("self_id", "message_id", "position", "file", "url", "size", "face_id", "sha256"),
            *("sticker", "content", "file_id", "group_id", "forwarded", "own"),
        )
    ],
)
"""What the earlier version makes of the JSON in a row: a field it does not know is an error."""
FIXTURES = Path(__file__).parent / "fixtures"
EARLIER: dict[str, Any] = json.loads((FIXTURES / "earlier.json").read_text("utf-8"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ImageStore]:
    folder = tmp_path / "store"
    shutil.copytree(FIXTURES / "earlier", folder)
    store = ImageStore(folder, max_size=1 << 40, max_age=1e12)
    yield store
    await store.close()


def facts_of(info: ImageInfo) -> dict[str, Any]:
    """Those that the earlier version knew."""
    return {name: value for name, value in asdict(info).items() if name != "sha1"}


async def test_every_image_is_there_as_it_was(store: ImageStore) -> None:
    found = await store.catalog.select(Selection(), limit=1000, after="")
    told = [
        facts_of(each.info) | {"source": each.source, "added": each.added, "used": each.used}
        for each in found
    ]
    assert told == EARLIER["images"]
    for each in found:
        data = await store.read(each.info)
        assert data is not None
        assert sha256(data) == each.info.sha256
    for step in await store.upkeep.steps():
        assert await store.upkeep.check(step, deep=True, grace=0) == []
    assert await store.catalog.index_trouble() == ""


async def test_every_reference_means_what_it_meant(store: ImageStore) -> None:
    for each in EARLIER["references"]:
        said = each["reference"]
        if said.get("own"):  # as implementations tell of it: without what the bot has put in
            said = {name: value for name, value in said.items() if name != "content"}
        info = await store.find(ImageReference(**said))
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
    assert await store.notes.find("") == kept


async def test_the_earlier_version_can_go_on_with_it(store: ImageStore) -> None:
    picture = Picture(99)
    await store.put(picture.reference, picture.info, picture.data, "test")
    await store.close()
    index = "index.sqlite3"
    with closing(sqlite3.connect(FIXTURES / "earlier" / index)) as before:
        with closing(sqlite3.connect(store.folder / index)) as after:
            version = "PRAGMA user_version"
            assert after.execute(version).fetchall() == before.execute(version).fetchall()
            tables = "SELECT name, sql FROM sqlite_master"
            there = dict(after.execute(tables).fetchall())
            for name, sql in before.execute(tables):
                if name != "sightings":  # which has more columns, with defaults
                    assert there[name] == sql


async def test_rows_of_the_earlier_version_stand_beside_new_ones(store: ImageStore) -> None:
    picture, theirs = Picture(98), Picture(99)
    await store.put(picture.reference, picture.info, picture.data, "test")
    store.saw(Sighting(picture.reference, "group:1", "5", 1e9))
    await store.sightings(limit=1)
    facts = *facts_of(theirs.info).values(), "test", 1e9, 1e9
    said = json.dumps({"self_id": "1", "message_id": "77", "file": theirs.reference.file})
    with closing(sqlite3.connect(store.folder / "index.sqlite3")) as db:
        # word for word the statements of that version
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", facts)
        db.execute(
            "INSERT OR IGNORE INTO sightings "
            "(message, bot, position, chat, user, time, sha256, key, reference) VALUES "
            "('77', '1', 0, 'group:1', '6', 2e9, '', 'md5:x:', ?)",
            (said,),
        )
        references = db.execute("SELECT reference FROM sightings").fetchall()
        for (reference,) in references:  # as that version reads them
            EarlierReference(**json.loads(reference))
        db.execute("DELETE FROM images WHERE sha256 = ?", (picture.info.sha256,))
        db.commit()
    assert [each.user for each in await store.sightings(chat="group:1", limit=2)] == ["6", "5"]
    assert await store.find(theirs.reference) == theirs.info
    with closing(sqlite3.connect(store.folder / "index.sqlite3")) as db:
        left = db.execute("SELECT count(*) FROM digests WHERE sha256 = ?", (picture.info.sha256,))
        assert left.fetchone() == (0,)
