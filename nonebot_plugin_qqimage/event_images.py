"""The images of events: of their message, the quoted one, forwarded records, and their chat."""

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import MessageEvent

from .errors import StoreError
from .implementation.forwards import find_forwarded
from .implementation.implementations import Implementations
from .messages.arrivals import Arrivals, message_id_of
from .messages.chats import chat_of
from .messages.events import find_in_event, of_one_message, quoted_id, seen_forwarded
from .messages.reference import ImageReference
from .messages.sighting import Sighting
from .messages.targets import checked_event, reference_of
from .pipeline.pipeline import Pipeline

_MAX = 200
"""Images of one message that are looked for, those of another message with its id included."""


class EventImages:
    """Finds the images of events.

    Args:
        pipeline: whose store knows what was seen.
        implementations: whom to ask for forwarded records.
        arrivals: when messages arrived.
        timeout: seconds to wait for each record.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        implementations: Implementations,
        arrivals: Arrivals,
        timeout: float,
    ) -> None:
        self._pipeline = pipeline
        self._implementations = implementations
        self._arrivals = arrivals
        self._timeout = timeout

    def own(self, event: Event) -> list[ImageReference]:
        """The images of the message itself."""
        return find_in_event(checked_event(event))[0]

    def quoted(self, event: Event) -> list[ImageReference]:
        """The images of the quoted message, as far as the event holds it."""
        return find_in_event(checked_event(event))[1]

    async def own_and_quoted(self, event: Event) -> list[ImageReference]:
        """Those of the message, then those of the quoted one, if need be as they were seen."""
        own, quoted = find_in_event(checked_event(event))
        return own + (quoted or await self._seen_in_quoted(event))

    async def forwarded(self, event: Event) -> list[ImageReference]:
        """Those in the records that the message, or the one it quotes, forwards."""
        checked_event(event)
        if not isinstance(event, MessageEvent):
            return []
        implementation = self._implementations.find(str(event.self_id))
        found = await find_forwarded(event, implementation, self._timeout)
        for sighting in seen_forwarded(event, found):  # so that they can be forgotten
            self._pipeline.store.saw(sighting)
        return found

    async def latest(
        self, event: Event, n: int, *, own: bool, distinct: bool, before: bool
    ) -> list[Sighting]:
        """The last images of the event's chat, the latest first; see `ImageResolver.latest`."""
        chat, bot = chat_of(checked_event(event)), str(getattr(event, "self_id", ""))
        if not chat or n < 1:
            return []
        arrived, message_id = self._arrivals.of(event) if before else None, message_id_of(event)
        limit = n + _MAX if before else n
        while True:
            seen = await self._pipeline.store.sightings(
                bot=bot,
                chat=chat,
                not_by=None if own else bot,
                arrived_by=arrived,
                limit=limit,
            )
            found: dict[object, Sighting] = {}
            for number, each in enumerate(seen):
                if not before or each.reference.message_id != message_id:
                    shown = each.sha256 or each.reference.key
                    found.setdefault(shown if distinct else number, each)
            if len(found) >= n or len(seen) < limit:
                return [*found.values()][:n]
            limit *= 4

    async def _seen_in_quoted(self, event: Event) -> list[ImageReference]:
        """The images of the quoted message, as they were seen when it came."""
        if not isinstance(event, MessageEvent) or not (message_id := quoted_id(event)):
            return []
        bot, chat, find = str(event.self_id), chat_of(event), self._pipeline.store.sightings
        try:
            found = await find(bot=bot, chat=chat, message_id=message_id, limit=_MAX)
        except StoreError as error:  # the handler has other things to do, too
            self._pipeline.store_trouble.log(error)
            return []
        sender = str((event.reply and event.reply.sender.user_id) or "")
        # ids come again, so it must be a message of the same sender, where anybody says whose it is
        return [
            reference_of(each)
            for each in of_one_message(found)
            if sender in ("", each.user) or not each.user
        ]
