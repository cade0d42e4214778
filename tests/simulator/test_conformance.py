"""The simulator does what the real programs did, frame by frame."""

import base64
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from nonebot_plugin_qqimage.simulator.image_host.catalog import HOSTS
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault

from ..transcripts import Line, load
from .replay import replay

TRANSCRIPTS = {"luckylilliabot-8": "luckylilliabot-8.1.7", "napcat": "napcat-4.18.19"}
LINES = {flavour: load(name) for flavour, name in TRANSCRIPTS.items()}
CASES = [(flavour, line) for flavour, lines in LINES.items() for line in lines]

# Fields of a line which are compared; the others describe the recording.
COMPARED = (
    "frame",
    "reply",
    "timeout",
    "http_status",
    "close_code",
    "close_reason",
    "file_bytes_b64",
    "file_missing",
)


@dataclass(frozen=True)
class Difference:
    """A field in which the simulator need not do what was recorded."""

    why: str
    field: str | None = None
    part: str = r"(?s).+"
    cases: tuple[str, ...] = ()


# All there is. No case is left out.
DIFFERENCES = (
    Difference("the moment the program started", "startup_time"),
    Difference("the moment a key was made or ends", "expired_time"),
    Difference("the moment a key was made or ends", "updated_time"),
    Difference("the moment a key was made or ends", "created_at"),
    Difference("random", "file", r"(?<=/app/llbot/data/temp/)[0-9a-f-]{36}(?=\.)"),
    Difference(
        "sent of its own accord, so the test sets no time",
        "time",
        cases=("lifecycle-connect", "own-group-image-sent-by-api"),
    ),
    Difference(
        "the bot sent this picture, so the test chooses no fileid",
        part=r"(?<=fileid=)[\w-]+",
        cases=("own-group-image-sent-by-api", "get-image-own-group-image-sent-by-api"),
    ),
    Difference(
        "the key in the source of the real program is not the simulator's",
        part=r"(?<=rkey=)[\w-]+",
        cases=("event-no-rkey", "get-image-no-rkey"),
    ),
)


@pytest.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("played")
    return {
        flavour: await replay(flavour, lines, folder / flavour) for flavour, lines in LINES.items()
    }


@pytest.mark.parametrize(
    ("flavour", "line"), CASES, ids=[f"{flavour}:{line.case}" for flavour, line in CASES]
)
def test_frame(played: dict[str, dict[str, Any]], flavour: str, line: Line) -> None:
    recorded = {name: line.fields[name] for name in COMPARED if name in line.fields}
    assert recorded
    assert _masked(played[flavour][line.case], line.case) == _masked(recorded, line.case)


def test_every_difference_is_needed() -> None:
    recorded = [(line.case, line.fields) for _, line in CASES]
    for difference in DIFFERENCES:
        assert any(_masked(fields, case, (difference,)) != fields for case, fields in recorded), (
            difference.why
        )


def _masked(
    value: Any, case: str, differences: Sequence[Difference] = DIFFERENCES, name: str = ""
) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, case, differences, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, case, differences, name) for inner in value]
    for difference in differences:
        if difference.field in (None, name) and case in (difference.cases or [case]):
            if re.search(difference.part, str(value)):
                value = re.sub(difference.part, "any", str(value), count=0)
    return value


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("line", load("cdn"), ids=lambda line: line.case)
async def test_download(session: aiohttp.ClientSession, line: Line) -> None:
    async with SimulatedCdn() as cdn:
        _stock(cdn)
        cdn.rotate_keys()
        if line.case == "html":
            cdn.faults.set(Fault.HTML)
        url = line.request["url"]
        for host in HOSTS.values():
            url = url.replace(f"https://{host}", cdn.base_url)
        async with session.get(URL(url, encoded=True)) as response:
            body = await response.read()
            assert response.status == line.fields["status"]
            if "body" in line.fields:
                assert body.decode() == line.fields["body"]
            else:
                assert [body] == _pictures(line)
            # The rest of the headers is Node's, and not of the host it stands in for.
            for name, value in line.fields["headers"]:
                if name in ("content-type", "content-length"):
                    assert response.headers[name] == value


def _stock(cdn: SimulatedCdn) -> None:
    lines = {line.case: line for line in load("cdn")}
    cdn.add(_pictures(lines["right-key"])[0], fileid="EhT77_5iqMtiHYRSVTH_y1jpOiirzMVQ-nu")
    cdn.add(_pictures(lines["old-url-ok"])[0], form="old")


def _pictures(line: Line) -> list[bytes]:
    return [base64.b64decode(line.fields["body_b64"])]
