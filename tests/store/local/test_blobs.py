"""Blobs: whole or not there."""

import os
import sys
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.local.files import quarantine
from nonebot_plugin_qqimage.store.local.files.blobs import Blobs

from ..pictures import Picture, sha256


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    return Blobs(folder)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def written(blobs: Blobs, picture: Picture) -> Path:
    blobs.write(picture.info, picture.data)
    return blobs.path(picture.info)


def test_a_file_is_named_by_its_content(blobs: Blobs, picture: Picture) -> None:
    blobs.write(picture.info, picture.data)
    path = blobs.path(picture.info)
    assert path.name == f"{sha256(picture.data)}.png"
    assert blobs.read(picture.info) == picture.data


def test_writing_again_changes_nothing(blobs: Blobs, folder: Path, picture: Picture) -> None:
    path = written(blobs, picture)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    blobs.write(picture.info, picture.data)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert files(folder) == [path]


@pytest.mark.parametrize("damaged", [b"", b"cut", b"x" * 71, b"longer" * 100])
def test_a_damaged_file_is_neither_returned_nor_taken_for_the_image(
    blobs: Blobs, picture: Picture, damaged: bytes
) -> None:
    path = written(blobs, picture)
    path.write_bytes(damaged)
    assert blobs.read(picture.info) is None
    assert not blobs.intact(picture.info)
    with pytest.raises(FileExistsError, match="damaged"):
        blobs.write(picture.info, picture.data)
    blobs.quarantine(path)
    assert not path.exists()
    blobs.write(picture.info, picture.data)
    assert blobs.read(picture.info) == picture.data


def test_a_file_changed_behind_our_back_with_its_times_restored_is_noticed(
    blobs: Blobs, picture: Picture
) -> None:
    path = written(blobs, picture)
    assert blobs.intact(picture.info)
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    if sys.platform != "win32":  # which keeps no time that nobody can set
        assert not blobs.intact(picture.info)
    assert blobs.read(picture.info) is None


def test_nothing_there_is_none(blobs: Blobs, folder: Path, picture: Picture) -> None:
    assert blobs.read(picture.info) is None
    assert not folder.exists()
    blobs.delete(picture.info)


def test_deleting(blobs: Blobs, folder: Path, picture: Picture) -> None:
    blobs.write(picture.info, picture.data)
    blobs.delete(picture.info)
    blobs.delete(picture.info)
    assert blobs.read(picture.info) is None
    assert files(folder) == []


def test_the_quarantine_is_bounded(
    blobs: Blobs, folder: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "_MAX_QUARANTINE", 3)
    for number in range(5):
        path = written(blobs, picture)
        path.write_bytes(b"%d" % number)
        blobs.quarantine(path)
    kept = sorted((folder / "quarantine").iterdir())
    assert [aside.read_bytes() for aside in kept] == [b"2", b"3", b"4"]
    assert all(aside.name.endswith(path.name) for aside in kept)


def test_a_damaged_file_that_cannot_be_put_aside_stays(
    blobs: Blobs, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = written(blobs, picture)
    path.write_bytes(b"x" * len(picture.data))
    monkeypatch.setattr(os, "replace", refuse)
    blobs.quarantine(path)
    assert path.exists()
    assert blobs.read(picture.info) is None


def test_leftovers_are_swept_once_they_are_old(blobs: Blobs, picture: Picture) -> None:
    path = written(blobs, picture)
    shard, leftover = path.parent.name, path.parent / ".new-abcd"
    leftover.write_bytes(b"half an im")
    changed = leftover.stat().st_mtime
    assert blobs.leftovers(shard, changed - 1, remove=True) == []
    assert blobs.leftovers(shard, changed + 1, remove=False) == [".new-abcd"]
    assert leftover.exists()
    assert blobs.leftovers(shard, changed + 1, remove=True) == [".new-abcd"]
    assert files(path.parent) == [path]
    assert blobs.leftovers("zz", changed, remove=True) == []


def test_its_folders_and_files(blobs: Blobs, folder: Path, picture: Picture) -> None:
    assert blobs.shards() == []
    path = written(blobs, picture)
    (folder / "images" / "Thumbs.db").touch()
    (folder / "images" / "zz").touch()
    assert blobs.shards() == [path.parent.name]
    assert blobs.files(path.parent.name) == [path]
    assert blobs.files("00") == []


@pytest.mark.parametrize("function", ["fsync", "link"])
def test_a_failed_write_leaves_nothing(
    blobs: Blobs, folder: Path, picture: Picture, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, full)
    if function == "link":  # then, as where there are no links, it is renamed
        monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        blobs.write(picture.info, picture.data)
    assert files(folder) == []


def no_links(*args: object) -> None:
    raise OSError(95, "Operation not supported")


def test_a_file_system_without_links(
    blobs: Blobs, folder: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    path = written(blobs, picture)
    blobs.write(picture.info, picture.data)
    assert blobs.read(picture.info) == picture.data
    assert files(folder) == [path]


@pytest.mark.parametrize("links", [True, False])
def test_another_process_may_be_faster(
    blobs: Blobs, folder: Path, picture: Picture, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And on Windows, nobody can replace what it has just written while somebody reads it."""
    path = blobs.path(picture.info)

    def link(*paths: object) -> None:
        if not links:
            no_links()
        path.write_bytes(picture.data)
        raise FileExistsError(17, "File exists")

    def replace(*paths: object) -> None:
        path.write_bytes(picture.data)
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(os, "replace", replace)
    blobs.write(picture.info, picture.data)
    assert files(folder) == [path]


def test_what_somebody_reads_stays_on_windows(
    blobs: Blobs, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(*args: object, **options: object) -> None:
        raise PermissionError(13, "in use")

    written(blobs, picture)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        assert not blobs.delete(picture.info)
    assert blobs.read(picture.info) == picture.data
    assert blobs.delete(picture.info)
