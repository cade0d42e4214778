"""Writes down which pictures have come, once they are kept; looks around and forgets when told."""

import copy
import json
import time
from pathlib import Path

from nonebot import on_message, require
from nonebot.adapters.onebot.v11 import Bot, GroupMessageEvent

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images, ImageUnavailable, get_resolver

_SEEN = Path("seen.jsonl")


@on_message(priority=0, block=True).handle()
async def _(bot: Bot, event: GroupMessageEvent, images: Images) -> None:
    text = event.get_plaintext()
    if text == "look":
        Path("look.json").write_text(json.dumps(await _known(event)))
    elif text == "forget":
        gone = await get_resolver().forget(chat=f"group:{event.group_id}")
        Path("forgotten.json").write_text(json.dumps(gone))
    for image in images:
        begun = time.monotonic()
        try:
            data = await image.read()
            waited = time.monotonic() - begun
            path = await image.path()
            line = {"right": path.read_bytes() == data, "sha256": (await image.info()).sha256}
        except ImageUnavailable as error:
            line, waited = {"error": str(error)}, time.monotonic() - begun
        with _SEEN.open("a") as file:
            file.write(json.dumps({"message": event.message_id, "waited": waited, **line}) + "\n")


async def _known(event: GroupMessageEvent) -> dict[str, object]:
    """What is known of a chat: every picture, and the latest ones as each bot would be told."""
    found = await get_resolver().find(chat=f"group:{event.group_id}", limit=100_000)
    latest: dict[str, object] = {}
    for bot in sorted({each.reference.self_id for each in found}):
        asking = copy.copy(event)
        asking.self_id = int(bot)
        images = await get_resolver().latest(asking, 100)
        latest[bot] = [(it.reference.message_id, (await it.info()).sha256) for it in images]
    seen = [(it.reference.self_id, it.reference.message_id, it.sha256) for it in found]
    return {"find": seen, "latest": latest}
