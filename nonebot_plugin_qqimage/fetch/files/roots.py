"""Roots of file systems: a network mount that is gone must cost no more than a few threads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import anyio.to_thread

from ...errors import AttemptFailed, Cause
from ...language import Text, say
from ...log import logger
from ...masking import mask_keys
from ...threads import DaemonThreads
from .mounts import mounted

_T = TypeVar("_T")
_THREADS = 2
"""For each root; where both are stuck, nothing below it is read until one of them is free."""
_REST = 60.0
"""Seconds until a root that did not answer is tried again, with the thread that is left."""
_MAX_ROOTS = 64
"""Roots remembered; there are few folders of few implementations."""
_DEPTH = 3
"""Parts of a path that name its root at least, such as ``/mnt/qq``."""
_MOUNTS_LIFE = 10.0
"""Seconds for which it is known what is mounted."""


class _Root:
    """What is known of one root."""

    def __init__(self) -> None:
        self.threads = DaemonThreads(_THREADS, "qqimage-file")
        self.stuck = 0
        self.rests_until = 0.0


class Roots:
    """Reads files, each root with threads of its own, and learns which roots do not answer."""

    def __init__(self) -> None:
        self._roots: dict[str, _Root] = {}
        self._mounts: dict[str, str] = {}
        self._mounts_known_until = 0.0

    async def read(self, path: Path, work: Callable[[], _T], timeout: float) -> _T:
        """Do some work on a file, in a thread.

        Args:
            path: of the file.
            work: reads it.
            timeout: seconds that may take.

        Raises:
            AttemptFailed: nothing was answered in time, or was a moment ago.
        """
        name = await self._name(path)
        root = self._root(name)
        if root.stuck >= _THREADS or time.monotonic() < root.rests_until:
            detail = Text("{root} does not answer, and is left alone for a while", root=name)
            raise AttemptFailed(Cause.TIMEOUT, detail)
        future = root.threads.submit(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except asyncio.TimeoutError:
            self._learn(name, root, future)
            detail = Text("{path} not read within {seconds:g} s", path=str(path), seconds=timeout)
            raise AttemptFailed(Cause.TIMEOUT, detail) from None

    def close(self) -> None:
        """End each thread once it is free; those that are stuck are not waited for."""
        for root in self._roots.values():
            root.threads.shutdown()
        self._roots.clear()

    async def _name(self, path: Path) -> str:
        """The root of a path: what is mounted there, or its first parts where these say more."""
        now = time.monotonic()
        if now >= self._mounts_known_until:
            self._mounts_known_until = now + _MOUNTS_LIFE
            self._mounts = await anyio.to_thread.run_sync(mounted)
        first = Path(*path.parts[:_DEPTH])
        return next((str(up) for up in path.parents if str(up) in self._mounts or up == first), "")

    def _root(self, name: str) -> _Root:
        if name not in self._roots and len(self._roots) >= _MAX_ROOTS:
            for old in [name for name, root in self._roots.items() if not root.stuck][:1]:
                self._roots.pop(old).threads.shutdown()
        return self._roots.setdefault(name, _Root())

    def _learn(self, name: str, root: _Root, future: "Future[_T]") -> None:
        now = time.monotonic()
        if not root.stuck and now >= root.rests_until:
            logger.warning(
                say(
                    "qqimage: {root} does not answer, as a network drive that is gone; the files "
                    "below it are left alone until it does",
                    root=mask_keys(name),
                )
            )
        root.rests_until = now + _REST
        if not future.running():  # it waited for others, which are stuck
            return
        root.stuck += 1
        loop = asyncio.get_running_loop()

        def recovered() -> None:
            root.stuck -= 1
            root.rests_until = 0.0

        def answered(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(recovered)

        future.add_done_callback(answered)
