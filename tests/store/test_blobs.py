"""Blobs: whole or not there."""

import os
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.blobs import Blobs

from .pictures import Picture, sha256


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    return Blobs(folder)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_named_by_its_content(blobs: Blobs, picture: Picture) -> None:
    path = blobs.write(picture.info, picture.data)
    assert path == blobs.path(picture.info)
    assert path.name == f"{sha256(picture.data)}.png"
    assert blobs.read(picture.info) == picture.data


def test_writing_again_changes_nothing(blobs: Blobs, folder: Path, picture: Picture) -> None:
    path = blobs.write(picture.info, picture.data)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    blobs.write(picture.info, picture.data)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert files(folder) == [path]


def test_a_cut_file_is_written_anew(blobs: Blobs, picture: Picture) -> None:
    path = blobs.write(picture.info, picture.data)
    path.write_bytes(picture.data[:10])
    blobs.write(picture.info, picture.data)
    assert blobs.read(picture.info) == picture.data


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


def test_a_damaged_file_is_put_aside_once(blobs: Blobs, folder: Path, picture: Picture) -> None:
    path = blobs.write(picture.info, picture.data)
    for _ in range(2):
        path.write_bytes(b"x" * len(picture.data))
        assert blobs.read(picture.info) is None
        assert files(folder) == [folder / "quarantine" / path.name]
        assert blobs.write(picture.info, picture.data) == path
        assert blobs.read(picture.info) == picture.data


def test_a_damaged_file_that_cannot_be_put_aside_is_not_returned(
    blobs: Blobs, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(13, "Permission denied")

    blobs.write(picture.info, picture.data).write_bytes(b"x" * len(picture.data))
    monkeypatch.setattr(os, "replace", refuse)
    assert blobs.read(picture.info) is None


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failed_write_leaves_nothing(
    blobs: Blobs, folder: Path, picture: Picture, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match="No space left"):
        blobs.write(picture.info, picture.data)
    assert files(folder) == []


def test_a_file_somebody_is_reading_on_windows_is_left_in_place(
    blobs: Blobs, folder: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace an open file; another process has just written it whole."""
    path = blobs.path(picture.info)

    def refuse(*paths: object) -> None:
        path.write_bytes(picture.data)
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", refuse)
    assert blobs.write(picture.info, picture.data) == path
    assert files(folder) == [path]
