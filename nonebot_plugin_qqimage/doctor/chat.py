"""``/qqimage``: the doctor and a few figures, for superusers in a chat."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated

from nonebot import get_driver, on_command
from nonebot.adapters.onebot.v11 import Bot, Message, MessageEvent
from nonebot.params import CommandArg
from nonebot.permission import SUPERUSER

from ..errors import StoreError
from ..figures import size_of
from ..lifespan import get_resolver
from ..resolver import ImageResolver
from ..store import Index
from .finding import Line
from .network import reaches_hosts, speaks_tls
from .peers import about_peer, known_of
from .picture import about_picture
from .storage import about_store
from .versions import about_versions, versions

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
_MAX_LENGTH = 1500
"""Characters of one message; QQ refuses long ones."""
_USAGE = (
    "/qqimage doctor: why pictures do not come; send or quote one to have it tried\n"
    "/qqimage stats: what the store holds"
)


def install() -> None:
    """Listen to the command, if there is anybody who may give it: a matcher costs every event."""
    if get_driver().config.superusers:
        on_command("qqimage", rule=_is_onebot, permission=SUPERUSER, block=True, handlers=[_answer])


async def _is_onebot(event: MessageEvent) -> bool:  # any other event does not get here
    return True


async def _answer(
    bot: Bot, event: MessageEvent, arguments: Annotated[Message, CommandArg()]
) -> None:
    resolver, wanted = get_resolver(), arguments.extract_plain_text().split()[:1]
    if wanted == ["doctor"]:
        lines = await _examine(resolver, bot, event)
        texts = _messages(map(_in_chat, lines))
    elif wanted == ["stats"]:
        texts = [await _figures(resolver)]
    else:
        texts = [_USAGE]
    for text in texts:
        await bot.send(event, text)


async def _examine(resolver: ImageResolver, bot: Bot, event: MessageEvent) -> list[Line]:
    """Everything that can be said here; nothing of other chats and other bots."""
    found = await versions()
    tls, hosts, store, picture = await asyncio.gather(
        speaks_tls(),
        reaches_hosts(resolver.config),
        about_store(resolver.store, resolver.config.max_store_size, deep=False),
        about_picture(resolver, event),
    )
    peers = [peer for peer in resolver.peers if peer.bot.self_id == bot.self_id]
    await asyncio.gather(*(peer.introduce() for peer in peers))
    about = [line for peer in peers for line in about_peer(known_of(peer))]
    return [Line("ok", "versions", about_versions(found)), *about, tls, *hosts, *store, *picture]


async def _figures(resolver: ImageResolver) -> str:
    try:
        return await resolver.store.query(_summary)
    except StoreError as error:
        return str(error)


def _summary(index: Index) -> str:
    totals, resolved = index.totals(), index.counters("resolved")
    failed = ", ".join(f"{n} {cause}" for cause, n in index.counters("failed").items())
    return "\n".join(
        (
            f"{totals.images} images, {size_of(totals.bytes)}",
            f"{resolved.get('store', 0)} of {sum(resolved.values())} came from the store",
            f"failed: {failed or 'none'}",
        )
    )


def _in_chat(line: Line) -> str:
    cure = f"\n  → {line.cure}" if line.cure else ""
    return f"{_MARKS[line.state]} {line.about}: {line.text}{cure}"


def _messages(lines: Iterable[str]) -> Iterator[str]:
    """The lines, in as few messages as they fit into."""
    text = ""
    for line in lines:
        if text and len(text) + len(line) >= _MAX_LENGTH:
            yield text
            text = ""
        text += "\n" * bool(text) + line
    yield text
