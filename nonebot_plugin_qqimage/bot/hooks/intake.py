"""Intake: the images of events and of sent messages are remembered, and fetched in advance."""

from collections.abc import Iterable, Mapping
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot, MessageEvent
from nonebot.matcher import current_event

from ...implementation.connection import is_made_for_a_test
from ...messages.chats import sender_in
from ...messages.contents import forward_nodes
from ...messages.events import find_in_own_event, find_received, find_sent
from ...messages.reference import ImageReference
from ...messages.said_paths import said_paths
from ...messages.sighting import Sighting
from ..services import Services


class Intake:
    """Takes in images, as far as the settings say so.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._store = services.store
        self._arrivals = services.arrivals
        self._pipeline = services.pipeline
        self._implementations = services.implementations

    def received(self, event: BaseEvent) -> None:
        """Take in the images of an event, as its segments are now."""
        self._arrivals.note(event)
        of_message = isinstance(event, MessageEvent)
        if of_message and event.user_id != event.self_id:
            self._said(event.message)
        for sighting in find_received(event):
            # a shared file in a message stands nowhere; the notice of its upload says where it is
            stands_here = bool(sighting.reference.message_id) or not of_message
            self._take_in(sighting, write=stands_here, prefetch=self._config.prefetch)
        if self._config.own_images:
            self._take_in_own(find_in_own_event(event))

    def told(self, bot: BaseBot, api: str, answer: object) -> None:
        """Remember the paths that messages in an answer say, as those of received messages.

        Args:
            bot: the bot that asked.
            api: the action.
            answer: its answer.
        """
        # senders in forwarded records can be made up, and are not believed
        messages = [answer] if api in ("get_msg", "get_forward_msg") else forward_nodes(answer)
        for message in messages:
            if api == "get_forward_msg" or sender_in(message) != bot.self_id:
                self._said(message)

    def _said(self, content: object) -> None:
        for digest in said_paths(content):
            self._store.notes.add_said_path(digest)

    def sent(self, bot: BaseBot, api: str, params: Mapping[str, Any], result: object) -> None:
        """Take in the images of a message that a bot has just sent.

        Args:
            bot: the bot.
            api: the ``send_…`` action.
            params: its parameters.
            result: its answer.
        """
        if self._config.own_images and isinstance(bot, Bot):
            event = current_event.get(None)
            self._take_in_own(find_sent(bot.self_id, params, result, api, event))

    def _take_in_own(self, sightings: Iterable[Sighting]) -> None:
        for sighting in sightings:
            # without a chat nobody could forget it; the call that sent it says where
            self._take_in(sighting, write=bool(sighting.chat), prefetch=True)

    def _take_in(self, sighting: Sighting, *, write: bool, prefetch: bool) -> None:
        if write:
            self._store.saw(sighting)
        if prefetch:
            self._prefetch(sighting.reference)

    def _prefetch(self, reference: ImageReference) -> None:
        """Fetch an image in advance; for a bot that a test has made, only what needs no call."""
        implementation = self._implementations.find(reference.self_id)
        if implementation is not None:
            in_test = is_made_for_a_test(implementation.bot)
        else:  # an event may name another bot than the one that a test has made
            connected = self._implementations.connected
            in_test = any(is_made_for_a_test(each.bot) for each in connected)
        if not in_test or reference.content.startswith(("base64:", "data:")):
            self._pipeline.prefetch(reference)
