"""What an implementation is sent in place of our URLs, and what it is not."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nonebot.adapters.onebot.v11 import Message, MessageSegment
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.hooks.rewriting import Rewriting
from nonebot_plugin_qqimage.bot.outgoing import outgoing
from nonebot_plugin_qqimage.bot.outgoing.outgoing import Outgoing
from nonebot_plugin_qqimage.bot.outgoing.substitutes import as_uri, implementations_path
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.messages.events import find_sent

from .. import samples
from ..served_pictures import CDN, World, group_message, image, serving

PNG = samples.png()
ENCODED = f"base64://{base64.b64encode(PNG).decode()}"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with serving(tmp_path, World(a=PNG, b=samples.GIF)) as services:
        yield services


@pytest.fixture
def log() -> Any:
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    yield lines
    logger.remove(sink)


def received(services: Services, *segments: MessageSegment) -> Message:
    """A message whose pictures a plugin sees with URLs of ours."""
    event = group_message(*segments)
    Rewriting(ScopedConfig(rewrite_url=True), services.links).in_event(event)
    assert all("qqimage=" in segment.data["url"] for segment in event.message)
    return event.message


async def sent(services: Services, content: Any, /, **params: Any) -> Any:
    params["message"] = content
    await Outgoing(replace(services, config=ScopedConfig(**params.pop("settings", {})))).translate(
        params
    )
    return params["message"]


def of(message: Any) -> list[Any]:
    """The data of a message's segments, as the adapter writes them into its frame."""
    return [
        json.loads(json.dumps(getattr(segment, "__dict__", segment)))["data"] for segment in message
    ]


async def test_a_received_picture_is_sent_as_its_content(services: Services) -> None:
    """Implementations would fetch `url` before they look at `file`."""
    message = received(services, image("a", summary="[动画表情]", sub_type=1, path="/a"))
    kept = deepcopy(message)
    assert of(await sent(services, message)) == [
        {"file": ENCODED, "summary": "[动画表情]", "sub_type": 1}
    ]
    assert message == kept  # the plugin may send it again in a year


def shapes(message: Message) -> dict[str, Any]:
    dicts = [{"type": segment.type, "data": segment.data} for segment in message]
    return {
        "message": message,
        "text before": "look: " + message,
        "segments": list(message),
        "segment": message[0],
        "dicts": dicts,
        "dict": dicts[0],
        "codes": str(message),
        "node": [MessageSegment.node_custom(1, "me", message)],
        "nodes of dicts": [{"type": "node", "data": {"user_id": 1, "content": dicts}}],
        "node of a segment": [MessageSegment("node", {"content": message[0]})],
        "node of a dict": [{"type": "node", "data": {"content": dicts[0]}}],
        "node of codes": [{"type": "node", "data": {"content": str(message)}}],
        "node in node": [
            MessageSegment.node_custom(
                1, "me", Message(MessageSegment.node_custom(1, "me", message))
            )
        ],
    }


@pytest.mark.parametrize("shape", list(shapes(Message(image()))))
@pytest.mark.parametrize("parameter", ["message", "messages"])
async def test_every_shape_of_a_message(services: Services, shape: str, parameter: str) -> None:
    content = shapes(received(services, image("a")))[shape]
    kept = deepcopy(content)
    params = {parameter: content, "group_id": 1}
    await Outgoing(replace(services, config=ScopedConfig())).translate(params)
    text = json.dumps(params, default=vars)
    assert text.count(ENCODED) == 1
    assert "qqimage" not in text
    assert "http" not in text
    assert content == kept


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "[CQ:image,file=a.png]",
        Message("text"),
        Message(image("a")),
        [{"type": "image", "data": {"file": "base64://", "url": CDN.format("a")}}],
        MessageSegment.node_custom(1, "me", Message(image("a"))),
        MessageSegment.node(5),
        [None, 5, {}, {"type": "image"}, {"type": "node", "data": {"content": None}}],
        MessageSegment.image("qqimage:5"),
        MessageSegment.image("http://127.0.0.1:8080/qqimage/download?qqimage=forged"),
        None,
    ],
)
async def test_what_is_not_ours_is_left_alone(services: Services, content: Any) -> None:
    kept = deepcopy(content)
    assert await sent(services, content) is content
    assert content == kept


async def test_codes_that_are_text(services: Services) -> None:
    text = str(received(services, image("a")))
    assert await sent(services, text, auto_escape=True) == str(image("a"))


async def test_a_url_alone_is_enough(tmp_path: Path) -> None:
    """As a word bank keeps it, or a plugin that sends what it downloads; of another port, too."""
    async with serving(tmp_path, World(a=PNG), "http://127.0.0.1:1") as services:
        url = received(services, image("a"))[0].data["url"]
    async with serving(tmp_path, World(a=PNG), "") as services:
        for segment in (MessageSegment.image(url), image("", url=url), image("a", url=url)):
            assert of(await sent(services, Message(segment)))[0]["file"] == ENCODED


async def test_a_uri(services: Services) -> None:
    uri = await services.resolver.image(image("a")).uri()
    assert of(await sent(services, MessageSegment.image(uri) + "text"))[0]["file"] == ENCODED


async def test_a_picture_that_the_plugin_has_changed(services: Services) -> None:
    message = received(services, image("a"))
    message[0].data["file"] = "base64://other"
    assert of(await sent(services, message)) == [{"file": "base64://other"}]


async def test_a_url_that_the_plugin_has_changed(services: Services) -> None:
    message = received(services, image("a"))
    message[0].data["url"] = "https://example.com/a.png"
    (data,) = of(await sent(services, message))
    assert data == image("a", url="https://example.com/a.png").data


async def test_a_market_face_stays_one(services: Services) -> None:
    face = MessageSegment("mface", {"url": CDN.format("a"), "emoji_id": "5", "key": "6"})
    assert of(await sent(services, received(services, face))) == [face.data]


async def test_what_cannot_be_had_is_sent_as_it_was_received(
    tmp_path: Path, log: list[str]
) -> None:
    in_file = image("gone2", file=CDN.format("gone2"))
    async with serving(tmp_path, World(a=PNG)) as services:
        message = received(services, image("gone"), image("a"), in_file)
    async with serving(tmp_path, World(a=PNG)) as services:  # which has not seen the whole URLs
        first, second, third = of(await sent(services, message))
        assert first == image("gone").data
        assert second == {"file": ENCODED}
        assert third == in_file.data
        (line,) = [line for line in log if "sent as they were received" in line]
        assert "2 of the 3" in line
        assert "gone.jpg" in line


async def test_a_damaged_token_beside_the_originals(services: Services) -> None:
    """An earlier release has put them there, and a plugin has saved both."""
    url = received(services, image("a"))[0].data["url"] + "x"
    message = Message(image("a", url=url, qqimage_original_url=CDN.format("a")))
    assert of(await sent(services, message)) == [{"file": ENCODED}]


async def test_waiting_has_an_end(
    services: Services, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_PATIENCE", 0.01)
    message = received(services, image("slow"), image("a"))
    assert of(await sent(services, message))[0] == image("slow").data
    assert len([line for line in log if "slow.jpg" in line and "0.01 s" in line]) == 1


async def test_an_error_in_another_hook_ends_the_wait(services: Services) -> None:
    """NoneBot then makes the call at once, with what the parameters are by then."""
    params: dict[str, Any] = {"message": received(services, image("slow"))}
    translating = asyncio.create_task(
        Outgoing(replace(services, config=ScopedConfig())).translate(params)
    )
    await asyncio.sleep(0)
    translating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await translating
    assert of(params["message"]) == [image("slow").data]


LARGE = samples.png(filler=5000)


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"path_map": {"/app/images": "{store}"}}, "file:///app/images/images/"),
        ({"public_url": "https://bot.example.com"}, "https://bot.example.com/qqimage/download?"),
        ({"path_map": {"/app": "/elsewhere"}}, ""),
    ],
)
async def test_pictures_too_large_for_a_frame(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: list[str],
    settings: dict[str, Any],
    start: str,
) -> None:
    monkeypatch.setattr(outgoing, "_MAX_INLINE", 6000)
    settings = json.loads(json.dumps(settings).replace("{store}", str(tmp_path / "store")))
    async with serving(tmp_path, World(a=PNG, large=LARGE), **settings) as services:
        message = received(services, image("large"), image("a"))
        large, small = of(await sent(services, message, settings=settings))
        assert small["file"] == ENCODED
        if start:
            assert large["file"].startswith(start)
            assert "url" not in large
        else:
            assert large == image("large").data
            assert any("QQIMAGE__PATH_MAP" in line for line in log)


async def test_all_pictures_of_a_call_share_its_frame(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_MAX_INLINE", len(ENCODED) * 2)
    message = received(services, *[image("a")] * 3)
    files = [data["file"] for data in of(await sent(services, message))]
    assert files == [ENCODED, ENCODED, "a.jpg"]


async def test_what_was_sent_is_kept_by_its_content(services: Services) -> None:
    content = await sent(services, received(services, image("a")))
    (seen,) = find_sent("10001", {"message": content, "group_id": 1}, {"message_id": 5})
    assert seen.reference.content == ENCODED


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("/app/llbot/data", "file:///app/llbot/data/images/ab/a%20b.png"),
        ("C:\\bot data", "file:///C:/bot%20data/images/ab/a%20b.png"),
        ("D:/bot", "file:///D:/bot/images/ab/a%20b.png"),
        ("\\\\nas\\share", "file://nas/share/images/ab/a%20b.png"),
    ],
)
def test_the_implementation_s_name_of_a_file(tmp_path: Path, prefix: str, expected: str) -> None:
    path = tmp_path / "images" / "ab" / "a b.png"
    path_map = {
        "/other": str(tmp_path / "other"),
        prefix: str(tmp_path),
        "/all": str(tmp_path.parent),
    }
    assert as_uri(implementations_path(path, path_map)) == expected
    assert implementations_path(Path("elsewhere.png").absolute(), {prefix: str(tmp_path)}) == ""
