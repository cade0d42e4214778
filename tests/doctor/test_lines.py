"""The doctor's answers, each with what it is about."""

import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor.bots.implementations import about_bots
from nonebot_plugin_qqimage.doctor.line import Line, worst
from nonebot_plugin_qqimage.doctor.machine import network
from nonebot_plugin_qqimage.doctor.machine.network import reaches_hosts, speaks_tls
from nonebot_plugin_qqimage.doctor.store.storage import about_store
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..fetch.http_server import Server, reply, serving
from ..store.inside import change
from ..store.pictures import Picture

HOST = "multimedia.nt.qq.com.cn"
KNOWN: dict[str, Any] = {
    "bot": "10001",
    "adapter": "OneBot V11",
    "connection": "forward WebSocket (websockets)",
    "connected": time.time() - 600,
    "name": "NapCat.Onebot",
    "version": [4, 18, 19],
    "lacks": [],
    "inlines": None,
    "reads_files": None,
    "unreadable": "",
    "hangs": False,
    "frame_limit": 1 << 20,
    "broken_by": None,
    "dropped": 0,
}


def told(lines: list[Line]) -> str:
    return "\n".join(map(str, lines))


def test_a_healthy_implementation() -> None:
    connected = time.time() - 601
    lines = about_bots([{**KNOWN, "connected": connected, "reads_files": True, "inlines": False}])
    assert worst(lines) == "ok"
    assert "NapCat.Onebot 4.18.19 by forward WebSocket (websockets), connected for 10 min" in told(
        lines
    )
    assert not any(line.cure for line in lines)


@pytest.mark.parametrize(
    ("known", "state", "text", "cure"),
    [
        ({"hangs": True}, "failed", "get_image does not answer", "restart"),
        ({"lacks": ["get_image"]}, "warning", "no get_image", "QQIMAGE__PREFETCH"),
        ({"lacks": ["get_rkey", "get_rkey_server"]}, "warning", "no fresh keys", "NapCat 4.7.16"),
        (
            {"reads_files": False, "unreadable": "/app/pictures/"},
            "warning",
            "/app/pictures/",
            "QQIMAGE__PATH_MAP",
        ),
        ({"inlines": True}, "warning", "up to 1.0 MiB; images over 766.5 KiB", "~aiohttp"),
        (
            {"inlines": True, "connection": "reverse WebSocket (fastapi)", "frame_limit": 1 << 24},
            "warning",
            "up to 16.0 MiB",
            "ws_max_size",
        ),
        ({"broken_by": 2_000_000, "dropped": 2}, "warning", "asked for 2 images", "FRAME_LIMIT"),
        ({"frame_limit": None, "inlines": True}, "ok", "any size", ""),
    ],
)
def test_what_is_wrong_with_a_implementation(
    known: dict[str, Any], state: str, text: str, cure: str
) -> None:
    lines = about_bots([{**KNOWN, **known}])
    assert worst(lines) == state
    (line,) = [line for line in lines if text in line.text]
    assert line.state == state
    assert cure in line.cure


def test_no_implementation() -> None:
    (line,) = about_bots([])
    assert (line.state, line.about) == ("warning", "connection")


async def test_tls_is_as_qq_wants_it() -> None:
    line = await speaks_tls()
    assert line.state == "ok"
    assert "RSA key exchange is offered" in line.text


async def test_a_python_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_rsa() -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_ciphers("ECDHE+AESGCM")
        return context

    monkeypatch.setattr(network, "qq_context", without_rsa)
    line = await speaks_tls()
    assert line.state == "failed"
    assert "QQIMAGE__MIRRORS" in line.cure


@pytest.fixture
async def mirror() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


def by(server: Server, **more: Any) -> ScopedConfig:
    return ScopedConfig(mirrors={HOST: server.url("")}, **more)


async def test_a_mirror_that_works(mirror: Server) -> None:
    mirror["/download"] = reply(b'{"retcode":-5503010}', "400 Bad Request")
    (line,) = await reaches_hosts(by(mirror))
    assert line.state == "ok"
    assert "by its mirror" in line.text
    assert mirror.targets == ["/download"]


async def test_a_web_page_in_its_place(mirror: Server) -> None:
    mirror["/download"] = reply(b"<html>log in</html>")
    (line,) = await reaches_hosts(by(mirror))
    assert line.state == "warning"
    assert "a web page" in line.text


async def test_a_mirror_that_is_broken(mirror: Server) -> None:
    mirror["/download"] = reply(status="502 Bad Gateway")
    (line,) = await reaches_hosts(by(mirror))
    assert line.state == "warning"
    assert "QQIMAGE__MIRRORS" in line.cure


async def test_nobody_there() -> None:
    mirrors = {HOST: "http://127.0.0.1:9", "gchat.qpic.cn": "http://user:secret@127.0.0.1:9"}
    lines = await reaches_hosts(ScopedConfig(mirrors=mirrors))
    assert [line.state for line in lines] == ["failed", "failed"]
    assert all("QQIMAGE__MIRRORS" in line.cure for line in lines)
    assert "secret" not in told(lines)
    (line,) = await reaches_hosts(ScopedConfig(proxy="http://user:secret@127.0.0.1:9"))
    assert (line.state, "QQIMAGE__PROXY" in line.cure) == ("failed", True)
    assert "secret" not in told([line])


async def test_nobody_who_answers(mirror: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(request: Any) -> None:
        await request.reader.read()

    monkeypatch.setattr(network, "_DEADLINE", 0.2)
    mirror["/download"] = hang
    (line,) = await reaches_hosts(by(mirror))
    assert line.state == "failed"
    assert "no answer by its mirror" in line.text


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ImageStore]:
    store = ImageStore(tmp_path / "store", max_size=1 << 40, max_age=1e9)
    for number in range(3):
        picture = Picture(number)
        await store.put(picture.reference, picture.info, picture.data, "test")
    yield store
    await store.close()


async def test_a_healthy_store(store: ImageStore) -> None:
    lines = await about_store(store, 1 << 20, deep=True)
    assert worst(lines) == "ok", told(lines)
    assert "3 images" in told(lines)


async def test_a_store_beyond_its_bound(store: ImageStore) -> None:
    line, *_ = await about_store(store, 10, deep=False)
    assert (line.state, "gc" in line.cure) == ("warning", True)
    assert worst(await about_store(store, None, deep=False)) == "ok"


@pytest.mark.parametrize(
    ("free", "state", "cure"),
    [(1 << 20, "failed", "make room"), (1 << 30, "warning", "QQIMAGE__MAX_STORE_SIZE")],
)
async def test_a_disk_that_is_full(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch, free: int, state: str, cure: str
) -> None:
    usage = shutil.disk_usage(tempfile.gettempdir())._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    lines = await about_store(store, 1 << 32, deep=False)
    assert worst(lines) == state
    assert cure in told(lines)


async def test_a_folder_that_cannot_be_written(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    lines = await about_store(store, None, deep=False)
    assert "failed: store: cannot be written: Permission denied" in told(lines)


async def test_damage_that_was_found(store: ImageStore) -> None:
    info = Picture(0).info
    store.path(info).write_bytes(b"nonsense")
    assert await store.read(info) is None
    lines = await about_store(store, None, deep=False)
    assert "1 file in quarantine; found so far: 1 damaged" in told(lines)


async def test_figures_that_do_not_add_up(store: ImageStore) -> None:
    await change(store, lambda db: db.run("UPDATE totals SET images = 7"))
    assert worst(await about_store(store, None, deep=False)) == "ok"
    lines = await about_store(store, None, deep=True)
    assert worst(lines) == "failed"
    assert "7 images" in told(lines)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")
async def test_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite3").mkdir()
    store = ImageStore(tmp_path, max_size=1, max_age=1)
    (line,) = await about_store(store, None, deep=False)
    assert line.state == "failed"
    assert str(tmp_path) in line.text
    await store.close()
