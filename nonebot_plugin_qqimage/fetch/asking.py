"""Asking the implementation for an image, where that is of use and does no harm."""

import asyncio
from dataclasses import replace

import anyio

from ..errors import Attempt, AttemptFailed, Cause
from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..language import Text
from .files.files import can_be_read
from .trial import Trial

_PAUSE = 0.5
"""Seconds before the implementation is asked again for an image that it did not know."""
_RETURN = 5.0
"""Seconds for an implementation that has gone in the middle of a call to come back."""
_POLL = 0.1
"""Seconds between two looks whether it is back."""


async def answer_to(trial: Trial, *, last_way: bool = False) -> ImageAnswer | None:
    """What the implementation answers; None where there is nothing to ask it for.

    Args:
        trial: the image.
        last_way: whether nothing else is left to try.

    Raises:
        AttemptFailed: it refused, is away, or asking it could break the bot's connection.
    """
    reference, timeout = trial.reference, trial.config.get_image_timeout
    implementation = trial.find_implementation()
    name = reference.file_id or reference.file
    if implementation is None and name and not reference.file_id:
        if not reference.self_id:
            text = Text("nobody said which bot to ask: give `resolver.image` an event or a bot")
            raise AttemptFailed(Cause.FAILED, text)
        raise AttemptFailed(Cause.UNREACHABLE, Text("the bot is not connected"))
    if implementation is None or not name:
        return None
    trial.asked = implementation
    size = reference.expected_size
    danger = await implementation.would_break(name, size, last_way=last_way)
    if danger:
        raise AttemptFailed(Cause.SKIPPED, danger)
    if reference.file_id:
        return await implementation.get_file(name, timeout, size=size)
    # each download leaves a file there that nobody deletes, so none where it is no use
    declined = not last_way and await _is_no_use(trial, implementation)
    given = await implementation.get_image(
        name, timeout, size=size, download=not declined, forwarded=reference.forwarded
    )
    nothing_else = not (given.file or given.base64)
    same_link = bool(given.url) and given.url == reference.url  # with the same key, too
    implementation.profile.gave(link_only=nothing_else and same_link)
    return replace(given, file_declined=declined)


async def may_know_better(trial: Trial, failed: Attempt) -> bool:
    """Whether the implementation may answer by now, after a call of it has failed.

    LuckyLilliaBot tells of a message before its database has it, and NapCat may have learned the
    name anew from ``get_msg`` by now. What is not in the cache of SnowLuma never comes there, and
    what LuckyLilliaBot could not download, it will not download now.
    """
    reference, implementation = trial.reference, trial.find_implementation()
    name = reference.file_id or reference.file
    if failed.cause is Cause.NOT_FOUND and not reference.forwarded:
        if any(words in failed.detail for words in ("not found in cache", "statusText")):
            return False
        await anyio.sleep(_PAUSE)
        return True
    if failed.cause is Cause.UNREACHABLE and trial.asked is not None:
        if trial.asked.frames.suspects(name):
            return False
        for _ in range(round(_RETURN / _POLL)):
            if trial.find_implementation() not in (None, trial.asked):
                return True
            await anyio.sleep(_POLL)
    if failed.cause is Cause.SKIPPED and implementation is not None:
        size = reference.expected_size
        return not await implementation.would_break(name, size, last_way=True)
    return False


async def _is_no_use(trial: Trial, implementation: Implementation) -> bool:
    """Whether a file need not be made for this bot, which could not read the last ones."""
    profile = implementation.profile
    if not profile.files_unreadable or not await implementation.can_skip_download():
        return False
    if profile.look is None or profile.look.done():  # one look for all who ask at the same time
        profile.look = asyncio.create_task(can_be_read(profile, trial.config.path_map))
    if await asyncio.shield(profile.look):
        profile.file_appeared()
    return profile.files_unreadable
