"""The index: facts, names and totals."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.local import images, notes
from nonebot_plugin_qqimage.store.local.facts import Selection, Stored, Totals
from nonebot_plugin_qqimage.store.local.meaning import meant_by
from nonebot_plugin_qqimage.store.local.sightings import sightings
from nonebot_plugin_qqimage.store.local.sqlite import database as module
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection, Database
from nonebot_plugin_qqimage.store.local.sqlite.schema import MIGRATIONS, VERSION

from ..pictures import Clock, Picture

PICTURES = [Picture(number) for number in range(5)]


@pytest.fixture
def database(tmp_path: Path) -> Generator[Database, None, None]:
    database = Database(tmp_path / "index.sqlite3")
    yield database
    database.close()


@pytest.fixture
def db(database: Database) -> Connection:
    """A connection that writes, each statement by itself."""
    return database._writer  # pyright: ignore[reportPrivateUsage]


def named(db: Connection, name: str) -> ImageInfo | None:
    return meant(db, ImageReference(face_id=name))


def meant(db: Connection, reference: ImageReference) -> ImageInfo | None:
    return meant_by(db, [reference], binding=False, complete=lambda info: info)[0]


def test_facts_come_back_as_they_were(db: Connection, picture: Picture) -> None:
    info = picture.info
    images.add(db, info, "face:a", "test")
    assert named(db, "a") == info
    assert images.by_digest(db, info.sha256) == info
    assert images.by_digest(db, info.md5, "md5") == info
    of_size = [ImageReference(file=f"{info.md5}.png", size=info.size + more) for more in (0, 1)]
    assert [meant(db, each) for each in of_size] == [info, None]


def test_what_was_never_added(db: Connection, picture: Picture) -> None:
    assert named(db, "a") is None
    assert images.by_digest(db, picture.info.sha256) is None
    assert images.by_digest(db, picture.info.md5, "md5") is None
    assert images.totals(db) == Totals(0, 0)
    assert images.unused(db, 10) == []


def test_removing_takes_the_names_along(db: Connection, picture: Picture) -> None:
    other = Picture(2)
    for name in ("a", "b"):
        images.add(db, picture.info, f"face:{name}", "test")
    images.add(db, other.info, "face:c", "test")
    images.remove(db, [picture.info])
    images.remove(db, [picture.info])
    assert named(db, "a") is None
    assert named(db, "b") is None
    assert named(db, "c") == other.info
    assert images.totals(db) == Totals(1, other.info.size)


def test_the_one_used_last_is_the_last_to_go(db: Connection, clock: Clock) -> None:
    for picture in PICTURES:
        clock.now += 1000
        images.add(db, picture.info, "", "test")
    clock.now += 1000
    # the second one by a clock that goes wrong
    images.note_uses(db, {PICTURES[0].info.sha256: clock.now, PICTURES[1].info.sha256: 5.0})
    expected = [picture.info for picture in (*PICTURES[1:], PICTURES[0])]
    assert images.unused(db, 10) == expected
    assert images.unused(db, 2) == expected[:2]
    assert images.unused(db, 10, before=clock.now) == expected[:-1]


def test_adding_again_counts_as_a_use(db: Connection, clock: Clock) -> None:
    for picture in (*PICTURES, PICTURES[0]):
        clock.now += 1000
        images.add(db, picture.info, "", "test")
    assert images.unused(db, 10)[-1] == PICTURES[0].info


@settings(deadline=None)  # a file is opened each time
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30))
def test_the_totals_are_always_right(steps: list[tuple[bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "index.sqlite3")
        held: set[int] = set()
        try:
            for add, number in steps:
                info = PICTURES[number].info
                with database.transaction() as db:
                    if add:
                        images.add(db, info, f"name {number}", "test")
                        held.add(number)
                    else:
                        images.remove(db, [info])
                        held.discard(number)
                size = sum(PICTURES[number].info.size for number in held)
                assert images.totals(database.reader) == Totals(len(held), size)
        finally:
            database.close()


def test_opening_again_keeps_everything(tmp_path: Path, picture: Picture) -> None:
    for _ in range(3):
        database = Database(tmp_path / "index.sqlite3")
        with database.transaction() as db:
            images.add(db, picture.info, "face:a", "test")
        database.close()
    database = Database(tmp_path / "index.sqlite3")
    assert named(database.reader, "a") == picture.info
    database.close()


def test_who_reads_does_not_wait_for_who_writes(database: Database, picture: Picture) -> None:
    with database.transaction() as db:
        images.add(db, picture.info, "", "test")
        with ThreadPoolExecutor(1) as thread:  # or the same thread could have both
            seen = thread.submit(images.totals, database.reader).result(timeout=30)
    assert seen == Totals(0, 0)
    assert images.totals(database.reader) == Totals(1, picture.info.size)


def test_who_reads_cannot_write(database: Database, picture: Picture) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        images.add(database.reader, picture.info, "", "test")


def test_what_is_pinned_is_never_unused(db: Connection) -> None:
    for picture in PICTURES[:3]:
        images.add(db, picture.info, "", "test")
    pinned = PICTURES[0].info.sha256
    for owner in ("a", "a", "b"):
        assert images.pin(db, pinned, owner)
    assert not images.pin(db, "0" * 64, "a")
    assert images.pins(db, pinned) == {"a": 2, "b": 1}
    for owner, was_one in [("a", True), ("b", True), ("b", False), ("c", False)]:
        assert pinned not in [info.sha256 for info in images.unused(db, 10)]
        assert images.unpin(db, pinned, owner) == was_one
    assert images.pins(db, pinned) == {"a": 1}
    images.unpin(db, pinned, "a")
    assert pinned in [info.sha256 for info in images.unused(db, 10)]


def test_counters_add_up(db: Connection) -> None:
    for _ in range(2):
        notes.add_counts(
            db, {("failed", "expired"): 2, ("failed", "timeout"): 1, ("resolved", "store"): 1}
        )
    assert notes.counters(db, "failed") == {"expired": 4, "timeout": 2}
    assert notes.counters(db, "resolved") == {"store": 2}
    assert notes.counters(db, "never") == {}


def test_notes_are_replaced(db: Connection, clock: Clock) -> None:
    for text in ("old", "new"):
        clock.now += 1
        notes.leave(db, "bot:1", text)
    notes.leave(db, "bots", "other")
    assert notes.find(db, "bot:") == {"bot:1": ("new", clock.now)}
    assert set(notes.find(db, "")) == {"bot:1", "bots"}


def test_a_transaction_is_all_or_nothing(database: Database, picture: Picture) -> None:

    def fail() -> None:
        with database.transaction() as db:
            images.add(db, picture.info, "face:a", "test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert images.totals(database.reader) == Totals(0, 0)
    assert named(database.reader, "a") is None


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
        db = database.reader
        assert db.rows("PRAGMA user_version") == [(VERSION,)]
        assert named(db, "a") == info
        assert images.select(db, Selection(), limit=1) == [Stored(info, "download", 1.0, 2.0)]
        assert images.totals(db) == Totals(1, info.size)
        assert sightings.find(db, sightings.Query(limit=1)) == []
        with database.transaction() as writing:
            images.pin(writing, info.sha256, "a plugin")
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
    assert database.reader.rows("SELECT name FROM sqlite_master WHERE name = 'novelty'") == []
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
