"""On which port images are served: the same one after a restart, and another where it is taken."""

import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.serving.own_server.ports import listen
from nonebot_plugin_qqimage.settings.forms import UnusableSettings
from nonebot_plugin_qqimage.settings.values import listen_at

HERE = "127.0.0.1"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot, which this process runs in."""
    folder = tmp_path / "机器人"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def bots() -> Iterator[ExitStack]:
    """Holds what bots listen on while they run."""
    with ExitStack() as stack:
        yield stack


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def start(bots: ExitStack, folder: Path, wanted: int = 0) -> tuple[int, list[int]]:
    """The port of a bot that starts, and which ones were taken."""
    listening, taken = listen(folder, HERE, wanted)
    bots.enter_context(listening)
    return port_of(listening), taken


def test_a_port_is_chosen_once(project: Path, tmp_path: Path) -> None:
    ports: set[int] = set()
    for _ in range(3):
        with ExitStack() as bots:
            port, taken = start(bots, tmp_path)
            ports.add(port)
            assert not taken
    assert len(ports) == 1


def test_each_process_keeps_its_port(project: Path, tmp_path: Path) -> None:
    found: list[list[int]] = []
    for _ in range(2):
        with ExitStack() as bots:
            found.append([start(bots, tmp_path)[0] for _ in range(3)])
    assert found[0] == found[1]
    assert len({*found[0]}) == 3


def test_a_port_that_somebody_else_has(project: Path, tmp_path: Path, bots: ExitStack) -> None:
    with ExitStack() as first:
        chosen, _ = start(first, tmp_path)
    with socket.create_server((HERE, chosen)):
        other, taken = start(bots, tmp_path)
        assert taken == [chosen]
        assert other != chosen
        with ExitStack() as again:  # which is remembered, too
            bots.close()
            assert start(again, tmp_path) == (other, [chosen])
    assert start(bots, tmp_path) == (chosen, [])


def test_each_project_has_its_own(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = list[int]()
    for name in ("one", "two", "one"):
        (tmp_path / name).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / name)
        with ExitStack() as bots:
            ports.append(start(bots, tmp_path)[0])
    assert ports[0] == ports[2] != ports[1]


def test_the_operator_chooses(project: Path, tmp_path: Path, bots: ExitStack) -> None:
    with socket.create_server((HERE, 0)) as probe:
        wanted = port_of(probe)
    with ExitStack() as bot:
        assert start(bot, tmp_path, wanted) == (wanted, [])
    with ExitStack() as bot:
        assert start(bot, tmp_path)[0] != wanted
    with socket.create_server((HERE, wanted)):
        port, taken = start(bots, tmp_path, wanted)
    assert (taken, port == wanted) == ([wanted], False)


@pytest.mark.parametrize("said", ["", "{", "[1]", '{"%s": "x"}', '{"%s": [0, true, "1", 99999]}'])
def test_a_damaged_file(project: Path, tmp_path: Path, said: str) -> None:
    (tmp_path / "ports.json").write_text(said.replace("%s", str(project)), "utf-8")
    for _ in range(2):
        with ExitStack() as bots:
            port, taken = start(bots, tmp_path)
            assert 20_000 <= port < 30_000
            assert not taken


def test_where_nothing_can_be_remembered(project: Path, tmp_path: Path, bots: ExitStack) -> None:
    port, _ = start(bots, tmp_path / "gone")
    bots.close()
    assert start(bots, tmp_path / "gone")[0] == port


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_the_file_is_for_the_bots_user_alone(
    project: Path, tmp_path: Path, bots: ExitStack
) -> None:
    start(bots, tmp_path)
    assert stat.S_IMODE((tmp_path / "ports.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["ports.json"]


def test_a_host_of_another_machine(project: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"assign|address|valid"):
        listen(tmp_path, "203.0.113.7", 0)


@pytest.mark.parametrize(
    ("said", "host", "port"),
    [
        ("", "127.0.0.1", 0),
        ("0.0.0.0", "0.0.0.0", 0),
        ("0.0.0.0:8090", "0.0.0.0", 8090),
        ("localhost:1", "localhost", 1),
        ("bot.lan", "bot.lan", 0),
        ("::1", "::1", 0),
        ("::", "::", 0),
        ("[::1]", "::1", 0),
        ("[::]:65535", "::", 65535),
        ("fd00::2:80", "fd00::2:80", 0),
    ],
)
def test_hosts_and_ports(said: str, host: str, port: int) -> None:
    assert listen_at(said) == (host, port)


@pytest.mark.parametrize(
    "said",
    [
        *("127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:", ":8090", "8090", "1.2.3:80", "::1:x"),
        *("http://127.0.0.1:8090", "a b:80", "host:80:90", "host:８０", "[::1", "[host]:80", "*"),
    ],
)
def test_what_is_no_host_with_a_port(said: str) -> None:
    with pytest.raises(UnusableSettings, match="QQIMAGE__LISTEN="):
        listen_at(said)
