"""Views of the whole: figures and plots, failures with hints, and what the doctor says.

What looks at everything is made in the background, and shown for a minute.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from nonebot.drivers import Response

from ...attempts import Attempt, Cause
from ...doctor.line import Line
from ...errors import StoreError
from ...hints import hint_for
from ...language import localized, say
from ...log import logger
from ...messages.reference import ImageReference
from ...store.image_store import ImageStore
from ...store.local.browsing.figures import Figures
from ...store.local.facts import Statistics
from ..web.answers import page
from .browse import Choices
from .plots import by_chat, by_day, by_hour, by_source, hit_rate

_T = TypeVar("_T")
_FRESH = 60.0
"""Seconds for which figures are shown before they are made anew."""
_PATIENCE = 1.5
"""Seconds that a page waits for them; the browser asks again."""
_DAYS = 30
_CHATS = 15
_MAX_UNRESOLVED = 50


class Overview:
    """Shows figures, failures, and what the doctor says.

    Args:
        store: what they are about.
        examine: asks the doctor, which takes seconds.
        hint: what would help an image that has failed; empty where nothing is known.
    """

    def __init__(
        self,
        store: ImageStore,
        examine: Callable[[], Awaitable[list[Line]]],
        hint: Callable[[ImageReference], str],
    ) -> None:
        self._store = store
        self._hint_of = hint
        self._counted = InBackground(self._count)
        self._examined = InBackground(examine)

    async def show(self, view: str, **shown: Any) -> Response | None:
        """One of these views; None where there is none of that name."""
        if view == "figures":
            return await self._figures(**shown)
        if view == "failures":
            return await self._failures(**shown)
        if view == "doctor":
            lines = await self._examined.get(_PATIENCE)
            return await page("doctor.html", lines=lines, at=self._examined.made, **shown)
        return None

    async def choices(self) -> Choices:
        """What filters offer, as far as it is known."""
        counted = await self._counted.get(0)
        if counted is None:
            return Choices([], [])
        statistics, figures = counted
        return Choices([chat for chat, _ in figures.chats], [*statistics.by_source])

    async def close(self) -> None:
        """End what is under way."""
        await self._counted.close()
        await self._examined.close()

    async def _figures(self, **shown: Any) -> Response:
        counted = await self._counted.get(_PATIENCE)
        plots: dict[str, Any] = {"statistics": None}
        if counted is not None:
            statistics, figures = counted
            plots = {
                "statistics": statistics,
                "images": by_day(figures.days, _DAYS, of_bytes=False),
                "bytes": by_day(figures.days, _DAYS, of_bytes=True),
                "hits": hit_rate(figures.resolved, _DAYS),
                "sources": by_source(statistics.by_source),
                "chats": by_chat(figures.chats),
            }
        return await page("figures.html", **plots, at=self._counted.made, **shown)

    async def _failures(self, **shown: Any) -> Response:
        counted = await self._counted.get(_PATIENCE)
        failed = {} if counted is None else counted[0].failed
        causes = [(cause, count, _hint(cause)) for cause, count in failed.items()]
        unresolved = await self._store.browsing.unresolved(limit=_MAX_UNRESOLVED)
        return await page(
            "failures.html",
            causes=causes,
            plot=None if counted is None else by_hour(counted[1].failed),
            unresolved=[(seen, localized(self._hint_of(seen.reference))) for seen in unresolved],
            at=self._counted.made,
            **shown,
        )

    async def _count(self) -> tuple[Statistics, Figures]:
        figures = await self._store.browsing.figures(days=_DAYS, chats=_CHATS)
        return await self._store.catalog.statistics(), figures


class InBackground(Generic[_T]):
    """Something that takes long to find out: found out in the background, and kept for a minute.

    Args:
        find: finds it out.
    """

    def __init__(self, find: Callable[[], Awaitable[_T]]) -> None:
        self._find = find
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0
        self.last: _T | None = None
        """What was found last; None before."""
        self.made = 0.0
        """When that was, in seconds since the epoch."""

    async def get(self, patience: float) -> _T | None:
        """What was found in the last minute, or is found within so many seconds; or else what was
        found before that, if anything."""
        if time.monotonic() >= self._due and self._task is None:
            self._task = asyncio.create_task(self._run())
        if self._task is not None:
            await asyncio.wait([self._task], timeout=patience)
        return self.last

    async def close(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            with contextlib.suppress(StoreError):  # the view says what it has
                self.last = await self._find()
                self.made = time.time()
        except Exception:  # noqa: BLE001  the next time may do better
            logger.exception(say("qqimage: the page failed, please report it"))
        finally:
            self._task, self._due = None, time.monotonic() + _FRESH


def _hint(cause: str) -> str:
    """What the operator can do about a cause; empty where nothing is known."""
    with contextlib.suppress(ValueError):  # of a later version
        attempt = Attempt("url of the segment", Cause(cause), "", 0.0)
        return localized(hint_for([attempt]))
    return ""
