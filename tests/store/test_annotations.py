"""What plugins found out about pictures: kept by content, searched in every language."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nonebot_plugin_qqimage.store.image_store import ImageStore

    from .conftest import OpenStore
    from .pictures import Clock, Picture

TEXTS = {
    0: "一只橘猫坐在椅子上",
    1: "A Cat, 100% asleep_on a mat",
    2: 'say "NEAR(cat dog)" AND *',
}


async def _found(store: "ImageStore", text: str, **more: object) -> set[int]:
    given = {"owner": None, "chat": None, "limit": 100, **more}
    found = await store.annotations.search(text, **given)  # type: ignore[arg-type]
    return {number for each in found for number, said in TEXTS.items() if said == each.text}


@pytest.fixture(params=[True, False], ids=["full text", "scan"])
async def filled(
    request: pytest.FixtureRequest, store: "ImageStore", monkeypatch: pytest.MonkeyPatch
) -> "ImageStore":
    """A store with some annotations, with and without SQLite's full-text search."""
    from nonebot_plugin_qqimage.store.local.sqlite import schema

    from .pictures import Picture

    if not request.param:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 33, 0))
        with closing(sqlite3.connect(":memory:")) as empty:
            assert not schema.has_full_text(empty)  # type: ignore[arg-type]
    for number, text in TEXTS.items():
        picture = Picture(number)
        await store.put(picture.reference, picture.info, picture.data, "test")
        assert await store.annotations.put(picture.info.sha256, "tests", text)
    return store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("猫", {0}),
        ("橘猫", {0}),
        ("坐在椅子", {0}),
        ("椅子 猫", {0}),
        ("狗", set()),
        ("cat", {1, 2}),
        ("CAT asleep", {1}),
        ("100%", {1}),
        ("%", {1}),
        ("p_o", {1}),
        ("___", set()),
        ("_", {1}),
        ('"', {2}),
        ('"NEAR', {2}),
        ("NEAR(cat", {2}),
        ("AND", {2}),
        ("*", {2}),
        ("cat*", set()),
        ("text:cat", set()),
        ("cat\x00dog", {2}),
        ("\\", set()),
        ("", {0, 1, 2}),
        ("\ud83d", set()),
    ],
)
async def test_search_finds_what_stands_there(
    filled: "ImageStore", text: str, found: set[int]
) -> None:
    assert await _found(filled, text) == found


async def test_an_owner_says_one_thing(store: "ImageStore", picture: "Picture") -> None:
    sha256 = picture.info.sha256
    assert not await store.annotations.put(sha256, "one", "no such picture")
    await store.put(picture.reference, picture.info, picture.data, "test")
    for text in ("first words", "a second text"):
        assert await store.annotations.put(sha256, "one", text)
    await store.annotations.put(sha256, "two", "others")
    said = {each.owner: each.text for each in await store.annotations.of(sha256)}
    assert said == {"one": "a second text", "two": "others"}
    for gone in ("first", "irst words"):
        assert not await store.annotations.search(gone, owner=None, chat=None, limit=9)
    await store.annotations.put(sha256, "one", "  ")
    assert [each.owner for each in await store.annotations.of(sha256)] == ["two"]


async def test_bounds_and_hostile_text(store: "ImageStore", picture: "Picture") -> None:
    from nonebot_plugin_qqimage.errors import StoreError

    sha256 = picture.info.sha256
    await store.put(picture.reference, picture.info, picture.data, "test")
    with pytest.raises(ValueError, match="16384"):
        await store.annotations.put(sha256, "one", "猫" * 6000)
    with pytest.raises(ValueError, match="100"):
        await store.annotations.put(sha256, "o" * 101, "text")
    with pytest.raises(ValueError, match="200"):
        await store.annotations.search("x" * 201, owner=None, chat=None, limit=9)
    await store.annotations.put(sha256, "own\x1b[31mer", "a\x00b\x1b[2Jc\u202ed\ud83d\n喵")
    (kept,) = await store.annotations.of(sha256)
    assert kept.owner == "own [31mer"
    assert kept.text == "a b [2Jc d?\n喵"
    for number in range(15):
        await store.annotations.put(sha256, f"owner {number}", "text")
    with pytest.raises(StoreError):
        await store.annotations.put(sha256, "one too many", "text")
    assert await store.annotations.put(sha256, "owner 3", "another")


async def test_annotations_go_with_their_picture_and_stay_with_a_pin(
    open_store: "OpenStore",
) -> None:
    from .pictures import Picture

    pictures = [Picture(number, filler=1000) for number in range(3)]
    store = open_store(max_size=1 << 30)
    for picture in pictures:
        await store.put(picture.reference, picture.info, picture.data, "test")
        await store.annotations.put(picture.info.sha256, "tests", f"the text of {picture.info.md5}")
    await store.pins.add(pictures[0].info.sha256, "tests")
    await store.close()
    small = open_store(max_size=1)
    await small.upkeep.evict()
    found = await small.annotations.search("the text", owner=None, chat=None, limit=9)
    assert [each.sha256 for each in found] == [pictures[0].info.sha256]


async def test_what_an_earlier_release_removes_leaves_nothing_for_ever(
    store: "ImageStore", folder: Path, picture: "Picture"
) -> None:
    sha256 = picture.info.sha256
    await store.put(picture.reference, picture.info, picture.data, "test")
    await store.annotations.put(sha256, "tests", "words to forget")
    with closing(sqlite3.connect(folder / "index.sqlite3")) as earlier, earlier:
        earlier.execute("PRAGMA foreign_keys = ON")
        earlier.execute("DELETE FROM images")
    earlier.close()
    assert not await store.annotations.of(sha256)
    assert not await store.annotations.search("words", owner=None, chat=None, limit=9)
    await store.annotations.tidy()
    with closing(sqlite3.connect(folder / "index.sqlite3")) as index, index:
        assert not index.execute("SELECT * FROM annotation_text").fetchall()
    index.close()


async def test_what_was_written_without_full_text_search_is_found_with_it(
    store: "ImageStore", folder: Path, picture: "Picture"
) -> None:
    sha256 = picture.info.sha256
    await store.put(picture.reference, picture.info, picture.data, "test")
    with closing(sqlite3.connect(folder / "index.sqlite3")) as other, other:
        other.execute(
            "INSERT INTO annotations (sha256, owner, text, time, indexed) VALUES (?, 'o', ?, 1, 0)",
            (sha256, "by another process"),
        )
    other.close()
    for _ in range(2):
        found = await store.annotations.search("another", owner=None, chat=None, limit=9)
        assert [each.text for each in found] == ["by another process"]
        await store.annotations.tidy()


async def test_what_is_said_now_is_the_last_word_also_where_the_clock_was_ahead(
    store: "ImageStore", picture: "Picture", clock: "Clock"
) -> None:
    sha256 = picture.info.sha256
    await store.put(picture.reference, picture.info, picture.data, "test")
    clock.now += 1e6
    assert await store.annotations.put(sha256, "tests", "by a clock that is wrong")
    clock.now -= 1e6
    assert await store.annotations.put(sha256, "tests", "by one that is right")
    assert [each.text for each in await store.annotations.of(sha256)] == ["by one that is right"]
    assert await store.annotations.put(sha256, "tests", "")
    assert await store.annotations.of(sha256) == []


async def test_an_owner_is_found_by_the_name_that_was_given(
    store: "ImageStore", picture: "Picture"
) -> None:
    owner = " my\x00plugin\u202e "
    await store.put(picture.reference, picture.info, picture.data, "test")
    await store.annotations.put(picture.info.sha256, owner, "a cat")
    found = await store.annotations.search("cat", owner=owner, chat=None, limit=9)
    assert [each.text for each in found] == ["a cat"]
