"""Intake: the images of events and of sent messages are remembered, and fetched in advance."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot, MessageEvent
from nonebot.matcher import current_event

from ...implementation.connection import is_made_for_a_test
from ...messages.arrived import Arrived
from ...messages.chats import sender_in
from ...messages.contents import forward_nodes
from ...messages.events import find_in_own_event, find_sent, find_upload
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
        """Take in the images of an event, as its segments are now; of a message a moment later."""
        if isinstance(event, MessageEvent):
            arrived = Arrived.of(event)
            copy = arrived.copied()
            # with the bots that are there: a test may end before the message is read
            read = partial(self._read, copy or arrived, self._implementations.bots)
            self._arrivals.read_later(read)
            if copy is None:  # handlers may change it
                self._arrivals.catch_up()
        else:
            self._arrivals.note_event(event)
        for sighting in find_upload(event):
            self._store.saw(sighting)
            if self._config.prefetch:
                self._prefetch(sighting.reference, self._implementations.bots)
        if self._config.own_images:
            self._take_in_own(find_in_own_event(event))

    def _read(self, message: Arrived, bots: Sequence[Bot]) -> None:
        self._arrivals.note(message.self_id, message.own.message_id)
        if not message.is_own:
            self._said(message.own.content)
        for sighting in message.sightings():
            # a shared file stands nowhere here; the notice of its upload says where it is
            if sighting.reference.message_id:
                self._store.saw(sighting)
            if self._config.prefetch:
                self._prefetch(sighting.reference, bots)

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
            if sighting.chat:  # or nobody could forget it; the call that sent it says where
                self._store.saw(sighting)
            self._prefetch(sighting.reference, self._implementations.bots)

    def _prefetch(self, reference: ImageReference, bots: Sequence[Bot]) -> None:
        """Fetch an image in advance; for a bot that a test has made, only what needs no call."""
        # an event may name another bot than the one that a test has made
        own = [bot for bot in bots if bot.self_id == reference.self_id] or bots
        in_test = any(map(is_made_for_a_test, own))
        if not in_test or reference.content.startswith(("base64:", "data:")):
            self._pipeline.prefetch(reference)
