"""The index: facts, names and totals."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot_plugin_qqimage.store.local.index import Index, Stored, Totals
from nonebot_plugin_qqimage.store.local.journal import Journal
from nonebot_plugin_qqimage.store.local.selection import Selection

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.local import database as module
from nonebot_plugin_qqimage.store.local.database import Database
from nonebot_plugin_qqimage.store.local.schema import MIGRATIONS, VERSION

from .pictures import Clock, Picture

PICTURES = [Picture(number) for number in range(5)]


@pytest.fixture
def index(tmp_path: Path) -> Generator[Index, None, None]:
    database = Database(tmp_path / "index.sqlite3")
    yield Index(database)
    database.close()


def named(index: Index, name: str) -> ImageInfo | None:
    return index.meant_by([ImageReference(face_id=name)])[0]


def test_facts_come_back_as_they_were(index: Index, picture: Picture) -> None:
    info = picture.info
    index.add(info, "face:a", "test")
    assert named(index, "a") == info
    assert index.by_sha256(info.sha256) == info
    assert index.by_md5(info.md5, None) == info
    assert index.by_md5(info.md5, info.size) == info
    assert index.by_md5(info.md5, info.size + 1) is None


def test_what_was_never_added(index: Index, picture: Picture) -> None:
    assert named(index, "a") is None
    assert index.by_sha256(picture.info.sha256) is None
    assert index.by_md5(picture.info.md5, None) is None
    assert index.totals() == Totals(0, 0)
    assert index.unused(10) == []


def test_removing_takes_the_names_along(index: Index, picture: Picture) -> None:
    other = Picture(2)
    for name in ("a", "b"):
        index.add(picture.info, f"face:{name}", "test")
    index.add(other.info, "face:c", "test")
    index.remove([picture.info])
    index.remove([picture.info])
    assert named(index, "a") is None
    assert named(index, "b") is None
    assert named(index, "c") == other.info
    assert index.totals() == Totals(1, other.info.size)


def test_the_one_used_last_is_the_last_to_go(index: Index, clock: Clock) -> None:
    for picture in PICTURES:
        clock.now += 1000
        index.add(picture.info, "", "test")
    clock.now += 1000
    journal = Journal()
    journal.use(PICTURES[0].info.sha256, clock.now)
    journal.use(PICTURES[1].info.sha256, 5.0)  # by a clock that goes wrong
    index.write(journal.take())
    expected = [picture.info for picture in (*PICTURES[1:], PICTURES[0])]
    assert index.unused(10) == expected
    assert index.unused(2) == expected[:2]
    assert index.unused(10, before=clock.now) == expected[:-1]


def test_adding_again_counts_as_a_use(index: Index, clock: Clock) -> None:
    for picture in (*PICTURES, PICTURES[0]):
        clock.now += 1000
        index.add(picture.info, "", "test")
    assert index.unused(10)[-1] == PICTURES[0].info


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30))
def test_the_totals_are_always_right(steps: list[tuple[bool, int]]) -> None:
    database = Database(Path(":memory:"))
    index = Index(database)
    held: set[int] = set()
    try:
        for add, number in steps:
            info = PICTURES[number].info
            if add:
                index.add(info, f"name {number}", "test")
                held.add(number)
            else:
                index.remove([info])
                held.discard(number)
            size = sum(PICTURES[number].info.size for number in held)
            assert index.totals() == Totals(len(held), size)
    finally:
        database.close()


def test_opening_again_keeps_everything(tmp_path: Path, picture: Picture) -> None:
    for _ in range(3):
        database = Database(tmp_path / "index.sqlite3")
        Index(database).add(picture.info, "face:a", "test")
        database.close()
    database = Database(tmp_path / "index.sqlite3")
    assert named(Index(database), "a") == picture.info
    database.close()


def test_what_is_pinned_is_never_unused(index: Index) -> None:
    for picture in PICTURES[:3]:
        index.add(picture.info, "", "test")
    pinned = PICTURES[0].info.sha256
    for owner in ("a", "a", "b"):
        index.pin(pinned, owner)
    assert index.pins(pinned) == {"a": 2, "b": 1}
    for owner, was_one in [("a", True), ("b", True), ("b", False), ("c", False)]:
        assert pinned not in [info.sha256 for info in index.unused(10)]
        assert index.unpin(pinned, owner) == was_one
    assert index.pins(pinned) == {"a": 1}
    index.unpin(pinned, "a")
    assert pinned in [info.sha256 for info in index.unused(10)]


def test_counters_add_up(index: Index) -> None:
    for _ in range(2):
        journal = Journal()
        for what in ("expired", "expired", "timeout"):
            journal.count("failed", what)
        journal.count("resolved", "store")
        index.write(journal.take())
    assert index.counters("failed") == {"expired": 4, "timeout": 2}
    assert index.counters("resolved") == {"store": 2}
    assert index.counters("never") == {}


def test_notes_are_replaced(index: Index, clock: Clock) -> None:
    for text in ("old", "new"):
        clock.now += 1
        index.note("implementation:1", text)
    index.note("implementations", "other")
    assert index.notes("implementation:") == {"implementation:1": ("new", clock.now)}
    assert set(index.notes("")) == {"implementation:1", "implementations"}


def test_a_transaction_is_all_or_nothing(index: Index, picture: Picture) -> None:

    def fail() -> None:
        with index.transaction():
            index.add(picture.info, "face:a", "test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert index.totals() == Totals(0, 0)
    assert named(index, "a") is None


def test_a_file_of_the_first_version_is_brought_forward(tmp_path: Path, picture: Picture) -> None:
    path, info = tmp_path / "index.sqlite3", picture.info
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(MIGRATIONS[0])
        facts = info.sha256, info.md5, info.mime, info.size, info.width, info.height, info.frames
        old.execute(f"INSERT INTO images VALUES ({'?, ' * 7}'download', 1.0, 2.0)", facts)
        old.execute("INSERT INTO names VALUES ('face:a', ?)", (info.sha256,))
        old.execute("PRAGMA user_version = 1")
        old.commit()
    for _ in range(2):
        database = Database(path)
        index = Index(database)
        assert database.rows("PRAGMA user_version") == [(VERSION,)]
        assert named(index, "a") == info
        assert index.select(Selection(), limit=1) == [Stored(info, "download", 1.0, 2.0)]
        assert index.totals() == Totals(1, info.size)
        assert index.sightings.find(limit=1) == []
        index.pin(info.sha256, "a plugin")
        database.close()


def test_half_a_migration_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.sqlite3"
    scripts = (*MIGRATIONS, "CREATE TABLE novelty (a);\nCREATE TABLE images (a);\n")
    Database(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", scripts)
        patch.setattr(module, "VERSION", len(scripts))
        with pytest.raises(sqlite3.OperationalError, match="images already exists"):
            Database(path)
    database = Database(path)
    assert database.rows("SELECT name FROM sqlite_master WHERE name = 'novelty'") == []
    database.close()


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_newer_file_is_refused_in_words(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "index.sqlite3"
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {journal}")
    database.execute("PRAGMA user_version = 2147483647")
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of nonebot-plugin-qqimage"):
        Database(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_an_error_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    path.write_bytes(b"not a database, but long enough to be looked at " * 20)
    with pytest.raises(sqlite3.Error):
        Database(path)
