"""Downloads in async handlers with clients that block the event loop, as many plugins do."""

import asyncio
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import httpx
import requests
from nonebot import get_driver, on_command
from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.matcher import Matcher

if get_driver().config.event_loop == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
else:
    sys.modules["uvloop"] = None  # type: ignore[assignment]  uvicorn takes it where it can


def with_requests(url: str) -> tuple[int, bytes]:
    response = requests.get(url)
    return response.status_code, response.content


def with_urllib(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def with_httpx(url: str) -> tuple[int, bytes]:
    with httpx.Client() as client:
        response = client.get(url)
    return response.status_code, response.content


CLIENTS: dict[str, Callable[[str], tuple[int, bytes]]] = {
    "requests": with_requests,
    "urllib": with_urllib,
    "httpx": with_httpx,
}


@on_command("get", priority=0, block=True).handle()
async def _(matcher: Matcher, event: MessageEvent) -> None:
    get, told = CLIENTS[event.get_plaintext().split()[1]], []
    for segment in event.message["image"]:
        started = time.monotonic()
        try:
            status, content = get(segment.data["url"])
        except (OSError, httpx.HTTPError) as error:
            status, content = 0, repr(error).encode()
        taken = time.monotonic() - started
        text = content.decode("utf-8", "replace") if status != 200 else ""
        told.append([status, hashlib.sha256(content).hexdigest(), taken, text])
    await matcher.send(json.dumps(told))


@on_command("loop", priority=0, block=True).handle()
async def _(matcher: Matcher) -> None:
    await matcher.send(type(asyncio.get_running_loop()).__module__.partition(".")[0])
