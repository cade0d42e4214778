"""The sources of an image, in the order in which they are tried."""

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from ..errors import AttemptFailed, Cause
from ..implementation.answers import ImageAnswer
from ..language import Text
from ..messages.names.file_id import names_another
from ..messages.names.link_key import key_of, with_key, with_key_of
from ..messages.reader import find_in_message
from ..messages.texts.text_part import TextPart
from .asking import answer_to, may_know_better
from .files import base64_data
from .files.files import read_file
from .trial import Fetched, Trial

_DECLINED = Text("not asked for: no file could be read here before")
"""What is said of a file in an answer to which none was wanted."""
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
        answer = await trial.ask(action, answer_to(trial))
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
    return await _from_answer(trial, await trial.ask(action, answer_to(trial)))


async def _from_implementation_again(trial: Trial) -> Fetched | None:
    """What it answers when it is asked again, as the last way, where that may help."""
    asked = [each for each in trial.attempts if each.source in ("get_image", "get_file")]
    declined = any(each.detail == _DECLINED for each in trial.attempts)
    if not declined and not (asked and await may_know_better(trial, asked[0])):
        return None
    answer = await trial.ask(Text("asked again"), answer_to(trial, last_way=True))
    return await _from_answer(trial, answer)


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
