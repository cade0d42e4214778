"""What other hosts have changed, done here, too."""

from collections.abc import Awaitable, Callable

from ...language import say
from ...log import logger
from ..local import annotations, images, notes
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from ..local.sightings.unresolved import Shown
from ..local.sqlite.database import Connection
from ..local.upkeep.forgetting import (
    forget_elsewhere,
    forget_seen,
    forget_step,
    forget_unresolved,
)
from .shared import Change

_SEEN = "shared:seen"
"""The note that says which change was the last one done here."""
_BATCH = 64
"""Sightings removed in one transaction: others that write wait meanwhile."""


class Changes:
    """Does what other hosts have done.

    Args:
        access: to the local index.
        blobs: where the local files are.
        flush: writes down what this process has seen a moment ago.
        forget: forgets what this process knows.
    """

    def __init__(
        self,
        access: Access,
        blobs: Blobs,
        flush: Callable[[], Awaitable[None]],
        forget: Callable[[], None],
    ) -> None:
        self._access = access
        self._blobs = blobs
        self._flush = flush
        self._forget_known = forget

    async def seen(self) -> int | None:
        """The number of the last change done here; None where nothing is known of any."""
        text = await self._access.read(lambda db: notes.text_of(db, _SEEN))
        return int(text) if text else None

    async def note(self, number: int) -> None:
        """Take note that all changes up to a number are done here."""
        await self._access.write(lambda db: notes.leave(db, _SEEN, str(number)))

    async def make(self, change: Change, *, ahead: float) -> None:
        """Do what another host has done; to do it twice does no harm.

        Args:
            change: what.
            ahead: seconds by which the shared store's clock is ahead of this machine's.
        """
        try:
            await self._do(change, ahead)
        except (KeyError, TypeError, ValueError) as error:  # or no later one would ever be done
            logger.warning(
                say(
                    "qqimage: change {number} in the shared store makes no sense, and is left "
                    "out: {error}",
                    number=change.number,
                    error=repr(error),
                )
            )
        await self.note(change.number)

    async def _do(self, change: Change, ahead: float) -> None:
        body = change.body
        if change.kind == "pins":
            sha256, owner, count = str(body["sha256"]), str(body["owner"]), int(body["count"])
            await self._access.write(lambda db: images.set_pins(db, sha256, owner, count))
        elif change.kind == "annotations":
            last = [
                (str(sha256), str(owner), str(digest)) for sha256, owner, digest in body["last"]
            ]
            await self._access.write(lambda db: annotations.settle(db, last))
        elif change.kind == "forget":  # a later version may know of more
            by = float(body["by"]) - ahead
            await self._flush()  # what was seen before that has to go, too
            if body["chat"] or body["user"]:
                await self._forget(body["chat"] or None, body["user"] or None, by)
            if picture := str(body.get("picture", "")):
                # hosts with an earlier release do not say it
                places = [tuple(map(str, place)) for place in body.get("places", ())]
                shown = Shown([*map(str, body.get("keys", ()))], places)
                await self._access.write(
                    lambda db: forget_unresolved(db, picture, shown, arrived_by=by)
                )
                while await self._access.write(
                    lambda db: forget_seen(db, picture, limit=_BATCH, arrived_by=by)
                ):
                    pass
            marks = [(str(name), str(sha256)) for name, sha256 in body["marks"]]
            await self._access.write(
                lambda db: forget_elsewhere(db, self._blobs, body["images"], marks)
            )
            self._forget_known()

    async def _forget(self, chat: str | None, user: str | None, by: float) -> None:
        def step(db: Connection) -> int:
            return forget_step(db, self._blobs, chat=chat, user=user, limit=_BATCH, arrived_by=by)[
                0
            ]

        while await self._access.write(step) == _BATCH:
            self._forget_known()
