"""Every recorded event, over a real socket into a real bot: what becomes of its pictures?"""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.implementation_files import FileFault
from nonebot_plugin_qqimage.simulator.messages import (
    MarketFace,
    Message,
    Picture,
    Quote,
    SharedFile,
)
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from ..simulator.reading import Reader
from ..transcripts import Line, load
from .bots import PATIENCE, started, told

TRANSCRIPTS = {"luckylilliabot-8": "luckylilliabot-8.1.7", "napcat": "napcat-4.18.19"}
EVENTS = {
    flavour: [line for line in load(name) if line.kind == "event"]
    for flavour, name in TRANSCRIPTS.items()
}

# What the image host did to a picture, by the recorded event before it.
CDN_FAULTS = {
    ("luckylilliabot-8", "event-before-hang"): Fault.HANG,
    ("luckylilliabot-8", "event-before-expired-url"): Fault.EXPIRED,
    ("luckylilliabot-8", "event-before-404"): Fault.NOT_FOUND,
    ("luckylilliabot-8", "event-before-html-saved-as-ok"): Fault.HTML,
    ("luckylilliabot-8", "event-before-connection-reset"): Fault.RESET,
    ("luckylilliabot-8", "event-before-truncated"): Fault.TRUNCATED,
}
FILE_FAULTS = {
    ("napcat", "event-before-file-missing"): FileFault.MISSING,
    ("napcat", "event-base64-option-off-file-missing"): FileFault.MISSING,
}
# The events whose picture nobody can have, and how the bot is told.
FAILURES = {
    ("luckylilliabot-8", "event-before-hang"): "ImageUnavailable",
    ("luckylilliabot-8", "event-before-expired-url"): "ImageExpired",
    ("luckylilliabot-8", "event-before-404"): "ImageNotFound",
    ("luckylilliabot-8", "event-before-html-saved-as-ok"): "ImageRejected",
    ("luckylilliabot-8", "event-before-connection-reset"): "ImageUnavailable",
    ("luckylilliabot-8", "event-before-truncated"): "ImageUnavailable",
    ("luckylilliabot-8", "event-before-short-file-ok"): "ImageRejected",
    ("napcat", "event-before-short-file-ok"): "ImageRejected",
    ("napcat", "event-before-empty-file-ok"): "ImageRejected",
}


@dataclass(frozen=True)
class Outcome:
    expected: list[str]
    told: list[dict[str, Any]]


Outcomes = dict[tuple[str, str], Outcome]
"""Flavour and recorded event → what came of it."""


@pytest.fixture(scope="module")
async def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    found: Outcomes = {}
    # a bot for each, for what one has in its store the other must not find
    await asyncio.gather(
        *(
            _play_all(flavour, lines, tmp_path_factory.mktemp(flavour), found)
            for flavour, lines in EVENTS.items()
        )
    )
    return found


async def _play_all(flavour: str, lines: list[Line], folder: Path, found: Outcomes) -> None:
    async with SimulatedCdn(real_hosts=True) as cdn:
        settings = {
            "QQIMAGE__MIRRORS": cdn.mirrors,
            "QQIMAGE__GET_IMAGE_TIMEOUT": 2,
            "QQIMAGE__DOWNLOAD_TIMEOUT": 2,
        }
        async with started(folder / "bot", settings=settings) as bot:
            for group in _by_options(lines):
                await _play(flavour, group, cdn, bot, folder, found)


def _by_options(lines: list[Line]) -> Iterator[list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(json.dumps(line.options, sort_keys=True), []).append(line)
    yield from groups.values()


async def _play(
    flavour: str,
    lines: list[Line],
    cdn: SimulatedCdn,
    bot: BotProcess,
    folder: Path,
    found: Outcomes,
) -> None:
    options = lines[0].options
    implementation = SimulatedImplementation(
        flavour,
        cdn,
        file_dir=folder / "implementation",
        inline_base64=options.get("enableLocalFile2Url", flavour == "napcat"),
    )
    reader = Reader(implementation, load(TRANSCRIPTS[flavour]))
    messages: dict[int, Message] = {}
    async with ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for line in lines:
            pictures = _remember(line, reader, implementation, messages)
            key = flavour, line.case
            if key in CDN_FAULTS:
                cdn.faults.set(CDN_FAULTS[key], fileid=pictures[0].hosted.fileid)
            implementation.files.fault = FILE_FAULTS.get(key)
            if (flavour, line.case) == ("napcat", "event-before-hang"):
                implementation.flavour.kernel_hangs.add(pictures[0].name)
            await implementation.push(line.frame)
            found[key] = Outcome(
                [hashlib.sha256(picture.hosted.data).hexdigest() for picture in pictures],
                [await told(implementation) for _ in pictures],
            )
            if not pictures:
                await bot.wait_for_log(_seen(line))


def _remember(
    line: Line,
    reader: Reader,
    implementation: SimulatedImplementation,
    messages: dict[int, Message],
) -> list[Picture | MarketFace | SharedFile]:
    """Let the event's message happen at QQ; give the pictures a plugin will be given for it."""
    if line.frame.get("notice_type") == "group_upload":
        _remember_upload(line, reader, implementation, messages)
    if line.frame["post_type"] != "message":
        return []
    images = iter(line.images)
    if line.case.endswith("-never-seen"):
        answers = load(TRANSCRIPTS["napcat" if "real_seq" in line.frame else "luckylilliabot-8"])
        quoted = next(
            row.reply["data"]
            for row in answers
            if row.fields.get("for_event") == line.case and row.case.startswith("get-msg")
        )
        messages[quoted["message_id"]] = reader.message(quoted, images, line.case)
        implementation.remember(messages[quoted["message_id"]])
    shared = line.case == "group-file-message"
    message = messages.get(line.frame["message_id"]) if shared else None
    if message is None:
        message = reader.message(line.frame, images, line.case)
        messages[message.message_id] = message
    implementation.remember(message)
    implementation.flavour.event(
        message
    )  # NapCat learns the names of pictures when it tells of them
    parts = list(message.parts)
    for part in message.parts:
        if isinstance(part, Quote):
            parts += messages[part.message_id].parts
    return [part for part in parts if isinstance(part, (Picture, MarketFace, SharedFile))]


def _remember_upload(
    line: Line,
    reader: Reader,
    implementation: SimulatedImplementation,
    messages: dict[int, Message],
) -> None:
    """Let an upload happen, of which the implementation tells by a notice and then by a message."""
    uploaded = line.frame["file"]
    rows = [row for rows in EVENTS.values() for row in rows if row.case == "group-file-message"]
    told = next((row for row in rows if row.images == line.images), None)
    if told is None:
        part = reader.shared_file(uploaded["id"], uploaded["name"], line.images[0], "")
        message = implementation.message("group", part)
    else:
        message = reader.message(told.frame, iter(told.images), told.case)
        messages[message.message_id] = message
    implementation.remember(message)
    implementation.flavour.event(message)


def _seen(line: Line) -> str:
    return f"SEEN {line.frame['post_type']} {line.frame.get('message_id', '-')}"


@pytest.mark.parametrize(
    ("flavour", "line"),
    [(flavour, line) for flavour, lines in EVENTS.items() for line in lines],
    ids=lambda value: value if isinstance(value, str) else value.case,
)
def test_event(outcomes: Outcomes, flavour: str, line: Line) -> None:
    outcome = outcomes[flavour, line.case]
    if (flavour, line.case) in FAILURES:
        assert [one.get("error") for one in outcome.told] == [FAILURES[flavour, line.case]]
    else:
        assert [one.get("sha256") for one in outcome.told] == outcome.expected, outcome.told
