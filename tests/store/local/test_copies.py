"""Copies: files that belong to whoever asked for them, and do not fill the disk."""

import errno
import os
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.local.files import copies
from nonebot_plugin_qqimage.store.local.files.copies import Copies

SHA = "ab" * 32


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"picture")
    return path


@pytest.mark.parametrize("shared", [True, False])
def test_whatever_is_done_to_a_copy_the_image_stays(
    tmp_path: Path, source: Path, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    asked: list[int] = []

    def clone(target: int, request: int, file: int) -> None:
        asked.append(request)
        if not shared:
            raise OSError(errno.EOPNOTSUPP, "not on this file system")
        os.write(target, os.read(file, 100))  # as the file system would have it

    monkeypatch.setattr(fcntl, "ioctl", clone)
    path = Copies(tmp_path / "copies").make(source, SHA, ".png")
    assert asked == [0x40049409]
    assert path.read_bytes() == b"picture"
    assert path.suffix == ".png"
    assert path.stat().st_nlink == source.stat().st_nlink == 1
    path.write_bytes(b"other")
    assert source.read_bytes() == b"picture"


def test_old_ones_go(tmp_path: Path, source: Path) -> None:
    made = Copies(tmp_path / "copies")
    old, moved, new = (made.make(source, SHA, ".png") for _ in range(3))
    os.utime(old, (1, 1))
    moved.rename(tmp_path / "moved")
    (made.folder / "folder").mkdir()
    os.utime(made.folder / "folder", (1, 1))
    last = made.make(b"bytes", SHA, ".gif")
    assert sorted(made.folder.iterdir()) == sorted([new, last, made.folder / "folder"])
    assert (tmp_path / "moved").exists()


def test_they_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Copies(tmp_path / "copies")
    monkeypatch.setattr(copies, "_MAX_SIZE", 100)
    paths = [made.make(b"x" * 40, SHA, ".png") for _ in range(5)]
    assert all(path.exists() for path in paths)  # somebody has just asked for them
    for age, path in enumerate(reversed(paths)):
        status = path.stat()
        os.utime(path, (status.st_mtime - 100 - age, status.st_mtime - 100 - age))
    made.make(b"x", SHA, ".png")
    assert [path.exists() for path in paths] == [False, False, False, True, True]


def test_those_of_a_forgotten_image_go(tmp_path: Path) -> None:
    made = Copies(tmp_path / "copies")
    made.purge({SHA})
    gone, stays = made.make(b"x", SHA, ".png"), made.make(b"x", "cd" * 32, ".png")
    made.purge({SHA})
    assert (gone.exists(), stays.exists()) == (False, True)
