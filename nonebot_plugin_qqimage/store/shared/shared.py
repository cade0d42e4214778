"""`Shared`: what a store behind the local ones must be able to do, whichever database it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from ...content.info import ImageInfo
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from ..local.annotations import Annotation
from ..local.facts import Totals
from ..local.images import How
from ..local.outbox import Entry
from ..local.sightings.sightings import Query
from ..local.unsent_annotations import Unsent


@dataclass(frozen=True)
class Search:
    """Which annotations are meant: those in which every word stands."""

    words: tuple[str, ...]
    """Parts of the text; ASCII letters are found in either case."""
    owner: str | None
    """Who said it; None for anybody."""
    chat: str | None
    """The chat that the picture was seen in; None for any, or none."""
    limit: int
    """How many at most, the latest ones."""


New = tuple[ImageInfo, bytes, str]
"""An image to be written down: its facts, its bytes, and where they came from."""


class There(NamedTuple):
    """An image that a reference may mean."""

    info: ImageInfo
    """The image."""
    how: How
    """By what it was found."""
    data: bytes | None
    """Its bytes, not verified; None where there are many: `Shared.fetch` gives them."""


@dataclass(frozen=True)
class Lease:
    """That one host fetches an image for all."""

    key: str
    """What is fetched: `ImageReference.key`."""
    fence: int
    """The number of this lease: later ones have greater numbers."""
    first: bool
    """Whether nobody had a lease on it a moment ago, so that it cannot have come meanwhile."""


@dataclass(frozen=True)
class Change:
    """Something that every host has to do, too."""

    number: int
    """Its number: one more than that of the change before."""
    kind: Literal["forget", "pins", "annotations"]
    """A chat, a user or images are forgotten; somebody keeps an image, or does not any more; or
    what was said of pictures has been replaced, or taken back."""
    body: dict[str, Any]
    """What exactly; what is in ``postgresql/`` writes it, and `changes.py` reads it."""


@dataclass(frozen=True)
class Pulse:
    """What one look at the shared store tells."""

    ahead: float
    """Seconds by which its clock is ahead of this machine's."""
    within: float
    """Seconds by which that may be wrong, because the answer took as long."""
    last: int
    """The number of the last change; 0 for none."""
    oldest: int
    """The number of the oldest change that is still known; one more than `last` for none."""
    changes: Sequence[Change]
    """The first changes after the one asked for."""


@dataclass(frozen=True)
class Host:
    """A process that uses the shared store."""

    name: str
    """Its machine, and the number of the process."""
    age: float
    """Seconds since it was last heard of."""
    version: str
    """The version of this plugin that it runs."""
    max_size: int
    """Bytes that the shared store may hold, as it is set there."""
    max_age: float
    """Seconds for which sightings may stay, as it is set there."""


@dataclass(frozen=True)
class Status:
    """How the shared store is."""

    server: str
    """What runs it, and in which version."""
    schema: int
    """The version of its tables."""
    latency: float
    """Seconds that one question took."""
    time: float
    """Its time, in seconds since the epoch."""
    totals: Totals
    """Its images."""
    sightings: int
    """How many there are, roughly where there are very many."""
    pinned: int
    """Images that somebody keeps."""
    hosts: Sequence[Host]
    """Who has used it in the last minutes."""


class Shared(Protocol):
    """A store that many hosts share.

    Every coroutine raises `Unreachable` where nobody answers in time, and `Refused` where it will
    not do it. All times are those of its own clock.
    """

    async def find(self, references: Sequence[ImageReference]) -> list[list[There]]:
        """The images that each reference may mean."""
        ...

    async def fetch(self, sha256: str) -> bytes | None:
        """The bytes of an image, not verified; None where it is not there."""
        ...

    async def missing(self, digests: Sequence[str]) -> set[str]:
        """Those of these SHA-256 that are not there."""
        ...

    async def publish(
        self,
        entries: Sequence[Entry],
        images: Sequence[New],
        *,
        seen: int,
        ahead: float,
    ) -> bool:
        """Write entries of one host's outbox down, at once or not at all.

        Args:
            entries: images, sightings, and what sightings show; no orders.
            images: those of them that are missing there.
            seen: the number of the last change that the host knows of.
            ahead: seconds by which the shared store's clock is ahead of the host's.

        Returns:
            False where there are later changes; nothing is written then.
        """
        ...

    async def order(self, entry: Entry, name: str, *, ahead: float) -> tuple[int, int]:
        """Pin, unpin or forget, once, however often it is asked.

        Args:
            entry: from a host's outbox.
            name: what no other order is called.
            ahead: as for `publish`.

        Returns:
            How many sightings and images have gone.
        """
        ...

    async def claim(self, key: str, holder: str, seconds: float) -> Lease | None:
        """The right to fetch an image for all, for some seconds; None where another has it."""
        ...

    async def release(self, leases: Sequence[Lease]) -> None:
        """Let others fetch what these are about."""
        ...

    async def sightings(self, query: Query) -> list[Sighting]:
        """The sightings that fit, the latest first."""
        ...

    async def sightings_of(
        self, digests: Sequence[str], chat: str | None, limit: int
    ) -> list[list[Sighting]]:
        """The sightings of each of some images, the latest first.

        Args:
            digests: their SHA-256.
            chat: the chat, as in `Sighting.chat`; None for any.
            limit: how many of each at most.
        """
        ...

    async def annotate(
        self, said: Sequence[Unsent], store: str, *, seen: int, ahead: float
    ) -> bool:
        """Write down what owners say of pictures; what they have said later stays.

        What is said of a picture that is not there, and that nobody keeps, is left out.

        Args:
            said: what they say.
            store: the name of the local store that keeps it: `outbox.store_name`.
            seen: as for `publish`.
            ahead: as for `publish`.

        Returns:
            False where there are later changes; nothing is written then.
        """
        ...

    async def annotations(self, sha256: str) -> list[Annotation]:
        """What owners have said last of a picture; a text is empty where it was taken back."""
        ...

    async def search_annotations(
        self, search: Search, known: Sequence[Annotation]
    ) -> tuple[list[Annotation], list[Annotation]]:
        """The annotations that are meant, and what the owners of some have said last.

        Args:
            search: which ones.
            known: those whose owners and pictures are asked for, too.
        """
        ...

    async def pins(self, owner: str) -> list[str]:
        """The SHA-256 of the images that an owner keeps, the latest that was stored first."""
        ...

    async def pulse(self, since: int, host: Host | None, used: Sequence[str]) -> Pulse:
        """Look whether anything has changed.

        Args:
            since: the number of the last change that is known.
            host: who asks, to be written down; None now and then, for it need not be each time.
            used: the SHA-256 of images that were used lately.
        """
        ...

    async def secret(self, offered: bytes) -> bytes:
        """The secret that signs URLs on all hosts; the one that is offered where there is none."""
        ...

    async def collect(self, limit: int) -> tuple[int, int]:
        """Remove some of what exceeds the bounds that the hosts have said.

        Args:
            limit: how many images and sightings at most.

        Returns:
            How many images went, and of how many bytes; (0, 0) where no more has to.
        """
        ...

    async def listed(self, after: str, limit: int) -> list[ImageInfo]:
        """Images, in the order of their SHA-256, behind the one that is given."""
        ...

    async def drop(self, sha256: str) -> None:
        """Remove an image that is damaged, so that it may be published again."""
        ...

    async def status(self) -> Status:
        """How it is."""
        ...

    async def close(self) -> None:
        """End every connection; nobody is waited for."""
        ...
