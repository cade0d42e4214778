"""A day in a chat: a real bot, four simulated implementations, and what became of each picture."""

import asyncio
import hashlib
import json
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..language import Text, chosen
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


def play(*, as_json: bool, keep: bool = False) -> int:
    """Play the day and print what happened.

    Args:
        as_json: print one JSON object at the end, and the table to standard error.
        keep: leave the bot's folder where it is.

    Returns:
        The exit status: 1 if a picture that can be had was not.
    """
    # a shell has those that it starts in the background ignore Ctrl-C, and the others go through it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):  # as with Ctrl-C, nothing is to be left behind
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="qqimage-demo-"))
    try:
        return asyncio.run(_play(folder, Report(as_json=as_json, kept=keep)))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _interrupt(number: int, frame: object) -> None:
    signal.raise_signal(signal.SIGINT)


async def _play(folder: Path, report: Report) -> int:
    # the pictures nobody can have should not keep the demo waiting
    settings = {"QQIMAGE__DOWNLOAD_TIMEOUT": 3, "QQIMAGE__LANGUAGE": chosen()}
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
    yield _scene(Text("group picture"), implementation, holiday)

    private = implementation.picture(PHOTO, kind="private")
    await implementation.send_private(private)
    yield _scene(Text("private picture"), implementation, private)

    three = [implementation.picture(png(seed=seed)) for seed in (2, 3, 4)]
    await implementation.send_group(three)
    yield _scene(Text("three in one message"), implementation, *three)

    sticker = implementation.picture(STICKER, sticker=True)
    await implementation.send_group(sticker)
    yield _scene(Text("sticker"), implementation, sticker)

    moving = implementation.picture(ANIMATION)
    await implementation.send_group(moving)
    yield _scene(Text("GIF"), implementation, moving)

    webp = implementation.picture(WEBP, name=f"{hashlib.md5(WEBP).hexdigest().upper()}.jpg")
    await implementation.send_group(webp)
    yield _scene(Text("WebP named .jpg"), implementation, webp)

    face = napcat.market_face(ANIMATION[:-1] + b";")
    await napcat.send_group(face)
    yield _scene(Text("market face"), napcat, face)

    late = implementation.picture(png(seed=5))
    yield await _belated(Text("link dead on arrival"), implementation, late, cdn.expire_keys)

    await implementation.send_group("what is this?", quote=first)
    yield Scene(
        Text("quoted after its link died"), implementation, ((holiday.hosted.data, first_url),)
    )

    again = implementation.picture(holiday.hosted.data)
    await implementation.send_group(again)
    yield _scene(Text("sent again"), implementation, again)

    distant = napcat.picture(png(seed=6))
    await napcat.send_group(distant)
    yield _scene(Text("its file not readable here"), napcat, distant)

    cdn.faults.abroad = "hang"
    refused = implementation.picture(png(seed=7))
    await implementation.send_group(refused)
    yield _scene(Text("image host refuses the bot"), implementation, refused)

    both = inlining.picture(png(seed=8))
    await inlining.send_group(both)
    yield _scene(Text("refused, and no file"), inlining, both)
    cdn.faults.abroad = None

    portal = inlining.picture(png(seed=9))
    cdn.faults.set(Fault.HTML, fileid=portal.hosted.fileid)
    await inlining.send_group(portal)
    yield _scene(Text("a web page in its place"), inlining, portal)

    plain = lagrange.picture(png(seed=10))
    await lagrange.send_group(plain)
    yield _scene(Text("Lagrange: no get_image"), lagrange, plain)

    early = lagrange.picture(png(seed=12))
    yield await _belated(Text("its key replaced early"), lagrange, early, cdn.rotate_keys)

    lost = lagrange.picture(png(seed=11))
    cdn.faults.set(Fault.EXPIRED, fileid=lost.hosted.fileid)
    await lagrange.send_group(lost)
    yield Scene(Text("nobody has it any more"), lagrange, (_shown(cdn, lost),), possible=False)


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
        return Text("nothing within {seconds:g} s", seconds=_NAIVE_PATIENCE)
    except httpx.HTTPError as error:
        return type(error).__name__
    if response.content == data:
        return Text("the picture")
    if response.headers.get("content-type", "").startswith("text/html"):
        return Text("a web page")
    message = response.json().get("retmsg", "") if response.content[:1] == b"{" else ""
    return str(message or f"HTTP {response.status_code}")
