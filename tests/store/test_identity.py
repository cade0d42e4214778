"""What the store takes for the image that a reference means, and what it costs in a large one."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid, unreadable_fileid
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local import notes
from nonebot_plugin_qqimage.store.local.digests import Agreement
from nonebot_plugin_qqimage.store.local.sightings import sightings
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection, Database
from nonebot_plugin_qqimage.store.local.upkeep import forgetting

from .pictures import Picture

HOST = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid="


def linked(fileid: str, message: str = "5", **fields: Any) -> ImageReference:
    url = f"{HOST}{fileid}&rkey=k"
    return ImageReference(self_id="1", message_id=message, url=url, chat="group:1", **fields)


async def test_an_unreadable_id_names_what_its_own_link_brought(
    store: ImageStore, picture: Picture
) -> None:
    fileid = unreadable_fileid()
    named = linked(fileid, file=picture.reference.file)
    await store.put(named, picture.info, picture.data, "url of the segment", None, True)
    assert await store.find(linked(fileid, message="6")) == picture.info


async def test_an_unreadable_id_does_not_name_what_something_else_brought(
    store: ImageStore, picture: Picture
) -> None:
    fileid = unreadable_fileid()
    await store.put(linked(fileid), picture.info, picture.data, "base64 in the answer")
    assert await store.find(linked(fileid, message="6")) is None


async def test_what_was_known_is_asked_again_once_links_have_proven(
    store: ImageStore, picture: Picture
) -> None:
    other = Picture(2)
    reference = linked(new_fileid(other.data), file="image.png")
    await store.put(reference, picture.info, picture.data, "base64 in the answer")
    assert await store.find(reference) == picture.info
    proof = linked(new_fileid(other.data), message="7")
    agreement = Agreement("1407:x", "NapCat", True)
    await store.put(proof, other.info, other.data, "url of the segment", agreement, True)
    await store.find(linked(new_fileid(b"never seen"), message="8"))
    assert await store.find(reference) == other.info


async def test_an_image_of_an_earlier_version_gets_its_sha1_when_it_comes_again(
    store: ImageStore, picture: Picture
) -> None:
    earlier = replace(picture.info, sha1="")
    await store.put(ImageReference(sha256=earlier.sha256), earlier, picture.data, "test")
    await store.put(linked(new_fileid(picture.data)), picture.info, picture.data, "test")
    assert await store.find(linked(new_fileid(picture.data), message="6")) == picture.info


class Plans:
    """How SQLite would carry out each statement."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[str, str] = {}
        for name in ("rows", "run"):
            self._watch(monkeypatch, name)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        carried_out = getattr(Connection, name)

        def watched(db: Connection, statement: str, *values: object) -> Any:
            if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
                plan = carried_out_rows(db, f"EXPLAIN QUERY PLAN {statement}", *values)
                self.of[statement] = "; ".join(row[3] for row in plan)
            return carried_out(db, statement, *values)

        carried_out_rows = Connection.rows
        monkeypatch.setattr(Connection, name, watched)


def test_nothing_reads_the_whole_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    database = Database(folder / "index.sqlite3")
    seen = [
        Sighting(linked(new_fileid(b"x%d" % number), str(number)), "group:1", "5", time.time())
        for number in range(3)
    ]
    plans = Plans(monkeypatch)
    with database.transaction() as db:
        sightings.add(db, seen)
        sightings.identify(db, [sightings.IsImage("0" * 64, ("a", "b"), seen[0].reference)])
        sightings.identify(db, [sightings.IsImage("0" * 64, (), seen[0].reference)])
        notes.leave(db, "forgotten", "now")
        assert forgetting.mark(db) == "now"
    sightings.at_places(database.reader, [each.reference for each in seen])
    sightings.find(database.reader, sightings.Query(chat="group:1", message_id="1", limit=5))
    sightings.find(database.reader, sightings.Query(chat="group:1", sha256="0" * 64, limit=5))
    database.close()
    for statement, plan in plans.of.items():
        if "ORDER BY id DESC LIMIT 1" in statement or "FROM forgotten LIMIT 1" in statement:
            continue  # which read one row
        assert "SCAN sightings" not in plan, (statement, plan)
        assert "SCAN notes" not in plan, (statement, plan)
        whole = ("sightings_by_image (sha256=?)", "sightings_by_arrival")
        if "message" in statement or "key = ?" in statement:
            assert not any(each in plan for each in whole), (statement, plan)
    assert len(plans.of) > 6


def _rows(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "index.sqlite3")) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_one_picture_under_a_wrong_name_leaves_no_rows_behind(
    store: ImageStore, folder: Path, picture: Picture
) -> None:
    for number in range(50):
        reference = linked(new_fileid(picture.data), str(number), file=f"{number:032x}.png")
        store.saw(Sighting(reference, "group:1", "5", time.time()))
        agreement = Agreement(f"1407:{number}", "NapCat", True)
        await store.put(reference, picture.info, picture.data, "link", agreement, True)
    assert _rows(folder, "names") == 50
    await store.pins.add(picture.info.sha256, "me")
    await store.forgetting.forget(chat="group:1")
    assert _rows(folder, "names") == 0
