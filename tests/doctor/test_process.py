"""What the doctor says of a process: one that has just begun, one that is dead, one that hangs."""

import os
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor.bots.process import (
    about_process,
    process_namespace,
    process_state,
)
from nonebot_plugin_qqimage.doctor.bots.running import RunningBot, public
from nonebot_plugin_qqimage.doctor.line import Line
from nonebot_plugin_qqimage.language import Text, use

VERSIONS = {"python": "3.11"}
NO_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no process is asked for there")


def bot(age: float = 1.0, host: str = "", **more: Any) -> RunningBot:
    said = {
        "pid": os.getpid(),
        "namespace": process_namespace(),
        "folder": "/bot",
        "started": time.time() - 600,
        "driver": "fastapi",
        "versions": VERSIONS,
        "settings": public(ScopedConfig()),
        "bots": [],
        **more,
    }
    return RunningBot(f"bot:{host or socket.gethostname()}:{said['pid']}:", age, said)


def told(said: RunningBot) -> list[Line]:
    return about_process(said, ScopedConfig(), "/bot", VERSIONS)


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@NO_POSIX
def test_a_dead_process(dead: int) -> None:
    (line,) = told(bot(pid=dead, age=12.0))
    assert (line.state, line.about) == ("failed", f"process {dead}")
    assert "no such process any more; it was last heard of 12 s ago" in line.text
    assert "log" in line.cure


@pytest.mark.skipif(sys.platform != "linux", reason="nobody can tell there")
def test_a_process_that_nobody_has_collected() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        while process_state(process.pid)[0] != "Z":
            time.sleep(0.01)
        (line,) = told(bot(pid=process.pid))
    assert line.state == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="nobody can tell there")
def test_a_process_whose_number_another_one_has() -> None:
    born = process_state(os.getpid())[1]
    assert told(bot(born=born))[0].state == "ok"
    (line,) = told(bot(born=str(int(born) - 100)))
    assert line.state == "failed"


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"namespace": "pid:[1]"}])
def test_a_process_elsewhere_is_not_taken_for_dead(dead: int, elsewhere: dict[str, str]) -> None:
    first, *_ = told(bot(pid=dead, **elsewhere))
    assert first.state == "ok"


def test_a_note_of_an_earlier_version_names_no_namespace(dead: int) -> None:
    said = bot(pid=dead)
    said = RunningBot(said.name, said.age, {k: v for k, v in said.said.items() if k != "namespace"})
    assert told(said)[0].state == "ok"


def test_a_process_that_is_silent() -> None:
    (line,) = told(bot(age=90.0))
    assert line.state == "warning"
    assert "last heard of 90 s ago" in line.text
    assert "hangs" in line.cure


def test_the_first_half_minute() -> None:
    _, line = told(bot(started=time.time() - 5))
    assert (line.state, line.about) == ("warning", "connection")
    assert "no OneBot v11 implementation is connected yet" in line.text
    assert "half a minute" in line.cure
    _, line = told(bot())
    assert "address and token" in line.cure


def test_a_line_is_read_in_any_language_after_its_way_through_the_store() -> None:
    inner = Text("{count} images", count=3)
    line = Line("ok", Text("store"), Text("{images}, {size}", images=inner, size="1 KiB"))
    again = Line.unpacked(line.packed())
    assert again == line
    use("zh")
    try:
        assert isinstance(again.text, Text)
        assert again.text.local == "3 张图片，1 KiB"
    finally:
        use("en")
