"""Images in forwarded records: those whose content does not stand in the event are fetched."""

from collections.abc import Sequence

from nonebot.adapters.onebot.v11 import MessageEvent

from ..errors import AttemptFailed
from ..language import say
from ..log import logger
from ..messages.chats import chat_of
from ..messages.reader import Reader, Unopened, Walk
from ..messages.reference import ImageReference
from .implementation import Implementation


async def find_forwarded(
    event: MessageEvent, implementation: Implementation | None, timeout: float
) -> list[ImageReference]:
    """The images in the records that an event's message, or the one it quotes, forwards.

    A record that the implementation does not give is logged and left out.

    Args:
        event: the event.
        implementation: gives the records; None while the bot is not connected.
        timeout: seconds for each call.
    """
    reader = Reader(str(event.self_id), chat=chat_of(event))
    walks = [reader.message(event.message, str(event.message_id))]
    if event.reply is not None:
        walks.append(reader.message(event.reply.message, str(event.reply.message_id)))
    found: list[ImageReference] = []
    for walk in walks:
        found += await _forwarded(walk, implementation, timeout)
    return found


async def _forwarded(
    walk: Walk, implementation: Implementation | None, timeout: float
) -> list[ImageReference]:
    found: list[ImageReference] = []
    nodes: Sequence[object] | None = None
    while True:
        try:
            each = walk.send(nodes)
        except StopIteration:
            return found
        nodes = None
        if not isinstance(each, Unopened):
            found += [each.reference] if each.reference.forwarded else []
        elif implementation is not None:
            nodes = await _fetch(each.record_id, implementation, timeout)


async def _fetch(record_id: str, implementation: Implementation, timeout: float) -> list[object]:
    try:
        return await implementation.get_forward_msg(record_id, timeout)
    except AttemptFailed as failure:
        logger.warning(
            say(
                "qqimage: forwarded record {record} (bot {bot}) cannot be read: get_forward_msg: "
                "{failure}",
                record=record_id[:64],
                bot=implementation.bot.self_id,
                failure=str(failure),
            )
        )
        return []
