"""Importing: all that a local store holds, to the shared one; what is there already is left out.

It can be ended and begun again at any time: what was sent is not sent again.
"""

from collections.abc import AsyncIterator
from dataclasses import astuple, dataclass

from ...content.info import ImageInfo
from ..local import annotations, images, outbox
from ..local.access.access import Access
from ..local.facts import Selection
from ..local.files.blobs import Blobs
from ..local.outbox import Entry
from ..local.sightings import sightings
from ..local.sqlite.database import Connection
from ..local.unsent_annotations import Unsent
from .changes import Changes
from .shared import New, Shared

_IMAGES = 16
"""Images looked at together."""
_SIGHTINGS = 500
"""Sightings sent together."""
_ANNOTATIONS = 64
"""Annotations sent together, which may have 16 KB each."""
_MOST_BYTES = 1 << 20
"""Bytes of images sent together, where one does not have more."""


@dataclass
class Imported:
    """What has been done so far."""

    images: int = 0
    """Images looked at."""
    sent: int = 0
    """Images sent, for they were not there."""
    damaged: int = 0
    """Images whose files are damaged or missing here, which were left out."""
    sightings: int = 0
    """Sightings sent, or there already."""
    annotations: int = 0
    """Annotations sent, or there already; what somebody has said later there stays."""
    pins: int = 0
    """Pins taken over; an owner who keeps anything there already is left as he is."""


async def import_all(
    shared: Shared, changes: Changes, access: Access, blobs: Blobs
) -> AsyncIterator[Imported]:
    """Send everything; what has been done is given after each step.

    What was forgotten or taken back elsewhere, while no bot ran here, is done here first.

    Args:
        shared: where to.
        changes: does here what other hosts have done.
        access: to the local index.
        blobs: where the local files are.

    Raises:
        Unreachable: nobody answers any more; begin again later.
        StoreError: it refuses, or the local store fails.
    """
    done = Imported()
    await _catch_up(shared, changes)
    after = ""
    while page := await access.read(lambda db, last=after: _images(db, last)):
        await _send_images(shared, access, blobs, page, done)
        after = page[-1][0].sha256
        yield done
    at = 0
    while rows := await access.read(lambda db, at=at: sightings.rows_after(db, at, _SIGHTINGS)):
        entries = [Entry(0, "sighting", "", "", "", 0.0, row) for _, row in rows]
        await _publish(shared, entries, [])
        done.sightings += len(rows)
        at = rows[-1][0]
        yield done
    await _pin(shared, access, done)
    yield done
    at, store = 0, await access.write(outbox.store_name)
    while said := await access.read(lambda db, at=at: annotations.page(db, at, _ANNOTATIONS)):
        await _annotate(shared, [Unsent(*astuple(each)) for _, each in said], store)
        done.annotations += len(said)
        at = said[-1][0]
        yield done


async def _catch_up(shared: Shared, changes: Changes) -> None:
    seen = await changes.seen()  # None where no bot has reached any shared store from here
    while True:
        pulse = await shared.pulse(seen or 0, None, [])  # makes the tables, where there are none
        if seen is None or not pulse.changes:
            return
        for change in pulse.changes:
            await changes.make(change, ahead=pulse.ahead)
            seen = change.number


def _images(db: Connection, after: str) -> list[tuple[ImageInfo, str, list[str]]]:
    """Some images, each with its source and the names that mean it."""
    page = images.select(db, Selection(), after=after, limit=_IMAGES)
    found = [(images.with_sha1(db, each.info.sha256), each.source) for each in page]
    return [
        (info, source, images.names(db, info.sha256)) for info, source in found if info is not None
    ]


async def _send_images(
    shared: Shared,
    access: Access,
    blobs: Blobs,
    page: list[tuple[ImageInfo, str, list[str]]],
    done: Imported,
) -> None:
    missing = await shared.missing([info.sha256 for info, _, _ in page])
    entries: list[Entry] = []
    new: list[New] = []
    for info, source, names in page:
        done.images += 1
        if info.sha256 in missing:
            if sum(len(data) for _, data, _ in new) + info.size > _MOST_BYTES:
                await _publish(shared, entries, new)
                entries, new = [], []
            data = await access.files(lambda of=info: blobs.read(of))
            if data is None:
                done.damaged += 1
                continue
            new.append((info, data, source))
            done.sent += 1
        entries.append(Entry(0, "image", info.sha256, "", "", 0.0, [names, source]))
    await _publish(shared, entries, new)


async def _publish(shared: Shared, entries: list[Entry], new: list[New]) -> None:
    if not (entries or new):
        return
    while True:  # whenever something is forgotten meanwhile, once more
        pulse = await shared.pulse(1 << 62, None, [])
        if await shared.publish(entries, new, seen=pulse.last, ahead=pulse.ahead):
            return


async def _annotate(shared: Shared, said: list[Unsent], store: str) -> None:
    while True:  # as above
        pulse = await shared.pulse(1 << 62, None, [])
        if await shared.annotate(said, store, seen=pulse.last, ahead=pulse.ahead):
            return


async def _pin(shared: Shared, access: Access, done: Imported) -> None:
    pins = await access.read(images.all_pins)
    store = await access.write(outbox.store_name)
    known = {owner: bool(await shared.pins(owner)) for owner in {owner for _, owner, _ in pins}}
    for sha256, owner, count in pins:
        if known[owner]:
            continue
        for number in range(count):
            entry = Entry(0, "pin", sha256, "", owner, 0.0, None)
            await shared.order(entry, f"{store}:{sha256}:{owner}:{number}", ahead=0.0)
            done.pins += 1
