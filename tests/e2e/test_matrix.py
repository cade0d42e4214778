"""What works where: every implementation × place × kind of picture, against one table.

All cells of a place are tried at the same time, and a few places. Each cell has a picture, each row
an account and each place an image host of its own, so that nothing known from one can answer
another.
"""

import asyncio
import hashlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .bots import started
from .matrix import (
    EXPECTED,
    FAILURES,
    KINDS,
    NOTHING,
    PLACES,
    README_COLUMNS,
    README_FORWARDED,
    README_WORDS,
    SOURCES,
    print_matrix,
)

PATIENCE = 60.0
"""Seconds for one answer, while all the others of its place are under way."""
SHARED = "/shared"
"""What the implementations call the folder that a path map is for."""

AT_ONCE = 4
"""Places tried at the same time."""

Told = list[dict[str, str]]
"""What a plugin was given for each picture of a message."""

_ids = itertools.count(10001)
_seeds = itertools.count(1)


@dataclass
class Row:
    """An implementation at a place, its bot, and what came of each kind of picture."""

    implementation: SimulatedImplementation
    pictures: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)

    def picture(self, cell: str, **how: Any) -> Any:
        self.pictures[cell] = png(64, 40, next(_seeds))
        return self.implementation.picture(self.pictures[cell], **how)

    def events(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """A message with each kind of picture; all but "own", which the bot has to send first."""
        implementation = self.implementation
        seen_before = implementation.message("group", self.picture("quoted"))
        implementation.remember(seen_before)
        implementation.flavour.event(seen_before)  # Lagrange and go-cqhttp keep the link of then
        self.pictures["face"] = png(64, 40, next(_seeds))
        messages = {
            "group": implementation.message("group", self.picture("group")),
            "private": implementation.message("private", self.picture("private", kind="private")),
            "sticker": implementation.message("group", self.picture("sticker", sticker=True)),
            "quoted": implementation.message(
                "group", "what is that?", quote=seen_before.message_id
            ),
            "elsewhere": implementation.message("group", self.picture("elsewhere"), own=True),
            "forwarded": implementation.message(
                "group", implementation.forward([[self.picture("forwarded")]])
            ),
            "face": implementation.message(
                "group", implementation.market_face(self.pictures["face"])
            ),
        }
        for message in messages.values():
            implementation.remember(message)
        return {
            kind: (message.message_id, implementation.flavour.event(message))
            for kind, message in messages.items()
        }

    async def watch(self, events: dict[str, tuple[int, dict[str, Any]]]) -> None:
        """Tell the bot of all of them, and wait for its answers."""
        for _, frame in events.values():
            await self.implementation.push(frame)
        seed = next(_seeds)
        self.pictures["own"] = png(64, 40, seed)
        await self._answer("send", await self.implementation.send_group(f"send {seed}"))
        sent = next(one for one in self.implementation.sent if one.pictures)
        quoting = await self.implementation.send_group("what was that?", quote=sent.message_id)
        self.told["own"] = await self._answer("own", quoting)
        for kind, (message_id, _) in events.items():
            self.told[kind] = await self._answer(kind, message_id)

    async def restart(self) -> None:
        """Let the implementation start anew, and come back to the bot."""
        await self.implementation.away()
        await self.implementation.connected(2, PATIENCE)

    async def share_later(self) -> None:
        """Let two pictures come before the folder is shared."""
        await self.implementation.files.hide()
        for number in (1, 2):
            await self.implementation.send_group(self.picture(f"before {number}"))
            await self.implementation.sent.reach(number, timeout=PATIENCE)
        await self.implementation.files.show()

    async def _answer(self, kind: str, message_id: int) -> Told:
        def fits(sent: Any) -> bool:
            return bool(sent.text) and json.loads(sent.text)["message_id"] == message_id

        try:
            await self.implementation.sent.reach(1, timeout=PATIENCE, where=fits)
        except asyncio.TimeoutError:
            pytest.fail(f"no answer to {kind} of {self.implementation.settings}")
        return json.loads(next(filter(fits, self.implementation.sent)).text)["outcomes"]


@pytest.fixture(scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Row]]:
    """Implementation → place → what happened."""
    folder = tmp_path_factory.mktemp("matrix")
    found: dict[str, dict[str, Row]] = {name: {} for name in EXPECTED}
    a_few = asyncio.Semaphore(AT_ONCE)
    async with (
        started(folder / "plain", "report") as plain,
        started(folder / "mapped", "report", settings=mapping(folder / "shared")) as mapped,
        started(folder / "later", "report", settings=mapping(folder / "shared later")) as later,
    ):

        async def at(place: str) -> None:
            bot = later if "later" in place else mapped if "map" in place else plain
            async with a_few, SimulatedCdn() as cdn, connected(place, cdn, bot, folder) as here:
                events = [row.events() for row in here.values()]
                disturb(cdn, place)
                if place == "restarted":
                    await asyncio.gather(*(row.restart() for row in here.values()))
                if "later" in place:
                    await asyncio.gather(*(row.share_later() for row in here.values()))
                await asyncio.gather(*map(Row.watch, here.values(), events))
            for name, row in here.items():
                found[name][place] = row

        await asyncio.gather(*map(at, PLACES))
    return found


def mapping(shared: Path) -> dict[str, Any]:
    """The settings of a bot that a folder is shared with."""
    cache = shared / "gocqhttp" / "data" / "cache"
    return {"QQIMAGE__PATH_MAP": {SHARED: str(shared), "data/cache": str(cache)}}


@asynccontextmanager
async def connected(
    place: str, cdn: SimulatedCdn, bot: BotProcess, folder: Path
) -> AsyncIterator[dict[str, Row]]:
    """All implementations at a place."""
    rows: dict[str, Row] = {}
    async with AsyncExitStack() as stack:
        for name in EXPECTED:
            flavour = name.partition(",")[0]
            self_id = next(_ids)
            own_folder, reported = folder / "hosts" / str(self_id), None
            if "map" in place:
                shared = "shared later" if "later" in place else "shared"
                own_folder, reported = folder / shared / name, f"{SHARED}/{name}"
            is_other = "other" in place or place == "refused"
            implementation = SimulatedImplementation(
                flavour,
                cdn,
                self_id=self_id,
                file_dir=None if is_other else own_folder,
                reported_dir=reported,
                inline_base64="base64" in name,
                report_own=flavour == "lagrange",  # tells of it before the call returns
            )
            # as if what hangs for minutes did so for a moment
            implementation.flavour.patience = 0.2
            await stack.enter_async_context(ReverseWebSocket(implementation, bot.ws_url))
            rows[name] = Row(implementation)
        for row in rows.values():
            await row.implementation.connected(1, PATIENCE)
        yield rows


def disturb(cdn: SimulatedCdn, place: str) -> None:
    """Let happen what the place is about, after the events were written."""
    if "refused" in place:
        cdn.faults.abroad = "reset"
    elif "expired" in place:
        cdn.expire_keys()
    elif "rotated" in place:
        cdn.rotate_keys()
    elif "down" in place:
        cdn.faults.set(Fault.RESET)


def code(row: Row, kind: str) -> str:
    """What came of one kind of picture, as the table of expectations has it."""
    if not row.told[kind]:
        return NOTHING
    (told,) = row.told[kind]
    if "error" in told:
        for name, failure in FAILURES.items():
            hint = told["hint"]
            if (
                failure.error == told["error"]
                and all(word in hint for word in failure.says)
                and not any(word in hint for word in failure.omits)
            ):
                return name
        return f"✗{told['error']}"
    if told["sha256"] != hashlib.sha256(row.pictures[kind]).hexdigest():
        return "wrong"
    names = {source: name for name, source in SOURCES.items()}
    if kind == "own":  # where it is quoted before the store has written it down
        names["base64 in the segment"] = "store"
    return names.get(told["source"], told["source"])


def test_print(rows: dict[str, dict[str, Row]], capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {
        name: {place: {kind: code(row, kind) for kind in KINDS} for place, row in places.items()}
        for name, places in rows.items()
    }
    with capsys.disabled():
        print("", *print_matrix(outcomes), sep="\n")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("implementation", EXPECTED)
def test_row(rows: dict[str, dict[str, Row]], implementation: str, place: str) -> None:
    row, expected = rows[implementation][place], EXPECTED[implementation][place]
    came = {kind: code(row, kind) for kind in KINDS}
    assert came == expected, json.dumps(
        {kind: row.told[kind] for kind in KINDS if came[kind] != expected[kind]},
        ensure_ascii=False,
        indent=1,
    )


@pytest.mark.parametrize("readme", README_WORDS)
def test_the_readme_says_the_same(readme: str) -> None:
    text = (Path(__file__).parents[2] / readme).read_text("utf-8")
    codes = {word: name for name, word in README_WORDS[readme].items()}
    tables = [
        [[cell.strip() for cell in row.split("|")[2:-1]] for row in block.splitlines()[2:]]
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        if "| LLOneBot 3.24 |" in block.splitlines()[0]
    ]
    places = [[(place,) for place in PLACES], README_FORWARDED]
    kinds = [("group", "private", "sticker", "quoted", "elsewhere"), ("forwarded",)]
    for table, rows, merged in zip(tables, places, kinds, strict=True):
        for cells, row in zip(table, rows, strict=True):
            for implementation, cell in zip(README_COLUMNS, cells, strict=True):
                for place, kind in itertools.product(row, merged):
                    expected = EXPECTED[implementation][place][kind]
                    # the three exceptions that stand below the table
                    if implementation == "lagrange" and kind == "elsewhere":
                        assert expected == "✗own"
                    elif place == "restarted" and (kind, expected) == ("quoted", NOTHING):
                        assert implementation.startswith("napcat")
                    elif implementation == "luckylilliabot-3.24" and (kind, cell) == (
                        "quoted",
                        README_WORDS[readme]["get_msg"],
                    ):
                        assert expected in ("file", "fresh")
                    else:
                        assert codes[cell] == expected, (implementation, place, kind)
