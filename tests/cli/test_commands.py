"""Each command, as an operator sees it."""

# ruff: noqa: ASYNC240  short looks at small local files

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage import script
from nonebot_plugin_qqimage.doctor.machine import network
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.inside import change
from ..store.pictures import Picture, sha256
from .conftest import Run


def blob(folder: Path, picture: Picture) -> Path:
    return ImageStore(folder, max_size=1, max_age=1).path(picture.info)


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


async def test_stats(qq: Run, pictures: list[Picture]) -> None:
    done = await qq("stats", "--json")
    size = sum(len(picture.data) for picture in pictures)
    told = done.json
    assert (done.status, done.err) == (0, "")
    assert (told["images"], told["bytes"]) == (6, size)
    assert told["by_type"] == {"image/png": {"images": 6, "bytes": size}}
    assert told["by_source"] == {"url of the segment": {"images": 6, "bytes": size}}
    assert told["hit_rate"] == 0.75
    assert told["failed"] == {"expired": 1}
    assert (told["sightings"], told["pinned"]) == (6, 1)
    assert told["quarantine"] == {"files": 0, "bytes": 0}
    text = (await qq("stats")).out
    assert "75.0% of 4 from the store" in text
    assert "expired" in text


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], {0, 1, 2, 3, 4, 5}),
        (["--chat", "group:1"], {0, 1, 2}),
        (["--user", "30002"], {2, 3, 4}),
        (["--chat", "group:1", "--user", "30002"], set()),
        (["--chat", "group:2", "--since", "2024-01-01"], set()),
        (["--chat", "group:2", "--since", "2023-01-01"], {2, 3, 4}),
        (["--since", "1h"], {0, 1, 2, 3, 4, 5}),
        (["--type", "gif"], set()),
        (["--type", "png"], {0, 1, 2, 3, 4, 5}),
    ],
)
async def test_list_filters(
    qq: Run, pictures: list[Picture], filters: list[str], expected: set[int]
) -> None:
    told = (await qq("list", "--json", *filters)).json
    numbers = {picture.info.sha256: number for number, picture in enumerate(pictures)}
    assert {numbers[image["sha256"]] for image in told["images"]} == expected
    assert told["count"] == len(expected)


async def test_list_shows_those_used_last_first(qq: Run, pictures: list[Picture]) -> None:
    told = (await qq("list", "--json", "--limit", "2")).json
    assert [i["sha256"] for i in told["images"]] == [p.info.sha256 for p in pictures[:-3:-1]]
    assert told["count"] == 6
    text = (await qq("list", "--limit", "2")).out
    assert pictures[5].info.sha256[:12] in text
    assert text.splitlines()[-1] == "2 of 6 images"


async def test_show_by_any_name(qq: Run, pictures: list[Picture]) -> None:
    info = pictures[2].info
    for name in (info.sha256, info.sha256[:20], info.md5.upper(), info.uri):
        told = (await qq("show", name, "--json")).json
        assert (told["sha256"], told["intact"]) == (info.sha256, True)
        assert [seen["chat"] for seen in told["sightings"]] == ["group:2", "group:1"]
        assert Path(told["path"]).read_bytes() == pictures[2].data
    assert (await qq("show", pictures[5].info.uri, "--json")).json["pins"] == {"tests": 1}
    text = (await qq("show", info.uri)).out
    assert "13 × 1 pixels" in text
    assert "group:1" in text
    assert "\x1b" not in text


async def test_show_says_what_it_cannot_find(qq: Run, pictures: list[Picture]) -> None:
    known = {picture.info.sha256[:4] for picture in pictures}
    unknown = next(digits for digits in ("0000", "ffff", "1234") if digits not in known)
    done = await qq("show", unknown, "--json")
    assert (done.status, done.json) == (1, {"error": f"no image {unknown} in the store"})
    assert (await qq("show", "nonsense")).status == 2


async def test_show_of_a_damaged_image(qq: Run, folder: Path, pictures: list[Picture]) -> None:
    damage(blob(folder, pictures[0]))
    done = await qq("show", pictures[0].info.uri)
    assert done.status == 1
    assert "damaged" in done.out


async def test_names_of_strangers_do_not_command_the_terminal(
    qq: Run, folder: Path, pictures: list[Picture]
) -> None:
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    evil = Picture(7)
    reference = type(evil.reference)(self_id="1", file_id="\x1b]0;gotcha\x07[red]")
    await store.put(reference, evil.info, evil.data, "test")
    await store.close()
    text = (await qq("show", evil.info.uri)).out
    assert "gotcha" in text
    assert "[red]" in text
    assert "\x1b" not in text


async def test_export_and_import(
    qq: Run, folder: Path, tmp_path: Path, pictures: list[Picture]
) -> None:
    target = tmp_path / "out"
    done = await qq("export", "all", str(target), "--json")
    assert (done.status, done.json["written"], done.json["trouble"]) == (0, 6, [])
    for picture in pictures:
        assert (target / f"{picture.info.sha256}.png").read_bytes() == picture.data
    lines = (target / "manifest.jsonl").read_text("utf-8").splitlines()
    entries = {entry["sha256"]: entry for entry in map(json.loads, lines)}
    assert len(entries) == len(lines) == 6
    seen = entries[pictures[2].info.sha256]["sightings"]
    assert [each["chat"] for each in seen] == ["group:2", "group:1"]

    folder.rename(tmp_path / "old")
    done = await qq("import", str(target), "--json")
    assert (done.status, done.json) == (0, {"images": 6, "files": 6, "skipped": []})
    assert (await qq("verify")).status == 0
    assert (await qq("stats", "--json")).json["by_source"]["import"]["images"] == 6
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    for picture in pictures:  # known again by the name that QQ gives it
        assert await store.find(picture.reference) == picture.info
    await store.close()


async def test_export_goes_on_where_it_was_interrupted(
    qq: Run, tmp_path: Path, pictures: list[Picture]
) -> None:
    target = tmp_path / "out"
    await qq("export", "chat:group:1", "user:30001", str(target))
    assert len(list(target.glob("*.png"))) == 3
    done = await qq("export", "all", str(target), "--json")
    assert (done.json["written"], done.json["there_already"]) == (3, 3)
    await qq("export", pictures[0].info.sha256[:10], str(target))  # the list keeps the others
    assert len((target / "manifest.jsonl").read_text("utf-8").splitlines()) == 6
    assert not list(target.glob(".*"))


async def test_export_replaces_nothing_and_writes_no_wrong_byte(
    qq: Run, folder: Path, tmp_path: Path, pictures: list[Picture]
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    mine = target / f"{pictures[0].info.sha256}.png"
    mine.write_text("mine")
    damage(blob(folder, pictures[1]))
    done = await qq("export", "all", str(target), "--json")
    assert (done.status, done.json["written"]) == (1, 4)
    assert mine.read_text() == "mine"
    problems = {each["sha256"]: each["problem"] for each in done.json["trouble"]}
    assert "another file" in problems[pictures[0].info.sha256]
    assert "damaged" in problems[pictures[1].info.sha256]
    assert not (target / f"{pictures[1].info.sha256}.png").exists()


async def test_import_says_what_it_leaves_out(qq: Run, folder: Path, tmp_path: Path) -> None:
    origin = tmp_path / "in"
    (origin / "deep").mkdir(parents=True)
    picture = Picture(1)
    (origin / "deep" / "a name without extension").write_bytes(picture.data)
    (origin / "same.jpg").write_bytes(picture.data)
    (origin / "page.png").write_text("<html>")
    (origin / "half.png").write_bytes(picture.data[:-20])
    done = await qq("import", str(origin), "--json")
    assert (done.status, done.json["images"], done.json["files"]) == (1, 1, 4)
    reasons = {Path(each["file"]).name: each["reason"] for each in done.json["skipped"]}
    assert "HTML" in reasons["page.png"]
    assert "ends early" in reasons["half.png"]
    assert (await qq("import", str(tmp_path / "nowhere"))).status == 2


async def test_verify_says_what_it_could_not_read(
    qq: Run, folder: Path, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = blob(folder, pictures[0]), os.open

    def refuse(name: Any, *arguments: Any, **options: Any) -> int:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    done = await qq("verify")
    assert done.status == 1
    assert "unreadable" in done.out
    assert "does not let it be read" in done.out


async def test_verify_finds_every_damage_and_repairs_it(
    qq: Run, folder: Path, pictures: list[Picture]
) -> None:
    paths = [blob(folder, picture) for picture in pictures]
    damage(paths[0])
    paths[1].unlink()
    leftover = paths[2].with_name(".new-x")
    leftover.write_text("half")
    stray = Picture(99)
    unindexed = blob(folder, stray)
    unindexed.parent.mkdir(exist_ok=True)
    unindexed.write_bytes(stray.data)
    notes = paths[2].with_name("notes.txt")
    notes.write_text("mine")
    hours_ago = time.time() - 7200
    for path in (leftover, unindexed, notes):
        os.utime(path, (hours_ago, hours_ago))
    expected = {"damaged": 1, "missing": 1, "leftover": 1, "unindexed": 1, "foreign": 1}

    done = await qq("verify", "--json")
    assert (done.status, done.json["found"]) == (1, expected)
    assert paths[0].exists()
    done = await qq("verify", "--repair", "--json")
    assert (done.status, done.json["found"]) == (1, expected)
    done = await qq("verify", "--json")
    assert (done.status, done.json["found"]) == (0, {"foreign": 1})
    assert notes.read_text() == "mine"
    assert (await qq("stats", "--json")).json["quarantine"]["files"] == 1
    assert (await qq("show", stray.info.uri)).status == 0


async def test_gc_of_a_named_store_removes_no_image(
    qq: Run, folder: Path, pictures: list[Picture]
) -> None:
    """Whose settings are here need not be whose store it is."""
    store = ImageStore(folder, max_size=1 << 40, max_age=1e12)
    await change(store, lambda db: db.run("UPDATE images SET used = 0"))
    await store.close()
    done = await qq("gc", "--json")
    assert (done.status, done.json["evicted"], done.json["images"]) == (0, 0, 6)


async def test_forget(qq: Run, pictures: list[Picture]) -> None:
    done = await qq("forget", "--chat", "group:1", "--yes", "--json")
    assert (done.status, done.json["sightings"]) == (0, 3)
    assert (await qq("list", "--json", "--chat", "group:1")).json["count"] == 0
    assert (await qq("list", "--json", "--chat", "group:2")).json["count"] == 3


@pytest.mark.parametrize(("answer", "left"), [("y\n", 3), ("n\n", 6), ("", 6)])
async def test_forget_asks(
    qq: Run,
    pictures: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    left: int,
) -> None:
    class Keyboard:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Keyboard())
    done = await qq("forget", "--user", "30001")
    assert "Forget 3 sightings of user 30001" in done.err
    assert done.status == (0 if left == 3 else 1)
    assert (await qq("stats", "--json")).json["sightings"] == left


async def test_forget_asks_nobody_where_nobody_is(qq: Run, pictures: list[Picture]) -> None:
    done = await qq("forget", "--chat", "group:1")
    assert done.status == 2
    assert "--yes" in done.err
    assert (await qq("forget", "--yes")).status == 2
    assert (await qq("forget", "--chat", "1", "--yes")).status == 2
    assert (await qq("stats", "--json")).json["sightings"] == 6


async def test_without_a_store_none_is_made(qq: Run, folder: Path) -> None:
    done = await qq("stats", "--json")
    assert done.status == 3
    assert str(folder) in done.json["error"]
    assert not folder.exists()


async def test_a_store_of_a_newer_version(qq: Run, folder: Path, pictures: list[Picture]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        database.execute("PRAGMA user_version = 99")
    done = await qq("list")
    assert done.status == 3
    assert "newer version" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "query", ["nonsense", "chat:1", "since:soon", "user:", "", "type:png nonsense", "type:xyz"]
)
async def test_a_query_that_says_nothing(
    qq: Run, tmp_path: Path, pictures: list[Picture], query: str
) -> None:
    done = await qq("export", query, str(tmp_path / "out"))
    assert done.status == 2
    assert not (tmp_path / "out").exists()


async def test_a_wrong_command_line(qq: Run) -> None:
    with pytest.raises(SystemExit) as end:
        await qq("dance")
    assert end.value.code == 2


def test_as_a_script_of_nb_cli(
    folder: Path,
    pictures: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["nb", "stats", "--json", "--folder", str(folder)])
    with pytest.raises(SystemExit) as end:
        script.main()
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out)["images"] == 6
    monkeypatch.setattr(sys, "argv", ["nb", "list", "--help"])
    with pytest.raises(SystemExit):
        script.main()
    assert "nb qqimage list" in capsys.readouterr().out


async def test_the_exported_file_is_what_its_name_says(
    qq: Run, tmp_path: Path, pictures: list[Picture]
) -> None:
    await qq("export", "type:png", "since:1h", str(tmp_path / "out"))
    quoted = await qq("export", "type:png since:1h", str(tmp_path / "quoted"), "--json")
    assert quoted.json["written"] == len([*(tmp_path / "out").glob("*.png")]) > 0
    for path in (tmp_path / "out").glob("*.png"):
        assert sha256(path.read_bytes()) == path.stem


async def test_an_index_that_was_lost_is_made_anew(
    qq: Run, folder: Path, pictures: list[Picture]
) -> None:
    for file in folder.glob("index.sqlite3*"):
        file.unlink()
    hours_ago = time.time() - 7200
    for picture in pictures:
        os.utime(blob(folder, picture), (hours_ago, hours_ago))
    done = await qq("verify", "--repair", "--json")
    assert (done.status, done.json["found"]) == (1, {"unindexed": 6})
    assert (await qq("stats", "--json")).json["images"] == 6


async def test_the_doctor_makes_no_store(
    qq: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "HOST", "127.0.0.1")
    folder.mkdir()
    done = await qq("doctor", "--json")
    stores = [line["state"] for line in done.json["lines"] if line["about"] == "store"]
    assert (done.status, stores) == (1, ["warning"])
    assert not list(folder.iterdir())


async def test_a_link_to_the_page_needs_a_bot(qq: Run, pictures: list[Picture]) -> None:
    done = await qq("page")
    assert done.status == 1
    assert "no bot" in done.out
    assert "http" not in done.out
    assert (await qq("page", "--json")).json["url"] is None
    closed = await qq("page", "--close")
    assert (closed.status, closed.out) == (0, "links and sessions of the page that were ended: 2\n")
