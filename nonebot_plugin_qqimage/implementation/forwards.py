"""Images in forwarded records, however deep, as far as it is reasonable to look.

Records are fetched with ``get_forward_msg``, unless the event holds their content already; nested
ones hold theirs (NapCat, go-cqhttp) or have an id of their own (LuckyLilliaBot).
"""

from collections.abc import Iterable
from dataclasses import replace

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.log import logger

from ..errors import AttemptFailed
from ..messages.contents import forward_nodes, message_content
from ..messages.finding import segments_of
from ..messages.reference import ImageReference, from_segment, parts_of
from .implementation import Implementation

_MAX_DEPTH = 5
_MAX_CALLS = 20
_MAX_IMAGES = 200


async def find_forwarded(
    event: MessageEvent, implementation: Implementation | None, timeout: float
) -> list[ImageReference]:
    """The images in the records that an event's message, or the one it quotes, forwards.

    Args:
        event: the event.
        implementation: whom to ask; None while the bot is not connected.
        timeout: seconds for each call.
    """
    reader = ForwardReader(implementation, str(event.self_id), timeout)
    found = await reader.find(event.message, str(event.message_id))
    if event.reply is not None:
        found = await reader.find(event.reply.message, str(event.reply.message_id))
    return found


class ForwardReader:
    """Reads the records forwarded in one message.

    Args:
        implementation: whom to ask; None while the bot is not connected.
        self_id: the bot.
        timeout: seconds for each call.
    """

    def __init__(self, implementation: Implementation | None, self_id: str, timeout: float) -> None:
        self._implementation = implementation
        self._self_id = self_id
        self._timeout = timeout
        self._calls = 0
        self._found: list[ImageReference] = []

    async def find(self, message: Iterable[object], message_id: str) -> list[ImageReference]:
        """The images in every record among these segments; a record nobody knows has none."""
        await self._look_in(message, f"forward:{message_id}", 0)
        return self._found

    async def _look_in(self, segments: Iterable[object], record: str, depth: int) -> None:
        for segment in segments if depth <= _MAX_DEPTH else ():
            if len(self._found) >= _MAX_IMAGES:
                return
            kind, data = parts_of(segment)
            if kind == "forward":
                await self._open(data.get("id"), data.get("content"), record, depth + 1)
            elif kind == "node":
                await self._look_in(segments_of(message_content(segment)), record, depth + 1)
            elif depth:
                position = sum(found.message_id == record for found in self._found)
                reference = from_segment(segment, self._self_id, record, position)
                if reference is not None:
                    self._found.append(replace(reference, forwarded=True))

    async def _open(self, record: object, content: object, parent: str, depth: int) -> None:
        if depth > _MAX_DEPTH:  # before another call
            return
        name = f"forward:{record}" if isinstance(record, (str, int)) and record else parent
        nodes = forward_nodes(content) or await self._fetch(record)
        for node in nodes:
            await self._look_in(segments_of(message_content(node)), name, depth)

    async def _fetch(self, record: object) -> list[object]:
        if self._implementation is None or self._calls >= _MAX_CALLS:
            return []
        if not isinstance(record, (str, int)) or not record:
            return []
        self._calls += 1
        try:
            return await self._implementation.get_forward_msg(str(record), self._timeout)
        except AttemptFailed as failure:
            logger.warning(
                f"qqimage: forwarded record {str(record)[:64]} (bot {self._self_id}): "
                f"get_forward_msg {failure.cause.value} ({failure.detail})"
            )
            return []
