"""A day in a chat: a real bot, three simulated implementations, and what became of each picture."""

import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..simulator.image_host.cdn import SimulatedCdn
from ..simulator.image_host.faults import Fault
from ..simulator.implementation import SimulatedImplementation
from ..simulator.messages import MarketFace, Picture
from ..simulator.pictures import ANIMATION, PHOTO, STICKER, WEBP, png
from ..simulator.transports.reverse_ws import ReverseWebSocket
from ..store.image_store import ImageStore
from .bot_process import BotProcess
from .report import Report, Row

_NAIVE_PATIENCE = 1.0
"""Seconds the plain download waits; a real one would wait longer, for as little."""
_ANSWER_PATIENCE = 30.0


def play(*, as_json: bool) -> int:
    """Play the day and print what happened.

    Args:
        as_json: print one JSON object at the end, and the table to standard error.

    Returns:
        The exit status: 1 if a picture that can be had was not.
    """
    return asyncio.run(_play(Report(as_json=as_json)))


async def _play(report: Report) -> int:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qqimage-demo-"))
    # the pictures nobody can have should not keep the demo waiting
    settings = {"QQIMAGE__DOWNLOAD_TIMEOUT": 3}
    async with AsyncExitStack() as stack:
        cdn = await stack.enter_async_context(SimulatedCdn())
        bot = await stack.enter_async_context(BotProcess(folder / "bot", settings))
        implementations = {
            "luckylilliabot": SimulatedImplementation(
                "luckylilliabot-8", cdn, self_id=10001, file_dir=folder / "llbot"
            ),
            "napcat": SimulatedImplementation(
                "napcat", cdn, self_id=10002, reported_dir="/app/.config/QQ"
            ),
            "inlining": SimulatedImplementation("napcat", cdn, self_id=10003, inline_base64=True),
            "lagrange": SimulatedImplementation("lagrange", cdn, self_id=10004),
        }
        for implementation in implementations.values():
            await stack.enter_async_context(ReverseWebSocket(implementation, bot.ws_url))
            await implementation.connected(1, timeout=_ANSWER_PATIENCE)
        report.begin(bot.ws_url)
        async for scene in _scenes(cdn, **implementations):
            for row in await _watch(scene):
                report.add(row)
    store = ImageStore(bot.store, max_size=1 << 40, max_age=1 << 40)
    totals = await store.totals()
    await store.close()
    report.end(bot.store, totals.images, totals.bytes)
    return 0 if report.ok else 1


@dataclass(frozen=True)
class Scene:
    """Pictures that have just been sent to the bot."""

    case: str
    """What is special about them."""
    implementation: SimulatedImplementation
    """Whose bot got them."""
    shown: tuple[tuple[bytes, str], ...]
    """Each picture's true bytes, and the URL that its segment said."""
    possible: bool = True
    """Whether they can be had at all."""


async def _scenes(
    cdn: SimulatedCdn,
    luckylilliabot: SimulatedImplementation,
    napcat: SimulatedImplementation,
    inlining: SimulatedImplementation,
    lagrange: SimulatedImplementation,
) -> AsyncGenerator[Scene, None]:
    """The day, one scene after the other; each is sent when it is asked for."""
    implementation = luckylilliabot
    holiday = implementation.picture(png(seed=1))
    first = await implementation.send_group(holiday)
    first_url = cdn.url(holiday.hosted)
    yield _scene("group picture", implementation, holiday)

    private = implementation.picture(PHOTO, kind="private")
    await implementation.send_private(private)
    yield _scene("private picture", implementation, private)

    three = [implementation.picture(png(seed=seed)) for seed in (2, 3, 4)]
    await implementation.send_group(three)
    yield _scene("three in one message", implementation, *three)

    sticker = implementation.picture(STICKER, sticker=True)
    await implementation.send_group(sticker)
    yield _scene("sticker", implementation, sticker)

    moving = implementation.picture(ANIMATION)
    await implementation.send_group(moving)
    yield _scene("GIF", implementation, moving)

    webp = implementation.picture(WEBP, name=f"{hashlib.md5(WEBP).hexdigest().upper()}.jpg")
    await implementation.send_group(webp)
    yield _scene("WebP that says it is a JPEG", implementation, webp)

    face = napcat.market_face(ANIMATION[:-1] + b";")
    await napcat.send_group(face)
    yield _scene("market face", napcat, face)

    late = implementation.picture(png(seed=5))
    yield await _belated("link dead on arrival", implementation, late, cdn.expire_keys)

    await implementation.send_group("what is this?", quote=first)
    yield Scene("quoted after its link died", implementation, ((holiday.hosted.data, first_url),))

    again = implementation.picture(holiday.hosted.data)
    await implementation.send_group(again)
    yield _scene("sent again", implementation, again)

    distant = napcat.picture(png(seed=6))
    await napcat.send_group(distant)
    yield _scene("its file not readable here", napcat, distant)

    cdn.faults.abroad = "hang"
    refused = implementation.picture(png(seed=7))
    await implementation.send_group(refused)
    yield _scene("image host refuses this bot", implementation, refused)

    both = inlining.picture(png(seed=8))
    await inlining.send_group(both)
    yield _scene("refused, and no file either", inlining, both)
    cdn.faults.abroad = None

    portal = inlining.picture(png(seed=9))
    cdn.faults.set(Fault.HTML, fileid=portal.hosted.fileid)
    await inlining.send_group(portal)
    yield _scene("a web page in its place", inlining, portal)

    plain = lagrange.picture(png(seed=10))
    await lagrange.send_group(plain)
    yield _scene("Lagrange, which has no get_image", lagrange, plain)

    early = lagrange.picture(png(seed=12))
    yield await _belated("the same, its key replaced early", lagrange, early, cdn.rotate_keys)

    lost = lagrange.picture(png(seed=11))
    cdn.faults.set(Fault.EXPIRED, fileid=lost.hosted.fileid)
    await lagrange.send_group(lost)
    yield Scene("nobody has it any more", lagrange, (_shown(cdn, lost),), possible=False)


async def _belated(
    case: str, implementation: SimulatedImplementation, picture: Picture, happen: Callable[[], None]
) -> Scene:
    """A picture whose link is written before something happens, and sent after it."""
    message = implementation.message("group", picture)
    implementation.remember(message)
    frame, scene = implementation.flavour.event(message), _scene(case, implementation, picture)
    happen()
    await implementation.push(frame)
    return scene


def _scene(
    case: str, implementation: SimulatedImplementation, *parts: Picture | MarketFace
) -> Scene:
    return Scene(case, implementation, tuple(_shown(implementation.cdn, part) for part in parts))


def _shown(cdn: SimulatedCdn, part: Any) -> tuple[bytes, str]:
    return part.hosted.data, cdn.url(part.hosted)


async def _watch(scene: Scene) -> list[Row]:
    started = time.perf_counter()
    answers: list[tuple[dict[str, Any], int]] = []
    for _ in scene.shown:
        told = json.loads((await scene.implementation.next_sent(_ANSWER_PATIENCE)).text)
        answers.append((told, round((time.perf_counter() - started) * 1000)))
    return [
        Row(
            case=scene.case,
            naive=await asyncio.to_thread(_naive, url, data),
            source=told.get("source"),
            sha256=told.get("sha256"),
            mime=told.get("mime"),
            width=told.get("width"),
            height=told.get("height"),
            ms=milliseconds,
            explanation=told.get("text", ""),
            possible=scene.possible,
            right=told.get("sha256") == hashlib.sha256(data).hexdigest(),
        )
        for (data, url), (told, milliseconds) in zip(scene.shown, answers, strict=True)
    ]


def _naive(url: str, data: bytes) -> str:
    """What a plugin gets that knows nothing of all this."""
    try:
        response = httpx.get(url, timeout=_NAIVE_PATIENCE, trust_env=False)
    except httpx.TimeoutException:
        return f"nothing within {_NAIVE_PATIENCE:g} s"
    except httpx.HTTPError as error:
        return type(error).__name__
    if response.content == data:
        return "the picture"
    if response.headers.get("content-type", "").startswith("text/html"):
        return f"HTTP {response.status_code}, a web page"
    message = response.json().get("retmsg", "") if response.content[:1] == b"{" else ""
    return f"HTTP {response.status_code} {message}".strip()
