"""Writes down which pictures have come, once they are kept; looks around and forgets when told."""

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
        found = await get_resolver().find(chat=f"group:{event.group_id}", limit=100_000)
        seen = [(it.reference.self_id, it.reference.message_id, it.sha256) for it in found]
        Path("look.json").write_text(json.dumps(seen))
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
