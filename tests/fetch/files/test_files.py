"""Files that implementations name: which path of ours that is, and reading it."""

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.files import files
from nonebot_plugin_qqimage.fetch.files.files import local_path, read_file
from nonebot_plugin_qqimage.fetch.files.roots import Roots
from nonebot_plugin_qqimage.fetch.reservation import memory_for
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget

from ... import samples
from ...implementation.fake_bot import FakeBot, unknown
from ...promises.common import logged
from ..fetching import Outcome, fetch

# ruff: noqa: ASYNC240  short looks at small local files
posix = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
WINDOWS = "C:\\Users\\u\\Tencent Files\\1\\nt_data\\Pic\\x.jpg"


@posix
@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("/app/data/x.png", "/app/data/x.png"),
        ("/app/图片/a b.png", "/app/图片/a b.png"),
        ("/app/100%25.png", "/app/100%25.png"),
        ("file:///app/x.png", "/app/x.png"),
        ("file:////app/x.png", "/app/x.png"),
        ("FILE:///app/x.png", "/app/x.png"),
        ("file://localhost/app/x.png", "/app/x.png"),
        ("file:///app/a%20b%E5%9B%BE.png", "/app/a b图.png"),
        (WINDOWS, None),
        ("C:/Users/x.jpg", None),
        ("file:///C:/Users/x.jpg", None),
        ("\\\\server\\share\\x.jpg", None),
        ("//server/share/x.jpg", None),
        ("file://server/share/x.jpg", None),
        ("data/cache/x.image.jpg", None),
        ("./x.png", None),
        ("../x.png", None),
        ("x.png", None),
        ("~/x.png", None),
        ("", None),
        ("file://", None),
    ],
)
def test_without_a_map(named: str, path: str | None) -> None:
    found = local_path(named, {})
    assert found == (None if path is None else Path(path))


MAP = {
    "/app/llbot/data": "/srv/llbot",
    "/app/llbot/data/temp/deep/": "/srv/deep/",
    "C:\\Users\\u\\Tencent Files": "/mnt/c/qq",
    "D:/qq/": "/mnt/d",
    "\\\\server\\share": "/mnt/share",
    "data/cache": "/opt/go-cqhttp/data/cache",
}


@posix
@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("/app/llbot/data/temp/x.png", "/srv/llbot/temp/x.png"),
        ("/app//llbot/./data/x.png", "/srv/llbot/x.png"),
        ("/app/llbot/data/temp/deep/x.png", "/srv/deep/x.png"),
        ("/app/llbot/database/x.png", "/app/llbot/database/x.png"),
        ("/other/x.png", "/other/x.png"),
        ("file:///app/llbot/data/a%20b.png", "/srv/llbot/a b.png"),
        (WINDOWS, "/mnt/c/qq/1/nt_data/Pic/x.jpg"),
        (WINDOWS.replace("\\", "/"), "/mnt/c/qq/1/nt_data/Pic/x.jpg"),
        (WINDOWS.lower(), "/mnt/c/qq/1/nt_data/pic/x.jpg"),
        ("file:///C:/Users/u/Tencent%20Files/1/x.jpg", "/mnt/c/qq/1/x.jpg"),
        ("D:\\qq\\x.jpg", "/mnt/d/x.jpg"),
        ("d:\\QQ\\x.jpg", "/mnt/d/x.jpg"),
        ("E:\\qq\\x.jpg", None),
        ("\\\\server\\share\\Pic\\x.jpg", "/mnt/share/Pic/x.jpg"),
        ("\\\\SERVER\\share\\x.jpg", "/mnt/share/x.jpg"),
        ("file://server/share/x.jpg", "/mnt/share/x.jpg"),
        ("\\\\server\\other\\x.jpg", None),
        ("data/cache/x.image.jpg", "/opt/go-cqhttp/data/cache/x.image.jpg"),
        ("/data/cache/x.image.jpg", "/data/cache/x.image.jpg"),
        ("app/llbot/data/x.png", None),
        ("/APP/llbot/data/x.png", "/APP/llbot/data/x.png"),
    ],
)
def test_with_a_map(named: str, path: str | None) -> None:
    found = local_path(named, MAP)
    assert found == (None if path is None else Path(path))


@posix
@pytest.mark.parametrize("prefix", ["/app/data", "/app/data/", "/app/data//", "/app/./data"])
@pytest.mark.parametrize("ours", ["/srv/x", "/srv/x/"])
def test_slashes_at_the_end_do_not_matter(prefix: str, ours: str) -> None:
    assert local_path("/app/data/a/b.png", {prefix: ours}) == Path("/srv/x/a/b.png")


@posix
def test_the_root_can_be_mapped() -> None:
    assert local_path("/home/u/x.png", {"/": "/mnt/wsl"}) == Path("/mnt/wsl/home/u/x.png")


@posix
@pytest.mark.parametrize(
    "named",
    [
        "/app/llbot/data/../../../etc/x.png",
        "/app/llbot/data/temp/../../x.png",
        "C:\\Users\\u\\Tencent Files\\..\\..\\x.jpg",
        "data/cache/../../x.jpg",
        "file:///app/llbot/data/%2e%2e/x.png",
    ],
)
def test_a_map_leads_nowhere_but_below_its_folder(named: str) -> None:
    found = local_path(named, MAP)
    assert found is None or not str(found).startswith(("/srv", "/mnt", "/opt"))


async def read(named: str | Path, max_size: int = 1 << 20, **path_map: str) -> bytes:
    return await read_file(str(named), path_map, max_size, size=None, md5="")


async def refusal(named: str | Path, max_size: int = 1 << 20, **path_map: str) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        await read(named, max_size, **path_map)
    return caught.value


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "图 x.png"
    path.write_bytes(samples.png())
    return path


async def test_a_file_is_read_and_left_alone(image: Path) -> None:
    before = image.stat().st_mtime_ns
    assert await read(image) == samples.png()
    assert await read(image.as_uri()) == samples.png()
    assert image.stat().st_mtime_ns == before


@posix
async def test_a_mapped_file_is_read(image: Path) -> None:
    folder = str(image.parent)
    assert await read(f"/app/data/{image.name}", **{"/app/data": folder}) == samples.png()
    failure = await refusal("/app/data/gone.png", **{"/app/data": folder})
    assert "mapped from /app/data/gone.png" in failure.detail
    assert folder in failure.detail


async def test_what_is_not_there(tmp_path: Path) -> None:
    failure = await refusal(tmp_path / "gone.png")
    assert failure.cause is Cause.UNREADABLE
    assert "gone.png" in failure.detail
    assert "No such file" in failure.detail


async def test_a_folder(tmp_path: Path) -> None:
    assert (await refusal(tmp_path)).cause is Cause.UNREADABLE


@posix
async def test_a_link_is_not_followed(image: Path) -> None:
    link = image.with_name("link.png")
    link.symlink_to(image)
    assert (await refusal(link)).cause is Cause.UNREADABLE


@posix
async def test_a_pipe_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    failure = await refusal(pipe)
    assert failure.cause is Cause.UNREADABLE
    assert "not a regular file" in failure.detail


@posix
async def test_a_device() -> None:
    assert (await refusal("/dev/zero")).cause is Cause.UNREADABLE


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
async def test_no_permission(image: Path) -> None:
    image.chmod(0)
    failure = await refusal(image)
    assert failure.cause is Cause.UNREADABLE
    assert "Permission denied" in failure.detail


async def test_a_refusal_of_the_system_is_named(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", deny)
        failure = await refusal(image)
    assert failure.cause is Cause.UNREADABLE
    assert "Permission denied" in failure.detail


async def test_the_limit(image: Path) -> None:
    size = len(samples.png())
    assert await read(image, size) == samples.png()
    failure = await refusal(image, size - 1)
    assert failure.cause is Cause.TOO_LARGE
    assert str(size) in failure.detail


async def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    failure = await refusal(tmp_path / "x.png")
    assert failure.cause is Cause.REJECTED
    assert "empty" in failure.detail


LARGE = samples.png(filler=20_000)
MD5 = hashlib.md5(LARGE, usedforsecurity=False).hexdigest()


async def read_while_written(
    path: Path, chunks: list[bytes], size: int | None = None, md5: str = ""
) -> bytes:
    """Read a file to which the implementation keeps adding."""
    path.write_bytes(chunks[0])

    async def write() -> None:
        for chunk in chunks[1:]:
            await asyncio.sleep(0.02)
            with path.open("ab") as file:
                file.write(chunk)

    writing = asyncio.create_task(write())
    try:
        return await asyncio.wait_for(read_file(str(path), {}, 1 << 20, size=size, md5=md5), 60)
    finally:
        await writing


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({"size": len(LARGE)}, id="by its size"),
        pytest.param({"md5": MD5}, id="by its name"),
        pytest.param({"md5": MD5, "size": len(LARGE) + 5}, id="by its name alone"),
        pytest.param({}, id="as it grows no more"),
    ],
)
async def test_a_file_still_being_written_is_waited_for(
    tmp_path: Path, declared: dict[str, Any]
) -> None:
    chunks = [LARGE[at : at + 4000] for at in range(0, len(LARGE), 4000)]
    assert await read_while_written(tmp_path / "x.png", chunks, **declared) == LARGE


@pytest.mark.parametrize("chunks", [[LARGE[:-1]], [b""], [b"", b"x"], [LARGE[:5000], LARGE[:5]]])
async def test_a_file_that_stays_short_is_never_accepted(
    tmp_path: Path, chunks: list[bytes]
) -> None:
    with pytest.raises(AttemptFailed) as caught:
        await read_while_written(tmp_path / "x.png", chunks, size=len(LARGE))
    assert caught.value.cause is Cause.REJECTED
    there = sum(map(len, chunks))
    assert (f"{there} of {len(LARGE)} bytes" if there else "nothing") in caught.value.detail


async def test_a_file_longer_than_declared_is_judged_later(tmp_path: Path) -> None:
    assert await read_while_written(tmp_path / "x.png", [LARGE], size=10) == LARGE


@pytest.mark.parametrize(
    "named", ["data/x.png", "\0", "/\0x.png", "file://[", "file://[::1", "/" + "x" * 4090, "\ud83d"]
)
async def test_odd_names(named: str) -> None:
    assert (await refusal(named)).cause is Cause.UNREADABLE


@given(named=st.text(st.characters()) | st.text("/\\.:%[]@ac").map("file://".__add__))
def test_no_name_is_too_odd(named: str) -> None:
    try:
        found = local_path(named, MAP)
    except ValueError:
        return
    assert found is None or found.is_absolute()


async def fetch_segment(content: str, **path_map: str) -> Outcome:
    """Fetch what a segment that this bot sends says, and see that nothing is learned from it."""
    implementation = Implementation(FakeBot(unknown()))
    outcome = await fetch(ImageReference(content=content), implementation, path_map=path_map)
    assert implementation.profile.reads_files is None
    return outcome


async def test_a_segment_that_names_a_file(image: Path) -> None:
    outcome = await fetch_segment(image.as_uri())
    assert outcome.source == "file of the segment"
    assert outcome.fetched
    assert outcome.fetched.data == samples.png()


@posix
async def test_a_segment_that_names_a_mapped_file(image: Path) -> None:
    uri = f"file:///app/data/{image.name}"
    outcome = await fetch_segment(uri, **{"/app/data": str(image.parent)})
    assert outcome.source == "file of the segment"


async def test_a_segment_that_names_no_file_of_ours() -> None:
    outcome = await fetch_segment("file:///gone/x.png")
    assert outcome.failed == [("file of the segment", Cause.UNREADABLE)]


@pytest.mark.parametrize("content", ["", "base64://AAAA", "data:,x", "/etc/hostname"])
async def test_a_segment_that_names_none(content: str) -> None:
    outcome = await fetch_segment(content)
    assert "file of the segment" not in [source for source, _ in outcome.failed]


async def test_what_can_be_read_is_learned(image: Path) -> None:
    implementation = Implementation(FakeBot(unknown()))
    for named, foreign in (("/gone", False), ("/gone", True), (str(image), False)):
        implementation.bot.replies["get_image"] = {"file": named}
        await fetch(ImageReference(file="a.png"), implementation)
        assert implementation.profile.files_unreadable is foreign
        assert implementation.profile.reads_files is (named == str(image))


@posix
async def test_what_is_no_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    folder, fifo = tmp_path / "folder.png", tmp_path / "fifo.png"
    folder.mkdir()
    os.mkfifo(fifo)
    before = open_descriptors()
    for _ in range(50):
        for path in (folder, fifo, tmp_path / "gone.png"):
            with pytest.raises(AttemptFailed) as caught:
                await read(path, {})
            assert caught.value.cause is Cause.UNREADABLE
    assert open_descriptors() <= before + 2


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def test_a_file_waits_for_room_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(samples.png() + b"\0" * 50_000)
    size = path.stat().st_size
    budget = ByteBudget(memory_for(size))
    async with budget.reserve(memory_for(size) - 10) as other, budget.reserve(10) as reservation:
        task = asyncio.create_task(
            read_file(
                str(path), {}, 1 << 20, size=size, md5="", roots=Roots(), reservation=reservation
            )
        )
        await asyncio.sleep(0.1)
        assert not task.done()
        other.resize(0)
        assert len(await task) == size
        assert reservation.size == memory_for(size)


@posix
async def test_a_mount_that_hangs_costs_two_threads_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of NFS does: opening a file on it never returns."""
    good = tmp_path / "good.png"
    good.write_bytes(samples.png())
    real, mend = os.open, threading.Event()

    def hang(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).startswith("/mnt/dead"):
            mend.wait(60)
            raise FileNotFoundError(2, "No such file or directory")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", hang)
    monkeypatch.setattr(files, "_TIMEOUT", 0.3)
    roots = Roots()
    size = len(samples.png())
    await read_file(str(good), {}, 1 << 20, size=size, md5="", roots=roots)
    threads = threading.active_count()

    async def read_there(number: int) -> Cause:
        path = f"/mnt/dead/{number}/{number}.png"
        with pytest.raises(AttemptFailed) as caught:
            await read_file(path, {}, 1 << 20, size=None, md5="", roots=roots)
        return caught.value.cause

    with logged("WARNING") as lines:
        causes = await asyncio.gather(*(read_there(number) for number in range(100)))
        started = time.monotonic()
        causes += await asyncio.gather(*(read_there(number) for number in range(50)))
        assert time.monotonic() - started < 0.2
    assert set(causes) == {Cause.TIMEOUT}
    assert threading.active_count() <= threads + 2
    assert [line for line in lines if "/mnt/dead" in line] == lines[:1] != []
    found = await read_file(str(good), {}, 1 << 20, size=size, md5="", roots=roots)
    assert found == samples.png()
    mend.set()
    while await read_there(0) is Cause.TIMEOUT:
        await asyncio.sleep(0.02)


def test_a_thread_that_hangs_does_not_keep_python_from_ending() -> None:
    code = (
        "import threading\n"
        "from nonebot_plugin_qqimage.threads import DaemonThreads\n"
        "threads = DaemonThreads(2, 'x')\n"
        "assert threads.submit(lambda: 5).result() == 5\n"
        "for _ in range(5): threads.submit(threading.Event().wait)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
