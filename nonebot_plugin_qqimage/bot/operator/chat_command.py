"""``/qqimage``: the doctor and a few figures, for superusers in a chat."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Annotated

from nonebot import get_driver, on_command, on_fullmatch
from nonebot.adapters.onebot.v11 import (
    Bot,
    Message,
    MessageEvent,
    MessageSegment,
    PrivateMessageEvent,
)
from nonebot.params import CommandArg
from nonebot.permission import SUPERUSER

from ...attempts import words_of
from ...doctor.figures import counted, images_of, size_of
from ...doctor.line import Line
from ...doctor.trials.picture import about_picture
from ...errors import StoreError
from ...language import Text, localized, say
from ...masking import one_line
from ...store.image_store import ImageStore
from ..services import Services
from .examining import examine
from .page import Page

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
_MAX_LENGTH = 1500
"""Characters of one message; QQ refuses long ones."""
_USAGE = (
    Text("/qqimage doctor: why images do not come; send or quote one to have it tried"),
    Text("/qqimage stats: what the store holds"),
    Text("/qqimage page: a link to the pictures, in a private chat; page close ends all of them"),
)


def install(services: Services, page: Page) -> None:
    """Listen to the command, if there is anybody who may give it: a matcher costs every event.

    Args:
        services: of the bot.
        page: the operator's page.
    """

    async def answer(
        bot: Bot, event: MessageEvent, arguments: Annotated[Message, CommandArg()]
    ) -> None:
        words = arguments.extract_plain_text().split()
        if words[:1] == ["page"]:
            texts = await _about_page(page, event, words[1:])
        else:
            texts = await _answers(services, bot, event, words)
        await say_all(bot, event, texts)

    async def show_page(bot: Bot, event: MessageEvent) -> None:
        await say_all(bot, event, await _about_page(page, event, []))

    async def say_all(bot: Bot, event: MessageEvent, texts: Iterable[str]) -> None:
        for text in texts:
            # as it stands there: a string would be searched for CQ codes
            await bot.send(event, MessageSegment.text(text))

    if get_driver().config.superusers:
        on_command("qqimage", rule=_is_onebot, permission=SUPERUSER, block=True, handlers=[answer])
        starts = {*get_driver().config.command_start, ""}
        names = tuple(f"{start}图库" for start in starts)
        on_fullmatch(names, rule=_is_onebot, permission=SUPERUSER, block=True, handlers=[show_page])


async def _is_onebot(event: MessageEvent) -> bool:  # any other event does not get here
    return True


async def _about_page(page: Page, event: MessageEvent, words: list[str]) -> Iterable[str]:
    if words[:1] == ["close"]:
        return [await page.close_all()]
    if not isinstance(event, PrivateMessageEvent) or event.sub_type == "group":
        return [say("not here, where others read it: ask me in a private chat")]
    return await page.invitation(event.get_user_id())


async def _answers(
    services: Services, bot: Bot, event: MessageEvent, words: list[str]
) -> Iterable[str]:
    wanted = words[:1]
    if wanted == ["doctor"]:
        return _messages(map(_in_chat, await _examine(services, bot, event)))
    if wanted == ["stats"]:
        return [await _figures(services.store)]
    return ["\n".join(map(localized, _USAGE))]


async def _examine(services: Services, bot: Bot, event: MessageEvent) -> list[Line]:
    """Everything that can be said here; nothing of other chats and other bots."""
    lines, picture = await asyncio.gather(
        examine(services, [services.implementations.of(bot)]),
        about_picture(services.resolver, services.pipeline, event),
    )
    return [*lines, *picture]


async def _figures(store: ImageStore) -> str:
    try:
        totals = await store.totals()
        resolved = await store.catalog.counters("resolved")
        failed = await store.catalog.counters("failed")
    except StoreError as error:
        return error.brief
    causes = localized(counted(failed.items(), words_of))
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
