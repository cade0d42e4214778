"""Intake: what events and sent messages bring is remembered, and resolved in the background."""

import asyncio
from collections.abc import Mapping
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot
from nonebot.log import logger

from .config import ScopedConfig
from .finding import find_in_event, find_in_own_event, find_sent, find_sightings
from .reference import ImageReference
from .resolver import ImageResolver
from .sighting import Sighting

_MOMENT = 0.005
"""Seconds; a handler that asks for the image does not wait for them."""
_MAX_WAITING = 1024
"""Images; those beyond are fetched when somebody asks for them."""


class Intake:
    """Takes in images, as far as the settings say so.

    Args:
        config: the settings.
        resolver: gets the images.
    """

    def __init__(self, config: ScopedConfig, resolver: ImageResolver) -> None:
        self._config = config
        self._resolver = resolver
        self._waiting: list[ImageReference] = []

    def received(self, event: BaseEvent) -> None:
        """Take in the images of an event."""
        own, quoted = find_in_event(event)
        if own or quoted:
            self._remember(event, own, quoted)
            if self._config.prefetch:
                self._prefetch_soon(own + quoted)
        if self._config.own_images:
            self._keep_own(find_in_own_event(event))

    def sent(self, bot: BaseBot, params: Mapping[str, Any], result: object) -> None:
        """Take in the images of a message that a bot has just sent.

        Args:
            bot: the bot.
            params: the parameters of the ``send_…`` action.
            result: its answer.
        """
        if self._config.own_images and isinstance(bot, Bot):
            self._keep_own(find_sent(bot.self_id, params, result))

    # a moment later: until then, the loop belongs to whoever answers the message

    def _remember(
        self, event: BaseEvent, own: list[ImageReference], quoted: list[ImageReference]
    ) -> None:
        store = self._resolver.store
        if any(each.held for each in own + quoted):  # not longer than anybody needs them
            for sighting in find_sightings(event, own, quoted):
                store.saw(sighting)
        else:
            store.saw_later(lambda: find_sightings(event, own, quoted))

    def _prefetch_soon(self, references: list[ImageReference]) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(_MOMENT, self._prefetch_waiting)
        self._waiting += references[: _MAX_WAITING - len(self._waiting)]

    def _prefetch_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            for reference in waiting:
                self._resolver.prefetch(reference)
        except Exception:  # noqa: BLE001  nobody called this but the loop
            logger.exception("qqimage: prefetching failed, please report it")

    def _keep_own(self, sightings: list[Sighting]) -> None:
        for sighting in sightings:
            self._resolver.store.saw(sighting)
            self._resolver.prefetch(sighting.reference)
