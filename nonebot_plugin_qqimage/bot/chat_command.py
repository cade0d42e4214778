"""``/qqimage``: the doctor and a few figures, for superusers in a chat."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated

from nonebot import get_driver, on_command
from nonebot.adapters.onebot.v11 import Bot, Message, MessageEvent, MessageSegment
from nonebot.params import CommandArg
from nonebot.permission import SUPERUSER

from ..attempts import words_of
from ..doctor.figures import images_of, size_of
from ..doctor.implementations import about_implementation, known_of
from ..doctor.line import Line
from ..doctor.network import reaches_hosts, speaks_tls
from ..doctor.picture import about_picture
from ..doctor.storage import about_store
from ..doctor.versions import about_versions, versions
from ..errors import StoreError
from ..language import Text, localized, say, with_commas
from ..masking import one_line
from ..store.image_store import ImageStore
from .services import Services

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
_MAX_LENGTH = 1500
"""Characters of one message; QQ refuses long ones."""
_USAGE = (
    Text("/qqimage doctor: why images do not come; send or quote one to have it tried"),
    Text("/qqimage stats: what the store holds"),
)


def install(services: Services) -> None:
    """Listen to the command, if there is anybody who may give it: a matcher costs every event.

    Args:
        services: of the bot.
    """

    async def answer(
        bot: Bot, event: MessageEvent, arguments: Annotated[Message, CommandArg()]
    ) -> None:
        for text in await _answers(services, bot, event, arguments):
            # as it stands there: a string would be searched for CQ codes
            await bot.send(event, MessageSegment.text(text))

    if get_driver().config.superusers:
        on_command("qqimage", rule=_is_onebot, permission=SUPERUSER, block=True, handlers=[answer])


async def _is_onebot(event: MessageEvent) -> bool:  # any other event does not get here
    return True


async def _answers(
    services: Services, bot: Bot, event: MessageEvent, arguments: Message
) -> Iterable[str]:
    wanted = arguments.extract_plain_text().split()[:1]
    if wanted == ["doctor"]:
        return _messages(map(_in_chat, await _examine(services, bot, event)))
    if wanted == ["stats"]:
        return [await _figures(services.store)]
    return ["\n".join(map(localized, _USAGE))]


async def _examine(services: Services, bot: Bot, event: MessageEvent) -> list[Line]:
    """Everything that can be said here; nothing of other chats and other bots."""
    config = services.config
    found = await versions()
    tls, hosts, store, picture = await asyncio.gather(
        speaks_tls(),
        reaches_hosts(config),
        about_store(services.store, config.max_store_size, deep=False),
        about_picture(services.resolver, services.pipeline, event),
    )
    implementation = services.implementations.of(bot)
    await implementation.identify()
    about = about_implementation(known_of(implementation))
    here = Line("ok", Text("versions"), about_versions(found))
    return [here, *about, tls, *hosts, *store, *picture]


async def _figures(store: ImageStore) -> str:
    try:
        totals = await store.totals()
        resolved = await store.catalog.counters("resolved")
        failed = await store.catalog.counters("failed")
    except StoreError as error:
        return error.brief
    causes = localized(
        with_commas(
            Text("{count} {trouble}", count=count, trouble=words_of(cause))
            for cause, count in failed.items()
        )
    )
    return "\n".join(
        (
            say("{images}, {size}", images=images_of(totals.images), size=size_of(totals.bytes)),
            say(
                "{count} of {all} came from the store",
                count=resolved.get("store", 0),
                all=sum(resolved.values()),
            ),
            say("failed: {causes}", causes=causes or say("none")),
        )
    )


def _in_chat(line: Line) -> str:
    cure = f"\n  → {one_line(localized(line.cure))}" if line.cure else ""
    text = one_line(say("{about}: {text}", about=line.about, text=line.text))
    return f"{_MARKS[line.state]} {text}{cure}"


def _messages(lines: Iterable[str]) -> Iterator[str]:
    """The lines, in as few messages as they fit into."""
    text = ""
    for line in lines:
        if text and len(text) + len(line) >= _MAX_LENGTH:
            yield text
            text = ""
        text += "\n" * bool(text) + line
    yield text
