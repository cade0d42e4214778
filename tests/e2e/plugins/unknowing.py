"""Knows nothing of our plugin: downloads what segments say, sends them again, keeps them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
from nonebot import on_command
from nonebot.adapters.onebot.v11 import Bot, GroupMessageEvent, Message, MessageSegment
from nonebot.matcher import Matcher


async def download(message: Any) -> list[str]:
    """The digests of all pictures, as `url` leads to them."""
    urls = [part["data"]["url"] for part in as_dicts(message) if part["type"] == "image"]
    async with httpx.AsyncClient(trust_env=False) as client:
        return [hashlib.sha256((await client.get(url)).content).hexdigest() for url in urls]


def as_dicts(message: Any) -> list[dict[str, Any]]:
    return [getattr(segment, "__dict__", segment) for segment in message]


def _word_bank(event: GroupMessageEvent) -> Path:
    """The file for the word behind the command."""
    return Path(event.get_plaintext().split()[1])


@on_command("fetch", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent) -> None:
    quoted = event.reply.message if event.reply else []
    messages = (event.message, event.original_message, quoted)
    await matcher.send(json.dumps([await download(message) for message in messages]))


@on_command("again", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent) -> None:
    await matcher.send(event.message["image"])


@on_command("node", priority=0, block=True).handle()
async def _(bot: Bot, event: GroupMessageEvent) -> None:
    node = MessageSegment.node_custom(event.user_id, "somebody", event.message["image"])
    await bot.send_group_forward_msg(group_id=event.group_id, messages=[node])


@on_command("save", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent) -> None:
    words = json.dumps([as_dicts(event.message["image"]), str(event.message["image"])])
    _word_bank(event).write_text(words)
    await matcher.send("saved")


@on_command("recall", priority=0, block=True).handle()
async def _(bot: Bot, matcher: Matcher, event: GroupMessageEvent) -> None:
    segments, codes = json.loads(_word_bank(event).read_text())
    await matcher.send(Message(MessageSegment(**segment) for segment in segments))
    await bot.send_group_msg(group_id=event.group_id, message=codes)


@on_command("ask", priority=0, block=True).handle()
async def _(bot: Bot, matcher: Matcher, event: GroupMessageEvent) -> None:
    answer = await bot.get_image(file=event.message["image"][0].data["file"])
    content = Path(answer["file"]).read_bytes()  # noqa: ASYNC240
    message = await bot.get_msg(message_id=event.message_id)
    by_url = await download([{"type": "image", "data": answer}])
    digests = [hashlib.sha256(content).hexdigest(), *by_url, *await download(message["message"])]
    await matcher.send(json.dumps(digests))


@on_command("see", priority=0, block=False).handle()
async def _(matcher: Matcher, event: GroupMessageEvent) -> None:
    url: str = event.message["image"][0].data["url"]
    await matcher.send(f"here {url[::-1]} said {url}")
