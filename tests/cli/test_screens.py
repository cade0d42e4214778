"""What stands on a real terminal, at several widths."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.cli import run
from nonebot_plugin_qqimage.doctor.figures import width_of
from nonebot_plugin_qqimage.doctor.machine import network
from nonebot_plugin_qqimage.language import use

from ..store.pictures import Picture
from .conftest import MODULE, Run, environment, heed_ctrl_c

if sys.platform == "win32":
    pytest.skip("there is no pty", allow_module_level=True)

import fcntl
import pty
import struct
import termios

PATIENCE = 60.0


class Screen:
    """A program on a terminal of that many columns."""

    def __init__(self, columns: int, *arguments: str, cwd: Path, **more: str) -> None:
        try:
            ours, theirs = pty.openpty()
        except OSError:
            pytest.skip("this system gives no pty")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        settings = environment(TERM="dumb", **more)
        settings.pop("COLUMNS", None)
        self._ours = ours
        self.process = subprocess.Popen(
            [*MODULE, *arguments],
            cwd=cwd,
            env=settings,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.text = ""

    def read(self, until: str | None = None) -> str:
        """What stands there, once that does, or once the program has ended."""
        deadline = time.monotonic() + PATIENCE
        while until is None or until not in self.text:
            assert time.monotonic() < deadline, self.text
            try:
                data = os.read(self._ours, 1 << 16)
            except OSError:  # the other side is closed
                break
            if not data:
                break
            self.text += data.decode()
        return self.text

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self) -> int:
        self.read()
        os.close(self._ours)
        return self.process.wait(PATIENCE)


def _take_terminal() -> None:
    """In the new process: let Ctrl-C on the terminal be a signal to it."""
    heed_ctrl_c()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("columns", [60, 80])
def test_help_fits_where_characters_are_wide(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    for command in ("list", "doctor", "export", "import"):
        with pytest.raises(SystemExit):
            run([command, "--help"], program="qq")
        assert max(map(width_of, capsys.readouterr().out.splitlines())) <= columns, command
    use("en")


class Shown(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_fits(
    columns: int,
    language: str,
    folder: Path,
    pictures: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LC_ALL", {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[language])
    monkeypatch.setattr(network, "HOST", "127.0.0.1")
    ids = [picture.info.sha256[:12] for picture in pictures]
    for command in ("list", "stats", "gc", "verify", "doctor"):
        monkeypatch.setattr(sys, "stdout", shown := Shown())
        assert run([command, "--folder", str(folder)], program="qq") in (0, 1)
        lines = re.sub("\x1b\\[[0-9;]*m", "", shown.getvalue()).splitlines()
        for line in lines:
            longest = max(map(len, line.split()), default=0)
            assert width_of(line) <= columns or longest > columns - 20, line
        if command == "list":
            assert [line.split()[0] for line in lines if line[:12] in ids] == ids[::-1]
        if command in ("stats", "doctor"):
            assert str(folder) in "\n".join(lines)
    use("en")


def test_ctrl_c_at_the_question_of_forget_ends_at_once(
    tmp_path: Path, folder: Path, pictures: list[Picture]
) -> None:
    screen = Screen(80, "forget", "--chat", "group:1", "--folder", str(folder), cwd=tmp_path)
    screen.read("[y/N]")
    time.sleep(0.2)  # nobody is faster; at the very moment between question and reading it is lost
    screen.press(b"\x03")
    status = screen.end()
    assert status == 130, screen.text
    assert "interrupted" in screen.text
    assert "Traceback" not in screen.text


async def test_grammar_of_one(qq: Run, folder: Path, pictures: list[Picture]) -> None:
    await qq("forget", "--chat", "group:1", "--yes")
    await qq("forget", "--chat", "group:2", "--yes")
    done = await qq("list")
    assert done.out.splitlines()[-1] == "1 of 1 image"  # the pinned one
    assert "1 image left" in (await qq("gc")).out
    assert "1 image, nothing wrong" in (await qq("verify")).out
    target = folder.parent / "out"
    assert f"1 image written to {target}" in (await qq("export", "all", str(target))).out
    for command in (["stats"], ["list"], ["gc"], ["verify"]):
        assert not re.search(r"\b1 (images|files|sightings|bytes)\b", (await qq(*command)).out)
