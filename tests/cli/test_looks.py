"""``looks`` and ``duplicates``; annotations in ``export`` and ``import``."""

import json
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..looks.changing import KEPT, encoded, worded
from ..looks.making import photo, sticker
from .conftest import Run


@pytest.fixture
async def origin(tmp_path: Path, qq: Run) -> Path:
    """A folder with two pictures in three forms each, and one with other words; imported."""
    origin = tmp_path / "in"
    origin.mkdir()
    for number, picture in enumerate((photo(1), sticker(1))):
        (origin / f"{number}.png").write_bytes(encoded(picture))
        for name in ("JPEG 85", "WebP 75"):
            (origin / f"{number} {name}").write_bytes(KEPT[name](picture))
    (origin / "words.png").write_bytes(encoded(worded(photo(1), 1)))
    assert (await qq("import", str(origin))).status == 0
    return origin


async def test_looks_are_shown_and_made(qq: Run, origin: Path) -> None:
    before = (await qq("looks", "--json")).json
    assert before == {"images": 7, "hashed": 0, "without": 0, "left": 7, "made": 0}
    assert "--make" in (await qq("looks")).out
    made = await qq("looks", "--make", "--json")
    assert (made.status, made.json) == (
        0,
        {"images": 7, "hashed": 7, "without": 0, "left": 0, "made": 7},
    )
    assert (await qq("looks", "--make", "--json")).json["made"] == 0


async def test_duplicates_come_in_groups_and_pages(qq: Run, origin: Path) -> None:
    assert (await qq("duplicates", "--json")).json == {"groups": [], "next": ""}
    await qq("looks", "--make")
    whole = (await qq("duplicates", "--json")).json
    assert [len(group) for group in whole["groups"]] == [3, 3]
    assert all(each["difference"] <= 1 for group in whole["groups"] for each in group)
    first = (await qq("duplicates", "--json", "--limit", "1")).json
    assert first["next"]
    second = (await qq("duplicates", "--json", "--after", first["next"])).json
    assert first["groups"] + second["groups"] == whole["groups"]
    assert "groups: 2, with 6 images" in (await qq("duplicates")).out
    assert (await qq("duplicates", "--limit", "0")).status == 2


async def test_annotations_are_exported_and_imported(
    qq: Run, folder: Path, origin: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    store = ImageStore(folder, max_size=1 << 30, max_age=1e9)
    (first, *_) = await store.catalog.select(_all(), limit=9)
    sha256 = first.info.sha256
    await store.annotations.put(sha256, "tests", "一只橘猫")
    await store.close()
    await qq("export", "all", str(out))
    manifest = out / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    assert [each["text"] for entry in entries for each in entry["annotations"]] == ["一只橘猫"]
    with manifest.open("a", encoding="utf-8") as file:
        hostile = {"sha256": sha256, "annotations": [{"owner": [], "text": 1, "time": "x"}]}
        file.write(f"{json.dumps(hostile)}\n[1]\n{'[' * 100_000}\n\x00\n")
    for there, after in (("", "一只橘猫"), ("newer", "newer")):
        store = ImageStore(folder, max_size=1 << 30, max_age=1e9)
        await store.annotations.put(sha256, "tests", there)
        await store.close()
        assert (await qq("import", str(out))).status == 0
        store = ImageStore(folder, max_size=1 << 30, max_age=1e9)
        (known,) = await store.annotations.of(sha256)
        await store.close()
        assert (known.owner, known.text) == ("tests", after)


def _all() -> object:
    from nonebot_plugin_qqimage.store.local.facts import Selection

    return Selection()
