"""Each way to an image, tried for real with the last one that was seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...config import ScopedConfig
from ...errors import Attempt, StoreError, unavailable
from ...fetch.fetcher import Fetched, Fetcher
from ...implementation.implementation import Implementation
from ...language import Text
from ...messages.reference import ImageReference
from ...pipeline.fairness.budget import ByteBudget
from ...store.image_store import ImageStore
from ..line import Line
from .picture import what_it_is

_AT_ONCE = 3
"""Copies of one image that may be in memory: in an answer as base64, decoded, and inspected."""


@dataclass(frozen=True)
class Tried:
    """What came of it."""

    lines: list[Line]
    """One for each way that was tried, and for each kind of way that could not be."""
    reference: ImageReference | None
    """The image that it was tried with."""


async def try_ways(
    config: ScopedConfig,
    store: ImageStore,
    bot: str | None = None,
    find_implementation: Callable[[], Implementation | None] = lambda: None,
) -> Tried:
    """Try every source with the last image that a bot has seen; nothing is kept.

    Args:
        config: the settings.
        store: knows the image.
        bot: the id of the bot; None for any.
        find_implementation: gives whom to ask; None where no bot runs.
    """
    about = Text("trial") if bot is None else Text("trial with bot {self_id}", self_id=bot)
    try:
        seen = await store.sightings(bot=bot, limit=1)
    except StoreError:  # which is told elsewhere
        seen = []
    if not seen:
        cure = Text("send one in a chat with it (and keep QQIMAGE__SIGHTINGS on), then ask again")
        return Tried([Line("warning", about, Text("no image was seen yet to try"), cure)], None)
    reference = seen[0].reference
    lines = [Line("ok", about, Text("it is tried with {image}", image=str(reference)))]
    fetcher = Fetcher(config)
    try:
        async with ByteBudget(_AT_ONCE * config.max_image_size).reserve(0) as reservation:
            found, failed = await fetcher.try_each(reference, find_implementation, reservation)
    finally:
        await fetcher.close()
    lines += _lines(about, found, failed)
    if not _downloads(found, failed):
        text = Text("no download was tried: nobody gave a link for this image")
        lines.append(Line("warning", about, text))
    if not found:
        hint = unavailable(str(reference), failed).hint
        lines.append(Line("failed", about, Text("no way leads to this image any more"), hint))
    return Tried(lines, reference)


def _lines(
    about: str, found: list[tuple[Fetched, float]], failed: tuple[Attempt, ...]
) -> Iterator[Line]:
    for fetched, seconds in found:
        asked = fetched.source.endswith("in the answer")
        text = Text(
            "{source}: {what} in {seconds:.2f} s",
            source=Text("get_image, {source}", source=fetched.source) if asked else fetched.source,
            what=what_it_is(fetched.info),
            seconds=seconds,
        )
        yield Line("ok", about, text)
    for attempt in failed:
        hint = unavailable("", (attempt,)).hint
        yield Line("warning", about, attempt.words, hint)


def _downloads(found: list[tuple[Fetched, float]], failed: tuple[Attempt, ...]) -> bool:
    sources = [*(fetched.source for fetched, _ in found), *(each.source for each in failed)]
    return any(source.startswith("url") for source in sources)
