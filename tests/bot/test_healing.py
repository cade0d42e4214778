"""Received segments that are sent again: with the picture in them where their link must be dead."""

import base64
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from nonebot.adapters.onebot.v11 import Message, MessageSegment

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.outgoing.outgoing import Outgoing
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid
from nonebot_plugin_qqimage.simulator.pictures import png, qq_name

from ..served_pictures import CDN, World, group_message, serving

PICTURE = png(64, 40)
ENCODED = f"base64://{base64.b64encode(PICTURE).decode()}"


def received(data: bytes = PICTURE, *, key: str = "CAQSKAB6", **options: Any) -> MessageSegment:
    url = CDN.format(new_fileid(data, "group", **options)).replace("CAQSKAB6", key)
    fields = {"file": qq_name(data), "url": url, "file_size": str(len(data)), "summary": ""}
    return MessageSegment("image", fields)


async def seen(services: Services, segment: MessageSegment) -> None:
    """Let a picture come in a message, and be stored."""
    event = group_message(segment)
    Intake(services).received(event)
    for image in await services.resolver.images(event):
        await image


async def sent(services: Services, content: Any) -> Any:
    params = {"message": content, "group_id": 1}
    await Outgoing(services).translate(params, "10001")
    return params["message"]


class Late:
    """A clock that can be put forward."""

    ahead = 0.0


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Late:
    clock, now = Late(), time.time
    monkeypatch.setattr(time, "time", lambda: now() + clock.ahead)
    return clock


def world(segment: MessageSegment) -> World:
    return World(**{segment.data["url"].partition("fileid=")[2].partition("&")[0]: PICTURE})


def shapes(segment: MessageSegment) -> dict[str, Any]:
    node = MessageSegment.node_custom(1, "me", Message(segment))
    return {
        "message": "look: " + Message(segment),
        "segment": segment,
        "dicts": [{"type": "image", "data": dict(segment.data)}],
        "code": f"look: {segment}",
        "node": [node],
        "node of a code": [{"type": "node", "data": {"content": str(segment)}}],
    }


@pytest.mark.parametrize("shape", list(shapes(received())))
async def test_a_key_that_is_too_old(tmp_path: Path, late: Late, shape: str) -> None:
    segment = received()
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        content = shapes(segment)[shape]
        kept = deepcopy(content)
        assert await sent(services, content) is content  # it lives
        late.ahead = 3000
        assert await sent(services, content) is content
        late.ahead = 3700
        healed = str(await sent(services, content))
        assert ENCODED in healed
        assert "rkey" not in healed
        assert content == kept


async def test_a_key_that_was_refused(tmp_path: Path) -> None:
    segment, other = received(), received(png(65, 40))
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        assert await sent(services, Message(segment)) == Message(segment)
        event = group_message(other)
        with pytest.raises(Exception, match="expired"):
            await (await services.resolver.images(event))[0]
        (healed,) = await sent(services, Message(segment))
        assert healed.data == {"file": ENCODED, "summary": ""}
        (unknown,) = await sent(services, Message(other))  # which is not stored
        assert unknown == other


async def test_a_link_without_a_key_and_one_that_nobody_saw(tmp_path: Path) -> None:
    segment = received()
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        for older in (received(key=""), received(key="OTHER")):
            (healed,) = await sent(services, Message(older))
            assert healed.data["file"] == ENCODED


async def test_what_qq_keeps_no_longer(tmp_path: Path) -> None:
    segment = received(uploaded_at=time.time() - 100, ttl=10)
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        (healed,) = await sent(services, Message(segment))
        assert healed.data["file"] == ENCODED


async def test_what_a_plugin_has_put_in_its_place(tmp_path: Path, late: Late) -> None:
    segment = received()
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        late.ahead = 3700
        for file in ("base64://other", "file:///other.png", "https://example.com/other.png"):
            changed = MessageSegment("image", {**segment.data, "file": file})
            assert await sent(services, changed) is changed
        text = str(segment)
        params = {"message": text, "auto_escape": True}
        await Outgoing(services).translate(params, "10001")
        assert params["message"] == text


async def test_a_link_in_file(tmp_path: Path, late: Late) -> None:
    segment = received()
    segment.data["file"] = segment.data["url"]  # as Lagrange writes it
    async with serving(tmp_path, world(segment), "") as services:
        await seen(services, segment)
        late.ahead = 3700
        (healed,) = await sent(services, Message(segment))
        assert healed.data == {"file": ENCODED, "summary": ""}
