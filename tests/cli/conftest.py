"""A store with a few pictures, and the command line run upon it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..store.pictures import Picture

MODULE = [sys.executable, "-m", "nonebot_plugin_qqimage"]


@dataclass(frozen=True)
class Done:
    """What came of a command line."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def pictures(folder: Path) -> "list[Picture]":
    """Six pictures in the store: two seen in each of two groups, one in both, one nowhere."""
    from nonebot_plugin_qqimage.messages.sighting import Sighting
    from nonebot_plugin_qqimage.store.image_store import ImageStore

    from ..store.pictures import Picture

    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    pictures = [Picture(number) for number in range(6)]
    for picture in pictures:
        await store.put(picture.reference, picture.info, picture.data, "url of the segment")
    seen = {"group:1": pictures[0:3], "group:2": pictures[2:5]}
    for chat, shown in seen.items():
        for picture in shown:
            reference = picture.reference
            place = int(chat[-1])
            store.saw(
                Sighting(
                    type(reference)(
                        self_id="1",
                        message_id=f"{chat}/{reference.message_id}",
                        file=reference.file,
                    ),
                    chat,
                    f"3000{place}",
                    1_700_000_000.0 + place,
                    picture.info.sha256,
                )
            )
    for what in ("store", "store", "store", "url of the segment"):
        store.count("resolved", what)
    store.count("failed", "expired")
    await store.pins.add(pictures[5].info.sha256, "tests")
    await store.close()
    return pictures


@pytest.fixture
def qq(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the store, in this process."""
    from nonebot_plugin_qqimage.cli import run

    async def qq(*arguments: str) -> Done:
        capsys.readouterr()
        whole = [*arguments, "--folder", str(folder)]
        status = await asyncio.to_thread(run, whole, program="qq")
        return Done(status, *capsys.readouterr())

    return qq


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "LOCALSTORE_USE_CWD": "true", "PYTHONIOENCODING": "utf-8", **more}


def heed_ctrl_c() -> None:
    """In a new process: heed Ctrl-C, which what runs in the background of a shell does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def module(cwd: Path, *arguments: str, **more: str) -> Done:
    """Run ``python -m nonebot_plugin_qqimage`` in a folder."""
    done = await asyncio.to_thread(
        subprocess.run,
        [*MODULE, *arguments],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)
