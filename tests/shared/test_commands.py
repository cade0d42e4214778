"""The operator's commands about the shared store, run as an operator runs them."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from nonebot_plugin_qqimage.doctor.machine.mounts import about_mount
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import Hosts
from .server import Server

PASSWORD = "pa/ss w@rd?"


async def run(tmp_path: Path, database: str, *arguments: str) -> tuple[int, Any, str]:
    """Run a command in a bot's folder; the exit status, its document, and all it has printed."""
    environment = {
        **os.environ,
        "QQIMAGE__SHARED_STORE": database,
        "LOCALSTORE_DATA_DIR": str(tmp_path / "data"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "nonebot_plugin_qqimage", *arguments, "--json"),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    text = out.decode() + err.decode()
    return process.returncode or 0, json.loads(out or b"null"), text


async def filled(tmp_path: Path, pictures: list[Picture]) -> ImageStore:
    """A store from before the setting was made, in the bot's folder."""
    folder = tmp_path / "data" / "nonebot_plugin_qqimage"
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    for picture in pictures:
        await store.put(picture.reference, picture.info, picture.data, "test")
        store.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
        await store.annotations.put(picture.info.sha256, "me", f"the words of {picture.info.md5}")
    await store.pins.add(pictures[0].info.sha256, "me")
    await store.close()
    return store


async def test_moving_a_local_store_up_and_looking_after_it(
    tmp_path: Path, hosts: Hosts, server: Server
) -> None:
    pictures = [Picture(number) for number in range(30)]
    await filled(tmp_path, pictures)

    for sent in (30, 0):  # it can be run again
        status, document, _ = await run(tmp_path, hosts.database, "shared", "import")
        assert (status, document["images"], document["sent"]) == (0, 30, sent)
    other = await hosts.start("other")
    assert await other.find(pictures[7].reference) == pictures[7].info
    assert len(await other.sightings(chat="group:1", limit=99)) == 30
    assert await other.pins.of("me") == [pictures[0].info.sha256]
    (said,) = await other.annotations.of(pictures[7].info.sha256)
    assert (said.owner, said.text) == ("me", f"the words of {pictures[7].info.md5}")
    found = await other.annotations.search("words", owner=None, chat="group:1", limit=99)
    assert len(found) == 30

    status, document, text = await run(tmp_path, hosts.database, "shared", "status")
    assert status == 0, text
    assert document["totals"] == {
        "images": 30,
        "bytes": sum(each.info.size for each in pictures),
    }
    assert document["hosts"]

    statement = "UPDATE qqimage.image SET data = set_byte(data, 60, 9) WHERE sha256 = "
    name = hosts.database.rpartition("/")[2]
    server.sql(f"{statement}'{pictures[3].info.sha256}'", name)
    status, document, _ = await run(tmp_path, hosts.database, "shared", "verify")
    assert (status, document["damaged"]) == (1, [pictures[3].info.sha256])
    await run(tmp_path, hosts.database, "shared", "verify", "--repair")
    status, document, _ = await run(tmp_path, hosts.database, "shared", "verify")
    assert (status, document["images"]) == (0, 29)


async def test_the_doctor_says_how_it_is(tmp_path: Path, hosts: Hosts) -> None:
    await filled(tmp_path, [Picture(1)])
    await hosts.start("one")
    await run(tmp_path, hosts.database, "shared", "gc")
    _, document, _ = await run(tmp_path, hosts.database, "doctor")
    assert "several versions" not in str(document)
    said = [line["text"] for line in document["lines"] if line["about"] == "shared store"]
    assert any("PostgreSQL" in text for text in said)
    assert any("used by" in text for text in said)
    assert any("outbox" in text for text in said)


async def test_no_password_is_ever_shown(tmp_path: Path, server: Server) -> None:
    await filled(tmp_path, [Picture(1)])
    for url in (
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/x",
        f"mysql://me:{PASSWORD}@127.0.0.1:1/x",
        "postgresql://me@127.0.0.1:1/x?password=pa%2Fss",
        f"postgresql://me:wrong-{'secret'}@127.0.0.1:{server.port}/absent",
    ):
        for command in (("shared", "status"), ("doctor",), ("stats",)):
            status, _, text = await run(tmp_path, url, *command)
            assert "Traceback" not in text
            assert status in (0, 1, 2, 3)
            for part in ("pa/ss", "w@rd", "pa%2Fss", "wrong-secret"):
                assert part not in text


def test_a_folder_of_this_machine_is_no_network_drive(tmp_path: Path) -> None:
    assert about_mount(tmp_path) == []
