"""A real file system that never answers, as a network drive whose server is gone.

It is one of FUSE that nobody serves, so it can only be mounted by root on Linux.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.doctor.machine.paths import about_paths

from ... import samples

_DETACH = 2
"""Of umount: at once, whoever uses it."""
READING = """
import asyncio, sys, threading, time
from pathlib import Path
import nonebot
nonebot.init(driver="~none")
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

mount, good, folder = map(Path, sys.argv[1:])

def reference(number, path):
    return ImageReference("1", str(number), content=path.as_uri(), own=True, chat="group:2")

async def main():
    config = ScopedConfig()
    store = ImageStore(folder, max_size=1 << 30, max_age=1e9)
    services = Services.of(config, store, Fetcher(config), dict)
    async def read(number, path):
        return await services.resolver.image(reference(number, path)).read()
    assert await read(0, good) == good.read_bytes()
    there = (read(number, mount / f"{number}.png") for number in range(1, 151))
    gone = asyncio.gather(*there, return_exceptions=True)
    await asyncio.sleep(1)
    started = time.monotonic()
    assert await read(200, good) == good.read_bytes()
    print("healthy", time.monotonic() - started)
    print("failed", sum(isinstance(each, Exception) for each in await gone))
    print("threads", sum("qqimage-file" in each.name for each in threading.enumerate()))
    await services.pipeline.close()

asyncio.run(main())
print("ended")
"""


@pytest.fixture
def mount(tmp_path: Path) -> Generator[Path, None, None]:
    """A folder in which nothing is ever answered."""
    if sys.platform != "linux":
        pytest.skip("there is no FUSE")
    libc, folder = ctypes.CDLL(None, use_errno=True), tmp_path / "gone"
    folder.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("/dev/fuse cannot be opened")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    try:
        if libc.mount(b"nobody", os.fsencode(folder), b"fuse", 0, options.encode()):
            pytest.skip("mounting is not allowed")
        yield folder
        libc.umount2(os.fsencode(folder), _DETACH)
    finally:
        os.close(device)


@pytest.mark.timeout(150)
def test_it_costs_two_threads_and_keeps_nobody_waiting(mount: Path, tmp_path: Path) -> None:
    good = tmp_path.with_name(f"{tmp_path.name}-elsewhere") / "good.png"
    good.parent.mkdir()
    good.write_bytes(samples.png())
    done = subprocess.run(
        [sys.executable, "-c", READING, str(mount), str(good), str(tmp_path / "store")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert figures["failed"] == "150"
    assert 2 <= int(figures["threads"]) <= 4  # two for each root
    assert done.stdout.count("as a network drive that is gone") == 1
    assert done.stdout.rstrip().endswith("ended")


def test_doctor_names_it(mount: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"x")
    gone, there = about_paths({"/app/qq": str(mount / "qq"), "/data": str(tmp_path)})
    assert (gone.state, there.state) == ("failed", "ok")
    assert "does not answer" in gone.text
