"""Thumbnails: what they show, and how much of them is kept."""

import asyncio
import hashlib
import io
import os
import threading
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest

from nonebot_plugin_qqimage.content import thumbnails
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.thumbnails import SIDE, thumbnail
from nonebot_plugin_qqimage.errors import AttemptFailed
from nonebot_plugin_qqimage.gallery import thumbnailing
from nonebot_plugin_qqimage.gallery.thumbnailing import Busy, Thumbnailing
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.files.thumbnails import Thumbnails

from ..samples import ALL, JPEG_EXIF
from ..samples import png as small_png

LIMIT = 52_000_000


def inspected(data: bytes) -> ImageInfo:
    return inspect(data, max_size=1 << 40, max_pixels=1 << 40, max_frames=1 << 20)


def opened(data: bytes) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, data, *_ in ALL])
def test_every_type(name: str, data: bytes) -> None:
    if name == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    info = inspected(data)
    shown = opened(thumbnail(data, info, LIMIT))
    assert shown.format == "WEBP"
    assert sorted(shown.size) == sorted((info.width, info.height))  # no larger than it is


@pytest.mark.parametrize("size", [(3000, 1500), (1500, 3000), (5000, 3), (256, 256), (257, 300)])
def test_the_longer_side_has_256_pixels(size: tuple[int, int]) -> None:
    data = small_png(*size)
    shown = opened(thumbnail(data, inspected(data), LIMIT))
    assert max(shown.size) == SIDE
    width, height = size
    assert abs(shown.width - width * SIDE / max(size)) <= 1
    assert abs(shown.height - height * SIDE / max(size)) <= 1


def test_turned_as_it_should_be_seen() -> None:
    info = inspected(JPEG_EXIF)
    shown = opened(thumbnail(JPEG_EXIF, info, LIMIT))
    assert shown.size == (info.height, info.width)


def test_transparency_stays() -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGBA", (400, 400), (255, 0, 0, 0)).save(buffer, "PNG")
    shown = opened(thumbnail(buffer.getvalue(), inspected(buffer.getvalue()), LIMIT))
    assert shown.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_what_would_cost_too_much_is_not_decoded() -> None:
    data = small_png(3000, 3000)
    with pytest.raises(AttemptFailed):
        thumbnail(data, inspected(data), 1_000_000)
    with pytest.raises(AttemptFailed):
        thumbnail(data[:200], inspected(data), LIMIT)


async def test_made_once_two_at_a_time(
    store: ImageStore, infos: list[ImageInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, made = threading.Event(), list[str]()
    gate.set()
    most, running, lock = 0, 0, threading.Lock()

    def slowly(data: bytes, info: ImageInfo, limit: int) -> bytes:
        nonlocal most, running
        with lock:
            made.append(info.sha256)
            running += 1
            most = max(most, running)
        try:
            gate.wait(30)
            return thumbnails.thumbnail(data, info, limit)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(thumbnailing, "thumbnail", slowly)
    thumbnailer = Thumbnailing(store, LIMIT)
    some = infos[:30] * 2
    found = await asyncio.gather(*map(thumbnailer.get, some))
    assert all(found)
    assert sorted(made) == sorted({info.sha256 for info in some})
    assert most <= 2
    assert await thumbnailer.get(some[0]) == found[0]
    assert len(made) == 30
    gate.clear()
    many = infos[30:] + [replace(infos[0], sha256=f"{number:064x}") for number in range(200)]
    crowd = [asyncio.create_task(thumbnailer.get(info)) for info in many]
    done, waiting = await asyncio.wait(crowd, timeout=20, return_when=asyncio.FIRST_EXCEPTION)
    assert isinstance(next(iter(done)).exception(), Busy)
    gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(each, bytes) for each in found) >= 100
    thumbnailer.close()


async def test_a_picture_that_cannot_be_decoded_is_tried_once(store: ImageStore) -> None:
    data = small_png(50, 50)
    data = data.replace(b"IDAT", b"IDAT" + bytes(9))
    sha256 = hashlib.sha256(data).hexdigest()
    info = replace(inspected(small_png(50, 50)), sha256=sha256, size=len(data))
    await store.put(ImageReference(self_id="1", message_id="1"), info, data, "x")
    thumbnailer = Thumbnailing(store, LIMIT)
    assert await thumbnailer.get(info) is None
    assert await thumbnailer.get(info) is None
    thumbnailer.close()


async def test_gone_with_their_picture(store: ImageStore, infos: list[ImageInfo]) -> None:
    thumbnailer = Thumbnailing(store, LIMIT)
    for info in infos[:20]:
        assert await thumbnailer.get(info)
    folder = store.folder / "thumbnails"
    assert len([*folder.rglob("*.webp")]) == 20
    small = ImageStore(store.folder, max_size=1, max_age=1e9)  # everything is evicted
    await store.close()
    await small.upkeep.evict()
    left = {path.stem for path in folder.rglob("*.webp")}
    assert left == set() or not any((store.folder / "images").rglob("*.*"))
    # one of an image that is not stored, as an earlier release leaves it
    await small.browsing.keep_thumbnail(infos[0], b"x")
    assert [*folder.rglob("*.webp")] == []
    (folder / "ab").mkdir(exist_ok=True)
    (folder / "ab" / f"{'ab' * 32}.webp").write_bytes(b"x")
    await small.browsing.sweep_thumbnails()
    assert [*folder.rglob("*.webp")] == []
    await small.close()
    thumbnailer.close()


def test_the_folder_is_bounded_and_keeps_what_was_seen_last(tmp_path: Path) -> None:
    kept = Thumbnails(tmp_path, max_bytes=10_000)
    names = [f"{number:064x}" for number in range(30)]
    for name in names:
        kept.keep(name, bytes(1000))
        kept.read(names[0])
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.webp")) <= 10_000
    assert kept.read(names[0]) is not None
    assert kept.read(names[-1]) is not None
    assert kept.read(names[1]) is None
    if os.name == "posix":
        assert (tmp_path / "thumbnails").stat().st_mode & 0o077 == 0
