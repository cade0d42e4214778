"""Intake: what events and sent messages bring is remembered, and resolved in the background."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot
from nonebot.log import logger

from .config import ScopedConfig
from .finding import Candidates, candidates, find_in_own_event, find_sent, find_upload
from .resolver import ImageResolver
from .sighting import Sighting

_MOMENT = 0.05
"""Seconds without another message; a handler that asks for an image does not wait for them."""
_MAX_WAIT = 0.25
"""Seconds that messages wait for such a moment."""
_MAX_WAITING = 64
"""Messages that do."""


class Intake:
    """Takes in images, as far as the settings say so.

    Args:
        config: the settings.
        resolver: gets the images.
    """

    def __init__(self, config: ScopedConfig, resolver: ImageResolver) -> None:
        self._config = config
        self._resolver = resolver
        self._waiting: list[Candidates] = []
        self._last = 0.0
        resolver.store.ask_first(self._take_in_waiting)

    def received(self, event: BaseEvent) -> None:
        """Take in the images of an event."""
        found = candidates(event)
        if found:
            self._take_in_soon(found)
            return
        self._take_in(find_upload(event), prefetch=self._config.prefetch)
        if self._config.own_images:
            self._take_in(find_in_own_event(event))

    def sent(self, bot: BaseBot, params: Mapping[str, Any], result: object) -> None:
        """Take in the images of a message that a bot has just sent.

        Args:
            bot: the bot.
            params: the parameters of the ``send_…`` action.
            result: its answer.
        """
        if self._config.own_images and isinstance(bot, Bot):
            self._take_in(find_sent(bot.self_id, params, result))

    def _take_in_soon(self, found: list[Candidates]) -> None:
        """When no more come: until then, the loop belongs to whoever answers the messages."""
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        if not self._waiting:
            loop.call_later(_MOMENT, self._end_if_quiet, self._last + _MAX_WAIT)
        self._waiting += found
        if len(self._waiting) >= _MAX_WAITING:
            self._take_in_waiting()

    def _end_if_quiet(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        if self._waiting and loop.time() < min(self._last + _MOMENT, deadline):
            loop.call_later(_MOMENT, self._end_if_quiet, deadline)
        else:
            self._take_in_waiting()

    def _take_in_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for found in waiting:
            try:
                references = found.references()
                self._take_in(found.sightings(references), prefetch=False)
                for reference in references if self._config.prefetch else ():
                    self._resolver.prefetch(reference)
            except Exception:  # noqa: BLE001  who calls this wants something else
                logger.exception("qqimage: taking in an event failed, please report it")

    def _take_in(self, sightings: Iterable[Sighting], *, prefetch: bool = True) -> None:
        for sighting in sightings:
            self._resolver.store.saw(sighting)
            if prefetch:
                self._resolver.prefetch(sighting.reference)
