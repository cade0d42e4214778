"""Recorded events and answers, damaged in every way: no event is lost, and nothing breaks.

Each round is one damaged event and one damaged answer. A normal run plays two hundred; all of
them are played with::

    QQIMAGE_TEST_MUTATIONS=2000 pytest tests/e2e/test_mutated_transcripts.py
"""

import asyncio
import contextlib
import copy
import itertools
import json
import os
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from ..simulator.reading import Reader
from ..transcripts import Line, load
from .bots import PATIENCE, PLUGINS, started

ROUNDS = int(os.environ.get("QQIMAGE_TEST_MUTATIONS", "200"))
BATCH = 100
"""Rounds over one connection; what is known of an implementation ends with it."""

FLAVOURS = {"luckylilliabot-8": "luckylilliabot-8.1.7", "napcat": "napcat-4.18.19"}
LINES = {flavour: load(name) for flavour, name in FLAVOURS.items()}
EVENTS = [line.frame for lines in LINES.values() for line in lines if line.kind == "event"]
MESSAGE_IDS = [event["message_id"] for event in EVENTS if "message_id" in event]
ACTIONS = ("get_image", "get_msg", "get_forward_msg", "get_rkey", "get_version_info")
ANSWERS: dict[str, list[dict[str, Any]]] = {
    action: [
        {**line.reply}
        for lines in LINES.values()
        for line in lines
        if line.kind == "action" and line.request["action"] == action and "reply" in line.fields
    ]
    for action in ACTIONS
}
HOSTS = {
    host
    for lines in LINES.values()
    for line in lines
    for host in re.findall(r"https?://([a-z0-9.-]+)", json.dumps(line.fields))
}

DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2.5, 10**30, float("nan"), float("inf")),
    *("", " ", "x", "0", "-1", "\x00", "图", "\ud83d", "&amp;", "<b>", "[CQ:image,file=x]"),
    *("http://", "http://[", "https://127.0.0.1:1/x.png", "http://127.0.0.1:99999/", "ftp://x"),
    *("base64://", "base64://AAAA", "data:,x", "file://", "file://[", "/", "//", "..", "C:\\x"),
    *("A" * 32, "a" * 32 + ".png", "x" * 20_000),
    *([], {}, [None], [[]], {"": None}, {"type": "image"}, {"type": "image", "data": {}}, DEEP),
    [{"type": "forward", "data": {"id": "1"}}],
    [{"type": "reply", "data": {"id": "1"}}],
    [{"type": "mface", "data": {"emoji_id": "x"}}],
]
CHANGES = st.sampled_from(
    ["drop", "swap", "odd", "odd", "spoil", "spoil", "text", "number", "list", "repeat"]
)


@st.composite
def damaged(draw: st.DrawFn, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the documents, changed at one to four places at any depth."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(document))
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        change = draw(CHANGES)
        if change == "drop":
            del container[key]
        elif change == "swap":
            other, other_key = draw(st.sampled_from(places))
            mine, yours = copy.deepcopy(container[key]), copy.deepcopy(other[other_key])
            container[key], other[other_key] = yours, mine
        else:
            container[key] = _changed(change, container[key], draw(st.sampled_from(ODD)))
    return document


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _changed(change: str, value: Any, odd: Any) -> Any:
    if change == "text":
        return str(value)
    if change == "number":
        return int(value) if isinstance(value, str) and value.isdigit() else len(str(value))
    if change == "list":
        return [value]
    if change == "spoil" and isinstance(value, str):
        middle = len(value) // 2
        return f"{value[:middle]}{odd}{value[middle:]}" if len(str(odd)) < 9 else f"{value}\ud83d"
    if change == "repeat":
        return value * 40 if isinstance(value, (str, list)) else [value, value]
    return copy.deepcopy(odd)


def rounds(count: int) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """That many damaged events, and as many damaged answers; the same ones each time."""
    events: list[dict[str, Any]] = []
    answers: dict[str, list[dict[str, Any]]] = {action: [] for action in ACTIONS}

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(event=damaged(EVENTS), action=st.sampled_from(ACTIONS), data=st.data())
    def draw(event: dict[str, Any], action: str, data: st.DataObject) -> None:
        answers[action].append(data.draw(damaged(ANSWERS[action])))
        events.append(event)

    draw()
    return events, answers


class BareBot(BotProcess):
    """The same bot without our plugin: which events does NoneBot itself deliver?"""

    def _write_project(self) -> None:
        super()._write_project()
        (self.folder / "plugins" / "tell.py").unlink()
        script = self.folder / "bot.py"
        lines = script.read_text("utf-8").splitlines(keepends=True)
        script.write_text("".join(line for line in lines if "qqimage" not in line), "utf-8")


class Answers:
    """Gives damaged answers: always the same one to ``get_msg``, which NoneBot itself calls."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]]) -> None:
        self._answers = answers
        self._asked: Counter[str] = Counter()

    async def give(self, action: str, params: dict[str, Any]) -> dict[str, Any]:
        what = f"{action} {params.get('file')} {params.get('id')} {params.get('message_id')}"
        if action != "get_msg":
            self._asked[what] += 1
        number = zlib.crc32(f"{what} {self._asked[what]}".encode("utf-8", "replace"))
        if action == "get_image" and number % 50 == 0:
            await asyncio.Event().wait()
        return copy.deepcopy(self._answers[action][number % len(self._answers[action])])


def reached(bot: BotProcess) -> Counter[str]:
    """How often each frame reached a matcher of this bot; those of connecting have no number."""
    return Counter(re.findall(r"REACHED ([^-].*)\.$", bot.log, re.MULTILINE))


@pytest.mark.timeout(600)
async def test_no_event_is_lost(tmp_path: Path) -> None:
    events, answers = rounds(ROUNDS)
    plugin = PLUGINS / "reach.py"
    async with AsyncExitStack() as stack:
        cdn = await stack.enter_async_context(SimulatedCdn(real_hosts=True))
        config = {
            # no name is ever looked up outside
            "QQIMAGE__MIRRORS": dict.fromkeys(HOSTS, cdn.base_url),
            "QQIMAGE__GET_IMAGE_TIMEOUT": 0.5,
            "QQIMAGE__DOWNLOAD_TIMEOUT": 0.5,
            "QQIMAGE__RESOLVE_TIMEOUT": 2,
            # the implementation is asked what it is, and the store has nothing for the next round
            "QQIMAGE__FRAME_LIMIT": 5000,
            "QQIMAGE__MAX_STORE_SIZE": 1,
            "API_TIMEOUT": 2,
        }
        bare, bot = await asyncio.gather(
            stack.enter_async_context(BareBot(tmp_path / "bare", config, (plugin,))),
            stack.enter_async_context(
                started(tmp_path / "bot", "reach", "want_all", settings=config)
            ),
        )
        implementation = SimulatedImplementation("napcat", cdn)
        for lines in LINES.values():
            _host(implementation, lines)
        damaged_answers = Answers(answers)
        for action in ACTIONS:
            implementation.answers[action] = lambda params, action=action: damaged_answers.give(
                action, params
            )
        for each in (bare, bot):
            link = ReverseWebSocket(implementation, each.ws_url, reconnect_seconds=0.05)
            await stack.enter_async_context(link)
        for start in range(0, len(events), BATCH):
            await _both_connected(implementation)
            for number, event in enumerate(events[start : start + BATCH], start):
                await implementation.push(_numbered(event, number))
            await implementation.push({**EVENTS[0], "test_number": f"end {start}"})
            for each in (bare, bot):
                await each.wait_for_log(f"REACHED end {start}.")
            await _quiet(implementation)
            cdn.rotate_keys()  # from now on the recorded links are dead
            await _drop_connections(implementation)
        await _agree(bare, bot, events)
        for action in ACTIONS:
            assert implementation.calls_of(action), action
        print(f"{len(events)} damaged events, {sum(map(len, answers.values()))} damaged answers")
        await _both_connected(implementation)
        implementation.answers.clear()
        # after all that, the bot works as ever
        await implementation.send_group(implementation.picture(png()))
        while "sha256" not in (await implementation.next_sent(PATIENCE)).text:
            pass


def _numbered(event: dict[str, Any], number: int) -> dict[str, Any]:
    """The event as another message of its own, and marked for the log."""
    event = {**event, "test_number": number}
    if event.get("message_id") in MESSAGE_IDS:
        event["message_id"] = number
    return event


def _host(implementation: SimulatedImplementation, lines: list[Line]) -> None:
    """Let the recorded messages happen, so that their pictures can be downloaded."""
    reader = Reader(implementation, lines)
    for line in lines:
        if line.kind == "event" and line.frame["post_type"] == "message":
            images = itertools.chain(line.images, (png(seed=seed) for seed in range(9)))
            with contextlib.suppress(ValueError):  # the same file was recorded at both programs
                implementation.remember(reader.message(line.frame, images, line.case))


async def _both_connected(implementation: SimulatedImplementation) -> None:
    """Wait until both bots can be told; a damaged frame may have cost one of them a connection."""
    deadline = time.monotonic() + PATIENCE
    while len(implementation.links.open) < 2:
        assert time.monotonic() < deadline, "a bot did not come back"
        await asyncio.sleep(0.05)


async def _drop_connections(implementation: SimulatedImplementation) -> None:
    """Break all connections, and wait until none of them is taken for an open one."""
    broken = set(implementation.links.open)
    await implementation.drop_connections()
    while broken & implementation.links.open:
        await asyncio.sleep(0.01)


async def _quiet(implementation: SimulatedImplementation) -> None:
    """Wait until nobody asks for anything any more."""
    before = -1
    for _ in range(100):
        now = len(implementation.calls) + len(implementation.cdn.requests)
        if now == before:
            return
        before = now
        await asyncio.sleep(0.7)


async def _agree(bare: BotProcess, bot: BotProcess, events: list[dict[str, Any]]) -> None:
    """Wait until both bots have delivered the same events."""
    for _ in range(100):
        if reached(bare) == reached(bot):
            break
        await asyncio.sleep(0.3)
    lost = reached(bare) - reached(bot)
    shown = [json.dumps(events[int(number)])[:2000] for number in lost if number.isdigit()]
    assert not lost, shown
    assert reached(bot) == reached(bare)
    assert len(reached(bot)) > len(events) / 2
