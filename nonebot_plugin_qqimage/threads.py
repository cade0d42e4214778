"""Threads that never keep the bot from ending, whatever they are stuck in."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

_T = TypeVar("_T")
_Job = tuple["Future[Any]", Callable[[], Any]]


def on_event_loop() -> bool:
    """Whether this is the thread of an event loop; NoneBot calls handlers without ``async`` in
    others, where nothing may be changed that the loop works with."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class DaemonThreads(Executor):
    """A few threads that are started when they are needed.

    Those of `concurrent.futures` are waited for when Python ends, for ever where one reads from a
    network mount that is gone.

    Args:
        most: how many at most.
        name: what their names start with.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()  # for the next two, which any thread may change
        self._started = 0
        self._closed = False

    def submit(  # type: ignore[override]  nobody passes arguments
        self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any
    ) -> "Future[_T]":
        """Have a function called by the next free thread."""
        future: Future[_T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no more work is taken on")
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
            if not self._idle.acquire(blocking=False) and self._started < self._most:
                self._started += 1
                name = f"{self._name}_{self._started}"
                threading.Thread(target=self._run, name=name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End each thread once it is free; none of them is waited for."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001  it is for whoever waits
                    future.set_exception(error)
            del job, future, work  # a thread that waits must not hold what it has done
            self._idle.release()
