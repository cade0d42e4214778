"""The index: facts, names and totals."""

import sqlite3
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.store.index import Index, Totals

from .pictures import Clock, Picture

PICTURES = [Picture(number) for number in range(5)]


@pytest.fixture
def index(tmp_path: Path) -> Generator[Index, None, None]:
    index = Index(tmp_path / "index.sqlite3")
    yield index
    index.close()


def test_facts_come_back_as_they_were(index: Index, picture: Picture) -> None:
    info = picture.info
    index.add(info, "a name", "test")
    assert index.by_name("a name") == info
    assert index.by_sha256(info.sha256) == info
    assert index.by_md5(info.md5, None) == info
    assert index.by_md5(info.md5, info.size) == info
    assert index.by_md5(info.md5, info.size + 1) is None


def test_what_was_never_added(index: Index, picture: Picture) -> None:
    assert index.by_name("") is None
    assert index.by_sha256(picture.info.sha256) is None
    assert index.by_md5(picture.info.md5, None) is None
    assert index.totals() == Totals(0, 0)
    assert index.least_recently_used(10) == []


def test_removing_takes_the_names_along(index: Index, picture: Picture) -> None:
    other = Picture(2)
    for name in ("a", "b"):
        index.add(picture.info, name, "test")
    index.add(other.info, "c", "test")
    index.remove([picture.info])
    index.remove([picture.info])
    assert index.by_name("a") is None
    assert index.by_name("b") is None
    assert index.by_name("c") == other.info
    assert index.totals() == Totals(1, other.info.size)


def test_the_one_used_last_is_the_last_to_go(index: Index, clock: Clock) -> None:
    for picture in PICTURES:
        clock.now += 1000
        index.add(picture.info, "", "test")
    clock.now += 1000
    index.by_sha256(PICTURES[0].info.sha256)
    expected = [picture.info for picture in (*PICTURES[1:], PICTURES[0])]
    assert index.least_recently_used(10) == expected
    assert index.least_recently_used(2) == expected[:2]
    assert index.least_recently_used(10, before=clock.now) == expected[:-1]


def test_adding_again_counts_as_a_use(index: Index, clock: Clock) -> None:
    for picture in (*PICTURES, PICTURES[0]):
        clock.now += 1000
        index.add(picture.info, "", "test")
    assert index.least_recently_used(10)[-1] == PICTURES[0].info


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30))
def test_the_totals_are_always_right(steps: list[tuple[bool, int]]) -> None:
    index = Index(":memory:")  # pyright: ignore[reportArgumentType]
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
        index.close()


def test_opening_again_keeps_everything(tmp_path: Path, picture: Picture) -> None:
    for _ in range(3):
        index = Index(tmp_path / "index.sqlite3")
        index.add(picture.info, "a", "test")
        index.close()
    index = Index(tmp_path / "index.sqlite3")
    assert index.by_name("a") == picture.info
    index.close()


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_newer_file_is_refused_in_words(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "index.sqlite3"
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {journal}")
    database.execute("PRAGMA user_version = 2147483647")
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of nonebot-plugin-qqimage"):
        Index(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_an_error_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    path.write_bytes(b"not a database, but long enough to be looked at " * 20)
    with pytest.raises(sqlite3.Error):
        Index(path)
