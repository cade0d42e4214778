"""Annotations of all hosts: which of them count, and sending those of this host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..local import outbox, unsent_annotations
from ..local.access.access import Access
from ..local.annotations import Annotation
from ..local.unsent_annotations import Unsent
from .breaker import Refused, left_out
from .shared import Shared

_MOST = 64
"""Annotations sent at a time, which may have 16 KB each; others must have their turn."""


def merged(
    here: Iterable[Annotation],
    unsent: Mapping[tuple[str, str], float],
    there: Iterable[Annotation],
    *,
    ahead: float,
) -> list[Annotation]:
    """What each owner has said last of each picture, the latest first, by the database's clock.

    Args:
        here: what the local store knows, by this machine's clock.
        unsent: when something was said or taken back here that the shared store does not know yet,
            by SHA-256 and owner.
        there: what the shared store knows; a text is empty where it was taken back.
        ahead: seconds by which the shared store's clock is ahead of this machine's.
    """
    local = {(each.sha256, each.owner): replace(each, time=each.time + ahead) for each in here}
    shared = {(each.sha256, each.owner): each for each in there}
    latest = {**local, **shared}  # what was sent has been compared there already
    for key, time in unsent.items():
        if key in shared and shared[key].time > time + ahead:
            continue
        if key in local:
            latest[key] = local[key]
        else:
            latest.pop(key, None)
    said = [each for each in latest.values() if each.text]
    return sorted(said, key=lambda each: each.time, reverse=True)


class SendingAnnotations:
    """Sends what was said here of pictures, once these have been sent.

    Args:
        shared: where to.
        access: to the local index.
    """

    def __init__(self, shared: Shared, access: Access) -> None:
        self._shared = shared
        self._access = access

    async def send(self, *, seen: int, ahead: float) -> bool:
        """Send all that waits; False where there are changes to be done here before.

        Args:
            seen: the number of the last change that was done here.
            ahead: seconds by which the shared store's clock is ahead of this machine's.

        Raises:
            Unreachable: the shared store does not answer.
            StoreError: the local store fails.
        """
        while some := await self._access.read(lambda db: unsent_annotations.take(db, _MOST)):
            if not await self._publish(some, seen, ahead):
                return False
        return True

    async def drop(self) -> int:
        """Send nothing of what waits; how many there were."""
        return await self._access.write(unsent_annotations.drop)

    async def _publish(self, some: Sequence[Unsent], seen: int, ahead: float) -> bool:
        try:
            store = await self._access.write(outbox.store_name)
            if not await self._shared.annotate(some, store, seen=seen, ahead=ahead):
                return False
        except Refused as error:
            if len(some) > 1:  # one of them may be what is refused
                middle = len(some) // 2
                return await self._publish(some[:middle], seen, ahead) and await self._publish(
                    some[middle:], seen, ahead
                )
            left_out(error, "annotation")
        await self._access.write(lambda db: unsent_annotations.sent(db, some))
        return True
