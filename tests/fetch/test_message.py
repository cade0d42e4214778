"""The message is asked for again: its links are fresh then."""

from typing import Any

import pytest

from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..implementation.fake_bot import FakeBot, failed, unknown
from .fetching import PNG, fetch
from .http_server import Server, reply

TEXT = {"type": "text", "data": {"text": "hi"}}


def image(name: str, url: str) -> dict[str, Any]:
    return {"type": "image", "data": {"file": name, "url": url}}


def reference(**fields: Any) -> ImageReference:
    return ImageReference(**{"self_id": "10001", "message_id": "-77", "file": "a.png", **fields})


@pytest.fixture
def url(server: Server) -> str:
    server["/fresh"] = reply(PNG)
    return server.url("/fresh")


@pytest.mark.parametrize("way", ["list", "CQ codes", "content"])
async def test_a_fresh_link(url: str, way: str) -> None:
    content: Any = [TEXT, image("a.png", url)]
    if way == "CQ codes":
        content = f"hi[CQ:image,file=a.png,url={url}]"
    answer = {"content" if way == "content" else "message": content}
    bot = FakeBot(unknown(), get_msg=answer)
    outcome = await fetch(reference(), Implementation(bot))
    assert outcome.source == "url in get_msg"
    assert dict(bot.calls)["get_msg"]["message_id"] == -77


async def test_the_image_at_the_same_place(server: Server, url: str) -> None:
    segments = [image("a.png", server.url("/0")), TEXT, image("a.png", url)]
    bot = FakeBot(unknown(), get_msg={"message": segments})
    assert (await fetch(reference(position=1), Implementation(bot))).source == "url in get_msg"
    assert server.targets == ["/fresh"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([image("b.png", "http://127.0.0.1:1/")], id="another image there"),
        pytest.param([TEXT], id="no image there"),
        pytest.param([image("a.png", "")], id="no link"),
        pytest.param([{"type": "image", "data": {"file": None, "url": None}}], id="Lagrange's own"),
        pytest.param([None, 5, {"type": "image"}], id="odd"),
        pytest.param("", id="empty"),
        pytest.param(None, id="nothing"),
    ],
)
async def test_no_fresh_link(content: Any) -> None:
    outcome = await fetch(
        reference(), Implementation(FakeBot(unknown(), get_msg={"message": content}))
    )
    assert outcome.failed == [("get_image", Cause.UNSUPPORTED)]


async def test_a_link_that_was_tried_is_not_tried_again(server: Server) -> None:
    stale = server.url("/stale")
    bot = FakeBot(unknown(), get_msg={"message": [image("a.png", stale)]})
    outcome = await fetch(reference(url=stale), Implementation(bot))
    assert ("url of the segment", Cause.NOT_FOUND) in outcome.failed
    assert server.targets == ["/stale"]


async def test_a_market_face(url: str) -> None:
    face = {"type": "mface", "data": {"emoji_id": "x", "url": url}}
    bot = FakeBot(unknown(), get_msg={"message": [face]})
    outcome = await fetch(reference(file="", face_id="x"), Implementation(bot))
    assert outcome.source == "url in get_msg"
    assert "get_image" not in bot.actions


async def test_the_implementation_has_forgotten_the_message() -> None:
    bot = FakeBot(unknown(), get_msg=failed(1200, message="消息不存在"))
    assert ("url in get_msg", Cause.NOT_FOUND) in (
        await fetch(reference(), Implementation(bot))
    ).failed


@pytest.mark.parametrize(
    "fields",
    [
        {"own": True, "file": "", "content": "base64://x"},
        *({"message_id": odd} for odd in ("", "x", "--5", "-", "5-", "1.5", "５", "²", "9" * 5000)),
        {"message_id": "forward:7", "forwarded": True},
    ],
)
async def test_no_message_to_ask_for(fields: dict[str, Any]) -> None:
    bot = FakeBot(unknown())
    await fetch(reference(**fields), Implementation(bot))
    assert "get_msg" not in bot.actions
