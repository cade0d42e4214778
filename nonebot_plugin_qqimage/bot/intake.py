"""Intake: the images of events and of sent messages are remembered, and fetched in advance."""

from collections.abc import Iterable, Mapping
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot, MessageEvent

from ..messages.events import find_in_own_event, find_received, find_sent
from ..messages.sighting import Sighting
from .services import Services


class Intake:
    """Takes in images, as far as the settings say so.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._store = services.store
        self._pipeline = services.pipeline

    def received(self, event: BaseEvent) -> None:
        """Take in the images of an event, as its segments are now."""
        for sighting in find_received(event):
            # a shared file in a message stands nowhere; the notice of its upload says where it is
            if sighting.reference.message_id or not isinstance(event, MessageEvent):
                self._store.saw(sighting)
            self._pipeline.seen_in(sighting.reference, sighting.chat)
            if self._config.prefetch:
                self._pipeline.prefetch(sighting.reference)
        if self._config.own_images:
            self._take_in_own(find_in_own_event(event))

    def sent(self, bot: BaseBot, params: Mapping[str, Any], result: object) -> None:
        """Take in the images of a message that a bot has just sent.

        Args:
            bot: the bot.
            params: the parameters of the ``send_…`` action.
            result: its answer.
        """
        if self._config.own_images and isinstance(bot, Bot):
            self._take_in_own(find_sent(bot.self_id, params, result))

    def _take_in_own(self, sightings: Iterable[Sighting]) -> None:
        for sighting in sightings:
            self._store.saw(sighting)
            self._pipeline.seen_in(sighting.reference, sighting.chat)
            self._pipeline.prefetch(sighting.reference)
