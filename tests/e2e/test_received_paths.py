"""What strangers write opens no file of the bot's machine, whoever says it again."""

# ruff: noqa: ASYNC240  short looks at small local files

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from .bots import Simulate, connected, files, new_png, sha256, told
from .stages import NEW, Stage, asked, by_hand, staged, written

TEXT = "the operator's secret"


@pytest.fixture
def implementation(implementation: SimulatedImplementation) -> SimulatedImplementation:
    """One that reads no files itself, and knows no message any more."""
    blind(implementation)
    return implementation


def blind(implementation: SimulatedImplementation) -> None:
    for number, action in enumerate(("send_group_msg", "send_group_forward_msg", "send_msg")):
        usual = implementation.flavour.ok({"message_id": 900_000 + number})
        if action != "send_msg":
            implementation.answers[action] = usual
    implementation.behaviour.missing |= {"get_msg", "get_image"}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.png"
    path.write_bytes(new_png())
    return path


SPELLINGS: dict[str, Callable[[Path], str]] = {
    "URI": lambda path: path.as_uri(),
    "four slashes": lambda path: f"file:///{path}",
    "host": lambda path: f"file://localhost{path}",
    "upper case": lambda path: path.as_uri().replace("file", "FILE"),
    "mixed case": lambda path: path.as_uri().replace("file", "File"),
    "one slash": lambda path: f"file:{path}",
    "no slash": lambda path: f"file:{str(path)[1:]}",
    "escaped": lambda path: "file://" + "".join(f"%{ord(each):02x}" for each in str(path)),
    "bare path": str,
    "UNC": lambda path: f"\\\\localhost{path}".replace("/", "\\"),
    "UNC URI": lambda path: f"file://127.0.0.1{path}",
    "space before": lambda path: f" {path.as_uri()}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_received_segment_names_no_file(
    implementation: SimulatedImplementation, stage: Stage, secret: Path, spelling: str
) -> None:
    named = SPELLINGS[spelling](secret)
    for data in ({"file": named}, {"file": "a.jpg", "url": named}, {"file": named, "url": named}):
        await written(implementation, by_hand(**data))
        answer = await told(implementation)
        assert "sha256" not in answer
    code = f"[CQ:image,file={named}]"
    await implementation.push(
        {**_event(implementation), "message": code, "raw_message": code, "message_format": "string"}
    )
    assert "error" in await told(implementation)
    node = {"type": "node", "data": {"content": [{"type": "image", "data": {"file": named}}]}}
    await written(implementation, "/record ", by_hand("forward", id="1", content=[node]))
    (text,) = await told(implementation)
    assert sha256(secret.read_bytes()) not in text
    assert not files(stage.bot, secret.read_bytes())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "text", "folder"])
async def test_what_is_no_picture_is_not_opened_either(
    implementation: SimulatedImplementation, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "thing"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "text":
        path.write_text(TEXT)
    else:
        path.mkdir()
    for named in (path.as_uri(), str(path)):
        await written(implementation, by_hand(file=named))
        answer = await told(implementation, 5)
        assert TEXT not in answer["text"]
        await written(implementation, "/again codes ", by_hand(file=named))
        (latest,) = await asked(implementation, "/last")
        assert TEXT not in latest


def _event(implementation: SimulatedImplementation) -> dict[str, object]:
    return implementation.flavour.event(implementation.message("group", "x"))


@pytest.mark.parametrize("way", ["segments", "codes", "text", "node"])
@pytest.mark.parametrize(
    "spelling", ["URI", "four slashes", "host", "upper case", "escaped", "one slash"]
)
async def test_a_repeater_makes_the_bot_open_nothing(
    implementation: SimulatedImplementation,
    stage: Stage,
    secret: Path,
    way: str,
    spelling: str,
) -> None:
    segment = by_hand(file=SPELLINGS[spelling](secret))
    if way == "segments":
        implementation.answers["send_msg"] = implementation.flavour.ok({"message_id": 77})
    await written(implementation, f"/again {way} ", segment, group_id=20011)
    await implementation.called(
        {"segments": "send_msg", "node": "send_group_forward_msg"}.get(way, "send_group_msg")
    )
    implementation.answers.pop("send_msg", None)
    latest = await asked(implementation, "/last 9", group_id=20011)
    assert sha256(secret.read_bytes()) not in latest
    assert not files(stage.bot, secret.read_bytes())


@pytest.mark.parametrize("place", ["text", "code in text", "card", "field", "record", "node"])
async def test_wherever_the_path_was_said(
    implementation: SimulatedImplementation, stage: Stage, secret: Path, place: str
) -> None:
    uri = secret.as_uri()
    image = {"type": "image", "data": {"file": uri}}
    said = {
        "text": f"look: {uri} !",
        "code in text": f"[CQ:image,file={uri}]",
        "card": by_hand("json", data=f'{{"a": "{uri}"}}'),
        "field": by_hand("image", file="a.jpg", path=uri),
        "record": by_hand(
            "forward", id="1", content=[{"type": "node", "data": {"content": image}}]
        ),
        "node": by_hand("node", content=[image]),
    }[place]
    await written(implementation, said)
    implementation.answers["send_msg"] = implementation.flavour.ok({"message_id": 78})
    # a plugin's own file, written by nobody; what strangers said is that very path
    (stage.bot.folder / "kept.json").write_text(f'[["image", {{"file": "{uri}"}}]]')
    await implementation.send_group("/recall", group_id=20012)
    await implementation.called("send_msg")
    implementation.answers.pop("send_msg")
    assert sha256(secret.read_bytes()) not in await asked(implementation, "/last 9", group_id=20012)
    assert not files(stage.bot, secret.read_bytes())


async def test_what_nobody_said_is_kept(
    implementation: SimulatedImplementation, stage: Stage, secret: Path
) -> None:
    implementation.answers["send_msg"] = implementation.flavour.ok({"message_id": 79})
    (stage.bot.folder / "kept.json").write_text(f'[["image", {{"file": "{secret.as_uri()}"}}]]')
    await implementation.send_group("/recall", group_id=20013)
    await implementation.called("send_msg")
    implementation.answers.pop("send_msg")
    latest = await asked(implementation, "/last 9", group_id=20013)
    assert latest == [sha256(secret.read_bytes())]


async def test_after_a_restart_of_the_bot(simulate: Simulate, secret: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    async with staged(folder, NEW) as stage, connected(simulate("napcat"), stage.bot) as one:
        await written(one, "/keep ", by_hand(file=secret.as_uri()))
        assert (await one.next_sent()).text == "kept"
    async with staged(folder, NEW) as stage, connected(simulate("napcat"), stage.bot) as other:
        blind(other)
        other.answers["send_msg"] = other.flavour.ok({"message_id": 80})
        await other.send_group("/recall")
        await other.called("send_msg")
        other.answers.pop("send_msg")
        assert sha256(secret.read_bytes()) not in await asked(other, "/last 9")
        assert not files(stage.bot, secret.read_bytes())
