"""The bot's event loop, as it is seen from the loop of another thread."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
PATIENCE = 2.0
"""Seconds in which the bot's loop has to give a sign of life."""
_GLANCE = 0.5
"""Seconds between two looks whether it still does, while an answer is waited for."""


class DoesNotReact(Exception):
    """The bot's event loop gives no sign of life: most likely some handler blocks it."""


class BotLoop:
    """Has work done by the bot's event loop. It is used on one other loop only.

    Args:
        loop: the bot's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked = 0.0
        self._sign: asyncio.Future[None] | None = None

    async def reacts(self, within: float = PATIENCE) -> bool:
        """Whether the loop gives a sign of life, however long its other work takes.

        Args:
            within: seconds from when it was first asked for the sign that it has yet to give. So
                whoever comes to a loop that is known to be blocked does not wait again.
        """
        if self._sign is None or self._sign.done():
            here = asyncio.get_running_loop()
            sign = self._sign = here.create_future()
            self._asked = time.monotonic()

            def give() -> None:
                with contextlib.suppress(RuntimeError):  # the thread has ended
                    here.call_soon_threadsafe(_done, sign)

            with contextlib.suppress(RuntimeError):  # the bot's loop has ended
                self._loop.call_soon_threadsafe(give)
        sign, left = self._sign, self._asked + within - time.monotonic()
        await asyncio.wait([sign], timeout=max(left, 0.0))
        return sign.done()

    async def call(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What some work gives that is done on the bot's loop; it is cancelled with this call.

        The work sets its own deadline: it may take as long as the loop gives signs of life.

        Raises:
            DoesNotReact: the loop gives none.
            Exception: whatever the work raises.
        """
        coroutine = work()
        try:
            submitted = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # it has ended
            coroutine.close()
            raise DoesNotReact from None
        answer = asyncio.wrap_future(submitted)
        try:
            while await self.reacts():
                await asyncio.wait([answer], timeout=_GLANCE)
                if answer.done():
                    return answer.result()
            raise DoesNotReact
        finally:
            if answer.done():
                _ = answer.cancelled() or answer.exception()  # or asyncio says nobody looked at it
            answer.cancel()


def _done(sign: asyncio.Future[None]) -> None:
    if not sign.done():
        sign.set_result(None)
