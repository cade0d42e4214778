"""Intake: what events and sent messages bring is remembered, and resolved in the background."""

from collections.abc import Iterable, Mapping
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot

from ..messages.finding import candidates, find_in_own_event, find_sent, find_upload
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
        """Take in the images of an event."""
        for found in candidates(event):
            references = found.references()
            self._take_in(found.sightings(references), prefetch=False)
            for reference in references if self._config.prefetch else ():
                self._pipeline.prefetch(reference)
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

    def _take_in(self, sightings: Iterable[Sighting], *, prefetch: bool = True) -> None:
        for sighting in sightings:
            self._store.saw(sighting)
            if prefetch:
                self._pipeline.prefetch(sighting.reference)
