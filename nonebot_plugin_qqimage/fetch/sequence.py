"""The sources of an image, in the order in which they are tried."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import replace

import anyio

from ..errors import Attempt, AttemptFailed, Cause
from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..language import Text
from ..messages.link_key import key_of, names_another, with_key, with_key_of
from ..messages.reader import find_in_message
from ..messages.text_part import TextPart
from . import base64_data
from .files import can_be_read, read_file
from .trial import Fetched, Trial

_DECLINED = Text("not asked for: no file could be read here before")
"""What is said of a file in an answer to which none was wanted."""
_PAUSE = 0.5
"""Seconds before the implementation is asked again for an image that it did not know."""
_RETURN = 5.0
"""Seconds for an implementation that has gone in the middle of a call to come back."""
_POLL = 0.1
"""Seconds between two looks whether it is back."""
_MESSAGE_ID = re.compile(r"-?[0-9]{1,20}")
_Way = Callable[[Trial], Awaitable[Fetched | None]]
"""One way to an image's bytes."""


async def try_in_order(trial: Trial) -> Fetched | None:
    """Try every source, the best for this image first, until one brings it.

    Usually the implementation is asked before the segment's link is tried, for its answer survives
    a dead link. In forwarded records the link has just been made, while some implementations cannot
    find the image (https://github.com/NapNeko/NapCatQQ/issues/1777). An implementation whose
    answers say no more than the link itself need not be asked as long as the link works.

    Args:
        trial: the image; makes the attempts, and keeps those that failed.
    """
    if found := await _from_segment(trial):
        return found
    implementation = trial.find_implementation()
    profile = None if implementation is None else implementation.profile
    asked_in_vain = profile is not None and (profile.unresponsive or profile.gives_links_only)
    if trial.reference.forwarded or asked_in_vain:
        found = await _from_link(trial) or await _from_implementation(trial)
    else:
        found = await _from_implementation(trial) or await _from_link(trial)
    return found or await _first(_LAST_WAYS, trial) or await _from_implementation_again(trial)


async def try_each(trial: Trial) -> AsyncGenerator[tuple[Fetched, float], None]:
    """Try every source, whatever the others bring.

    Args:
        trial: the image; makes the attempts, and keeps those that failed.

    Yields:
        What a source brings, and the seconds that took.
    """
    answer: ImageAnswer | None = None
    if trial.find_implementation() is not None:
        action = "get_file" if trial.reference.file_id else "get_image"
        answer = await trial.ask(action, _answer(trial))
    ways = [_from_segment, *_ways_in_answer(answer or ImageAnswer()), *_WAYS_BY_LINK, *_LAST_WAYS]
    for way in ways:
        started = time.perf_counter()
        if found := await way(trial):
            yield found, time.perf_counter() - started


async def _from_segment(trial: Trial) -> Fetched | None:
    """What the segment itself holds, or names on this machine."""
    content = trial.reference.content
    if content.startswith("file://"):
        return await trial.take(Text("file of the segment"), _read(trial, content[:]))
    return await trial.take(Text("base64 in the segment"), _decoded(trial, content))


async def _from_link(trial: Trial) -> Fetched | None:
    """What is behind the segment's link, or behind the last link once it has a fresh key."""
    return await _first(_WAYS_BY_LINK, trial)


async def _from_implementation(trial: Trial) -> Fetched | None:
    """What the implementation answers when it is asked for the image."""
    action = "get_file" if trial.reference.file_id else "get_image"
    return await _from_answer(trial, await trial.ask(action, _answer(trial)))


async def _from_implementation_again(trial: Trial) -> Fetched | None:
    """What it answers when it is asked again, as the last way, where that may help."""
    asked = [each for each in trial.attempts if each.source in ("get_image", "get_file")]
    declined = any(each.detail == _DECLINED for each in trial.attempts)
    if not declined and not (asked and await _may_know_better(trial, asked[0])):
        return None
    answer = await trial.ask(Text("asked again"), _answer(trial, last_way=True))
    return await _from_answer(trial, answer)


async def _may_know_better(trial: Trial, failed: Attempt) -> bool:
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


async def _from_answer(trial: Trial, answer: ImageAnswer | None) -> Fetched | None:
    if answer is None:
        return None
    return await _first(_ways_in_answer(answer), trial)


def _ways_in_answer(answer: ImageAnswer) -> tuple[_Way, ...]:
    return (
        lambda trial: trial.take(
            Text("base64 in the answer"), _decoded(trial, answer.base64), by_name=True
        ),
        lambda trial: trial.take(
            Text("file in the answer"), _read_answered(trial, answer), by_name=True
        ),
        lambda trial: _from_given(trial, Text("url in the answer"), answer.url),
    )


async def _first(ways: Iterable[_Way], trial: Trial) -> Fetched | None:
    """What the first of some ways brings that brings anything."""
    for way in ways:
        if found := await way(trial):
            return found
    return None


async def _answer(trial: Trial, *, last_way: bool = False) -> ImageAnswer | None:
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
    answer = await implementation.get_image(
        name, timeout, size=size, download=not declined, forwarded=reference.forwarded
    )
    nothing_else = not (answer.file or answer.base64)
    same_link = bool(answer.url) and answer.url == reference.url  # with the same key, too
    implementation.profile.gave(link_only=nothing_else and same_link)
    return replace(answer, file_declined=declined)


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


async def _decoded(trial: Trial, encoded: str | TextPart) -> bytes | None:
    if not encoded:
        return None
    # the text is there already, whatever was declared; decoding makes a copy, and then the bytes
    reservation, length = trial.reservation, len(encoded)
    reservation.resize(max(reservation.size, length))
    await reservation.grow(2 * length + min(length * 3 // 4, trial.config.max_image_size))
    return await base64_data.decode(encoded, trial.config.max_image_size)


async def _read(trial: Trial, named: str) -> bytes:
    config, reference = trial.config, trial.reference
    return await read_file(
        named,
        config.path_map,
        config.max_image_size,
        size=reference.expected_size,
        md5=reference.md5,
        roots=trial.roots,
        reservation=trial.reservation,
    )


async def _read_answered(trial: Trial, answer: ImageAnswer) -> bytes | None:
    """Read the file that an answer names, and learn from it whether such files are readable."""
    if not answer.file and answer.file_declined:
        raise AttemptFailed(Cause.UNREADABLE, _DECLINED)
    if not answer.file:
        return None
    if answer.file == trial.reference.file and any(slash in answer.file for slash in "/\\"):
        # a stranger's words are no path, whoever repeats them
        raise AttemptFailed(
            Cause.UNREADABLE, Text("{file} is what the segment says", file=answer.file)
        )
    implementation = trial.find_implementation()
    try:
        data = await _read(trial, answer.file)
    except AttemptFailed as failure:
        if failure.cause is Cause.UNREADABLE and implementation is not None:
            implementation.profile.file_not_readable(answer.file)
        raise
    if implementation is not None:
        implementation.profile.file_read()
    return data


async def _from_given(trial: Trial, source: Text, url: str) -> Fetched | None:
    """Download a link that the implementation gave for this image, or the image's own before.

    Implementations look images up by name, and give the link of the newest one of that name:
    SnowLuma even writes it into older messages. The key in it opens the image's own link, too. The
    link of another file is tried only where the name is an MD5, so where it may be the same image.
    """
    reference = trial.reference
    if not names_another(reference.url, url):
        return await trial.take(source, trial.links.download(url), by_name=True)
    given, needed = key_of(url), key_of(reference.url)
    if given is not None and needed is not None and given[0] == needed[0]:
        own = trial.links.download(with_key_of(reference.url, url))
        if found := await trial.take(source, own):
            return found
    if not reference.md5:
        return None
    return await trial.take(source, trial.links.download(url), by_name=True)


async def _behind_fresh_key(trial: Trial) -> bytes | None:
    """Download the last link whose key was refused, with another key."""
    for last_try in (False, True):  # a key that was at hand may turn out to be dead, too
        expired = trial.links.expired
        needed, implementation = key_of(expired), trial.find_implementation()
        if needed is None or implementation is None:
            return None
        key = await implementation.fresh_key(*needed)
        if key is None:
            detail = Text("the implementation has no fresher key")
            raise AttemptFailed(Cause.EXPIRED, detail)
        try:
            return await trial.links.download(with_key(expired, key), again=True)
        except AttemptFailed as failure:
            if last_try or failure.cause is not Cause.EXPIRED:
                raise
    return None


async def _behind_group_file_url(trial: Trial) -> bytes | None:
    """Download the link that the implementation gives for a group's shared file."""
    implementation, reference = trial.find_implementation(), trial.reference
    if implementation is None or not reference.file_id or not reference.group_id:
        return None
    url = await implementation.get_group_file_url(
        reference.group_id, reference.file_id, trial.config.get_image_timeout
    )
    return await trial.links.download(url)


async def _from_fresh_message(trial: Trial) -> Fetched | None:
    """Download the link that the image has when its message is asked for again."""
    source = Text("url in get_msg")
    url = await trial.ask(source, _url_in_fresh_message(trial))
    return await _from_given(trial, source, url) if url else None


async def _url_in_fresh_message(trial: Trial) -> str:
    """That link; empty where nobody can be asked, or the message has none for the image."""
    implementation, reference = trial.find_implementation(), trial.reference
    # what holds its image itself has no file name to recognise it by
    unnamed = reference.content and not reference.file
    if implementation is None or unnamed or not _MESSAGE_ID.fullmatch(reference.message_id):
        return ""
    content = await implementation.get_msg(
        int(reference.message_id), trial.config.get_image_timeout
    )
    found = find_in_message(content)[reference.position :][:1]
    named = not reference.own or reference.file
    return next((one.url for one in found if not named or one.file == reference.file), "")


_WAYS_BY_LINK: tuple[_Way, ...] = (
    lambda trial: trial.take(Text("url of the segment"), trial.links.download(trial.reference.url)),
    lambda trial: trial.take(Text("url with a fresh key"), _behind_fresh_key(trial)),
)
_LAST_WAYS: tuple[_Way, ...] = (
    lambda trial: trial.take("get_group_file_url", _behind_group_file_url(trial)),
    _from_fresh_message,
)
