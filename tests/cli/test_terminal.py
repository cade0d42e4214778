"""What people see: tables, progress, and pictures where the terminal can show them."""

import base64
import io
import re
import sys

import pytest

from nonebot_plugin_qqimage.cli.terminal import terminal
from nonebot_plugin_qqimage.cli.terminal.pictures import escape, protocol
from nonebot_plugin_qqimage.cli.terminal.terminal import Terminal


class Screen(io.StringIO):
    """A terminal that cannot move its cursor by itself."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[True, False], ids=["with rich", "without"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "80")
    shown = Terminal()
    shown.rich = request.param
    return shown


def test_a_table(shown: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    shown.table(["name", "times"], [("[red]x", 1), ("a long name", 100)], right=[1])
    plain = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue())
    rows = [re.split(" {2,}| (?=100)", line.strip()) for line in plain.splitlines()]
    assert rows == [["name", "times"], ["[red]x", "1"], ["a long name", "100"]]
    assert ("\x1b" in screen.getvalue()) == shown.rich


def test_progress_is_shown_beside_the_answer(
    shown: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(terminal, "_PAUSE", 0.0)
    with shown.progress("verify", 10) as advance:
        advance(5)
    assert capsys.readouterr().out == ""
    assert "verify" in screen.getvalue()
    assert shown.rich or screen.getvalue() == "verify: 5 of 10\n"


def test_progress_in_lines_is_not_a_flood(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().progress("verify", 10_000) as advance:
        for done in range(10_000):
            advance(done)
    assert capsys.readouterr().err.count("\n") <= 3


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, None),
        ({"TERM": "screen", "TERM_PROGRAM": "iTerm.app"}, None),
    ],
)
def test_which_terminals_show_pictures(environment: dict[str, str], expected: str | None) -> None:
    assert protocol(environment) == expected


def test_kitty_gets_png_in_pieces() -> None:
    data = bytes(range(256)) * 40
    said = escape(data, "image/png", "kitty")
    pieces = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", said)
    assert all(len(text) <= 4096 for _, text in pieces)
    assert base64.b64decode("".join(text for _, text in pieces)) == data
    assert [options.endswith("m=0") for options, _ in pieces] == [False, False, False, True]
    assert pieces[0][0].startswith("a=T,f=100,")
    assert escape(data, "image/jpeg", "kitty") == ""


def test_iterm2_gets_any_picture_whole() -> None:
    said = escape(b"data", "image/jpeg", "iterm2")
    assert said.startswith("\x1b]1337;File=inline=1;size=4;")
    assert said.endswith(f":{base64.b64encode(b'data').decode()}\a\n")
    assert escape(bytes(9 << 20), "image/jpeg", "iterm2") == ""
