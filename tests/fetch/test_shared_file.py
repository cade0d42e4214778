"""Shared files that are images."""

import base64
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..implementation.fake_bot import FakeBot, failed, unknown
from .fetching import PNG, fetch
from .http_server import Server, reply


def shared(**fields: Any) -> ImageReference:
    defaults = {"self_id": "10001", "file": "a.png", "file_id": "/f", "size": len(PNG)}
    return ImageReference(**{**defaults, **fields})


async def test_get_file_inlines(server: Server) -> None:
    bot = FakeBot(unknown(), get_file={"base64": base64.b64encode(PNG).decode()})
    assert (await fetch(shared(), Implementation(bot))).source == "base64 in the answer"
    assert bot.actions == ["get_file"]
    assert dict(bot.calls)["get_file"]["file_id"] == "/f"


async def test_get_file_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    # NapCat names the path twice
    bot = FakeBot(
        unknown(), get_file={"file": str(tmp_path / "a.png"), "url": str(tmp_path / "a.png")}
    )
    assert (await fetch(shared(), Implementation(bot))).source == "file in the answer"


async def test_get_file_gives_a_link(server: Server) -> None:
    server["/f"] = reply(PNG)
    bot = FakeBot(unknown(), get_file={"file": "/gone/a.png", "url": server.url("/f")})
    outcome = await fetch(shared(), Implementation(bot))
    assert outcome.source == "url in the answer"
    assert outcome.failed == [("file in the answer", Cause.UNREADABLE)]


async def test_the_segment_has_a_link(server: Server) -> None:
    server["/f"] = reply(PNG)
    outcome = await fetch(shared(url=server.url("/f")), Implementation(FakeBot(unknown())))
    assert outcome.source == "url of the segment"


async def test_the_group_gives_a_link(server: Server) -> None:
    server["/f"] = reply(PNG)
    bot = FakeBot(unknown(), get_group_file_url={"url": server.url("/f")})
    outcome = await fetch(shared(group_id=20001), Implementation(bot))
    assert outcome.source == "get_group_file_url"
    sent = dict(bot.calls)["get_group_file_url"]
    assert (sent["group_id"], sent["file_id"]) == (20001, "/f")
    assert bot.actions == ["get_file", "get_group_file_url"]


async def test_a_private_file_has_no_group() -> None:
    bot = FakeBot(unknown())
    outcome = await fetch(shared(), Implementation(bot))
    assert outcome.failed == [("get_file", Cause.UNSUPPORTED)]
    assert bot.actions == ["get_file"]


@pytest.mark.parametrize(
    "answer", [{"url": "/path"}, {"url": ""}, {}, None, [], failed(1200, message="file not found")]
)
async def test_the_group_gives_none(answer: object) -> None:
    bot = FakeBot(unknown(), get_group_file_url=answer)
    assert not (await fetch(shared(group_id=20001), Implementation(bot))).fetched


async def test_a_name_is_no_promise(server: Server) -> None:
    server["/f"] = reply(b"MZ and so on")
    outcome = await fetch(shared(url=server.url("/f"), size=None), None)
    assert outcome.failed == [("url of the segment", Cause.REJECTED)]


async def test_one_that_could_break_the_connection_is_not_asked_for() -> None:
    bot = FakeBot(unknown())
    outcome = await fetch(shared(size=5_000_000), Implementation(bot, frame_limit=1 << 20))
    assert outcome.failed == [("get_file", Cause.SKIPPED)]
    assert "get_file" not in bot.actions


async def test_an_image_is_no_shared_file() -> None:
    bot = FakeBot(unknown())
    await fetch(ImageReference(self_id="10001", file="a.png"), Implementation(bot))
    assert "get_file" not in bot.actions
    assert "get_group_file_url" not in bot.actions
