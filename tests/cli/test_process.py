"""The command line as a process of its own, beside others that use the store."""

# ruff: noqa: ASYNC220, ASYNC240  the tests wait for their processes

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .conftest import MODULE, environment, heed_ctrl_c, module

OTHER = """
import asyncio, sys
from pathlib import Path
from tests.store.pictures import Picture
from nonebot_plugin_qqimage.store.image_store import ImageStore


async def write():
    store = ImageStore(Path(sys.argv[1]), max_size=1 << 40, max_age=1e9)
    number = 100
    while True:
        picture = Picture(number)
        await store.put(picture.reference, picture.info, picture.data, "other")
        print(number, flush=True)
        number += 1
        await asyncio.sleep(0.01)


asyncio.run(write())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "nonebot_plugin_qqimage"  # where localstore puts it


async def test_in_a_bots_folder(tmp_path: Path, pictures: list[Picture]) -> None:
    size = len(pictures[5].data)
    (tmp_path / ".env").write_text(f"DRIVER=~fastapi\nQQIMAGE__MAX_STORE_SIZE={3 * size}\n")
    done = await module(tmp_path, "gc", "--json", LOG_LEVEL="TRACE")
    assert done.status == 0, done.err
    assert done.json["images"] <= 3
    assert done.json["evicted"] == 6 - done.json["images"]
    assert len(list(tmp_path.rglob("*.png"))) == done.json["images"]
    assert list(tmp_path.rglob(f"{pictures[5].info.sha256}.png"))  # pinned


async def test_a_setting_that_makes_no_sense(tmp_path: Path) -> None:
    done = await module(tmp_path, "stats", QQIMAGE__MAX_STORE_SIZE="much")
    assert done.status == 2
    assert "QQIMAGE__MAX_STORE_SIZE" in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data").exists()


async def test_a_reader_that_has_gone(tmp_path: Path, pictures: list[Picture]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*MODULE, "list", "--json"),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]
    assert process.stderr is not None
    assert (await process.stderr.read()).decode() == ""
    assert await process.wait() == 141


async def test_while_another_process_writes(tmp_path: Path, folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(folder)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    ) as other:
        try:
            assert other.stdout is not None
            await asyncio.to_thread(other.stdout.readline)
            found = await asyncio.gather(
                module(tmp_path, "verify", "--repair", "--json"),
                module(tmp_path, "export", "all", "out", "--json"),
            )
        finally:
            other.kill()
    for done in found:
        assert done.status == 0, done.err
    verified, exported = (done.json for done in found)
    assert verified["images"] > 0
    assert exported["written"] == len(list((tmp_path / "out").glob("*.png"))) > 0


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send")
async def test_interrupted(tmp_path: Path, folder: Path) -> None:
    origin = tmp_path / "in"
    origin.mkdir()
    for number in range(3000):
        (origin / f"{number:04}.png").write_bytes(Picture(number).data)
    process = await asyncio.create_subprocess_exec(
        *(*MODULE, "import", str(origin)),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=heed_ctrl_c,
    )
    images = folder / "images"
    while not (images.is_dir() and any(images.iterdir())):
        assert process.returncode is None
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    for step in await store.upkeep.steps():
        # the last one may have come without its row, which nobody was told of
        found = {finding.trouble for finding in await store.upkeep.check(step, deep=True, grace=0)}
        assert found <= {"unindexed", "leftover"}
    await store.close()


def test_what_the_demo_needs_not_the_commands(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('fastapi', 'rich', 'PIL'):\n    sys.modules[name] = None\n"
        "from nonebot_plugin_qqimage.__main__ import main\n"
        "sys.argv = ['qqimage', 'doctor', '--json']\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(QQIMAGE__PROXY="http://127.0.0.1:9"),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    lines = {line["about"]: line for line in told["lines"]}
    assert "QQIMAGE__PROXY" in lines["image host multimedia.nt.qq.com.cn"]["cure"]
    assert lines["store"]["state"] == lines["bot"]["state"] == "warning"
    assert not (tmp_path / "data").exists()
