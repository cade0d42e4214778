"""``import`` of what people really have: one file, odd names, folders without anything."""

# ruff: noqa: ASYNC240  short looks at small local files

import os
import sys
from pathlib import Path

import pytest

from ..store.pictures import Picture
from .conftest import Run, module

NO_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on POSIX only")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    origin = tmp_path / "in"
    origin.mkdir()
    return origin


async def test_one_file(qq: Run, origin: Path) -> None:
    (origin / "one.png").write_bytes(Picture(1).data)
    done = await qq("import", str(origin / "one.png"))
    assert (done.status, done.out) == (0, "1 image kept, of 1 file\n")


async def test_what_is_not_there_and_what_holds_nothing(qq: Run, origin: Path) -> None:
    missing = await qq("import", str(origin / "missing"))
    empty = await qq("import", str(origin))
    assert (missing.status, empty.status) == (2, 1)
    assert f"there is no {origin / 'missing'}" in missing.err
    assert f"there are no files in {origin}" in empty.out
    told = (await qq("import", str(origin), "--json")).json
    assert told == {"images": 0, "files": 0, "skipped": []}


async def test_no_reason_is_dropped(qq: Run, origin: Path) -> None:
    for number in range(80):
        (origin / f"{number:02}.png").write_bytes(b"<html>" if number % 4 else b"text %d" % number)
    done = await qq("import", str(origin))
    *shown, _ = done.out.splitlines()
    assert len([line for line in shown if ".png: " in line]) == 50
    assert "… and 30 more:" in shown
    counted = [line for line in shown if " × " in line]
    assert [line.split(" × ")[0].strip() for line in counted] == ["23", "7"]
    assert "HTML" in counted[0]
    assert done.out.endswith("0 images kept, of 80 files, 80 skipped\n")
    assert len((await qq("import", str(origin), "--json")).json["skipped"]) == 80


@NO_POSIX
async def test_names_that_are_not_utf_8(qq: Run, origin: Path, tmp_path: Path) -> None:
    names = [b"\xff\xfe.png", "图".encode()[:-1] + b".jpg", "图片.gif".encode("gbk")]
    for name in names:
        Path(os.fsdecode(os.fsencode(origin) + b"/" + name)).write_text("no image")
    (origin / "good.png").write_bytes(Picture(1).data)
    told = (await qq("import", str(origin), "--json")).json
    assert told["images"] == 1
    skipped = {os.path.basename(os.fsencode(each["file"])) for each in told["skipped"]}
    assert skipped == set(names)
    assert (await qq("import", str(origin))).status == 1
    # as a process, whose output may have any encoding
    for encoding in ("utf-8", "gbk", "ascii"):
        done = await module(
            tmp_path, "import", str(origin), "--json", PYTHONIOENCODING=encoding, PYTHONUTF8="0"
        )
        assert (done.status, done.json["images"]) == (1, 1), done.err
        plain = await module(tmp_path, "import", str(origin), PYTHONIOENCODING=f"{encoding}")
        assert plain.status == 1, plain.err
        assert "Traceback" not in plain.err


@NO_POSIX
async def test_what_is_no_regular_file_is_said(qq: Run, origin: Path) -> None:
    os.mkfifo(origin / "pipe")
    (origin / "broken").symlink_to(origin / "nowhere")
    (origin / "locked").mkdir()
    (origin / ".hidden").write_text("passed over")
    told = (await qq("import", str(origin), "--json")).json
    reasons = {Path(each["file"]).name: each["reason"] for each in told["skipped"]}
    assert reasons == {"pipe": "no regular file", "broken": "no regular file"}


@NO_POSIX
async def test_a_folder_that_cannot_be_listed_is_said(
    qq: Run, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (origin / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    done = await qq("import", str(origin))
    assert done.status == 1
    assert f"{origin / 'locked'}: Permission denied" in done.out
