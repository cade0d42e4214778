"""A real bot in a process and a folder of its own, as an operator would run it."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_PROJECT = Path(__file__).parent / "project"
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0


class BotProcess:
    """NoneBot with our plugin, in a new process; use it with ``async with``.

    Args:
        folder: the bot's project folder; ``bot.py``, ``.env`` and ``plugins/`` are written there.
        settings: lines for ``.env``; values that are no strings are written as JSON.
        plugins: further plugin files to copy into it, besides the example plugin.
        python: which Python runs it.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object] | None = None,
        plugins: tuple[Path, ...] = (),
        python: str = sys.executable,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings: dict[str, object] = {
            "DRIVER": "~fastapi",
            "HOST": "127.0.0.1",
            "PORT": self.port,
            "LOCALSTORE_USE_CWD": True,
            # the simulated image host is on this machine
            "QQIMAGE__TRUSTED_HOSTS": ["127.0.0.1"],
            **(settings or {}),
        }
        self._plugins = plugins
        self._python = python
        self._process: asyncio.subprocess.Process | None = None

    @property
    def ws_url(self) -> str:
        """Where an implementation connects to (reverse WebSocket)."""
        return f"ws://127.0.0.1:{self.port}/onebot/v11/ws"

    @property
    def http_url(self) -> str:
        """Where an implementation posts its events to (HTTP)."""
        return f"http://127.0.0.1:{self.port}/onebot/v11/http"

    @property
    def store(self) -> Path:
        """Where the bot keeps its images."""
        return self.folder / "data" / "nonebot_plugin_qqimage"

    @property
    def log(self) -> str:
        """Everything it has printed so far."""
        return (self.folder / "bot.log").read_text("utf-8", "replace")

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def __aenter__(self) -> "Self":
        await asyncio.to_thread(self._write_project)
        with (self.folder / "bot.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._python,
                "bot.py",
                cwd=self.folder,
                env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self.wait_for_log("Application startup complete")
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    async def wait_for_log(self, text: str, timeout: float = _START_TIMEOUT) -> None:
        """Wait until the bot has logged a text.

        Args:
            text: part of a line.
            timeout: seconds.

        Raises:
            RuntimeError: it ended, or did not log it in time; the message shows its log.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while text not in self.log:
            if not self.alive or loop.time() > deadline:
                raise RuntimeError(f"the bot did not log {text!r}:\n{self.log[-4000:]}")
            await asyncio.sleep(0.05)

    def _write_project(self) -> None:
        shutil.copytree(
            _PROJECT, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        for plugin in self._plugins:
            shutil.copy(plugin, self.folder / "plugins")
        lines = (
            f"{name}={value if isinstance(value, str) else json.dumps(value)}\n"
            for name, value in self.settings.items()
        )
        (self.folder / ".env").write_text("".join(lines), "utf-8")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
