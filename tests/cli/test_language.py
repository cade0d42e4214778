"""The command line speaks the operator's language, and programs read English."""

import json
import re
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest

from nonebot_plugin_qqimage import language
from nonebot_plugin_qqimage.cli import run
from nonebot_plugin_qqimage.doctor.machine import network

from ..store.pictures import Picture
from .conftest import Run, module

COMMANDS = ["stats", "list", "show", "export", "import", "verify", "gc", "forget", "doctor"]


@pytest.fixture(autouse=True)
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the Chinese of each text be the text in quotes."""
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    quoting = NullTranslations()
    monkeypatch.setattr(quoting, "gettext", lambda text: f"«{text}»")
    monkeypatch.setattr(language, "_chinese", lambda: quoting)
    monkeypatch.setattr(network, "HOST", "127.0.0.1")
    yield
    language.use("en")


def bare(text: str) -> list[str]:
    """The words that were not translated; names, figures and what users said are no words."""
    while text != (text := re.sub("«[^«»]*»", "", text)):
        pass
    return [line for line in text.splitlines() if re.search("[a-z]{3,} [a-z]{3,}", line)]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run([command, "--help"], program="qq")
    told = capsys.readouterr().out
    assert "«" in told
    for of_argparse in ("positional arguments", "show this help message and exit"):
        told = told.replace(of_argparse, "")
    assert bare(told.partition("\n\n")[2].replace("\n", " ")) == []


async def test_what_people_read(
    qq: Run, tmp_path: Path, folder: Path, pictures: list[Picture]
) -> None:
    damaged = next(path for path in (folder / "images").rglob("*.png"))
    commands = [
        ["stats"],
        ["list"],
        ["show", pictures[1].info.uri],
        ["show", "nothing"],
        ["export", "all", str(tmp_path / "out")],
        ["import", str(tmp_path / "out")],
        ["verify"],
        ["gc"],
        ["forget", "--chat", "group:1"],
        ["forget", "--chat", "group:1", "--yes"],
    ]
    for command in commands:
        if command == ["verify"]:
            damaged.write_bytes(b"damaged")
        done = await qq(*command)
        shown = done.out.replace("url of the segment", "")
        assert bare(shown + done.err) == [], command


async def test_what_programs_read(qq: Run, tmp_path: Path, pictures: list[Picture]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "page.png").write_text("<html>")
    for command in (
        ["stats"],
        ["list"],
        ["show", pictures[1].info.uri],
        ["show", "0000"],
        ["import", str(tmp_path / "out")],
        ["verify"],
        ["gc"],
        ["doctor"],
    ):
        assert "«" not in json.dumps((await qq(*command, "--json")).json), command


async def test_help_is_there_whatever_the_settings_are(tmp_path: Path) -> None:
    done = await module(tmp_path, "--help", QQIMAGE__LANGUAGE="klingon")
    assert (done.status, done.err) == (0, "")
    assert "stats" in done.out
