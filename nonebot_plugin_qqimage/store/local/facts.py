"""What the store tells of what it holds: plain records, made in threads and handed out."""

from dataclasses import dataclass

from ...content.info import ImageInfo
from ...messages.sighting import Sighting
from .digests import Trust


@dataclass(frozen=True)
class Totals:
    """How many there are, and of how many bytes."""

    images: int
    """Distinct images, or files."""
    bytes: int
    """Bytes of all of them."""


@dataclass(frozen=True)
class Stored:
    """What the index knows of an image."""

    info: ImageInfo
    """What it is."""
    source: str
    """Where its bytes came from."""
    added: float
    """When it was stored, in seconds since the epoch."""
    used: float
    """When it was last used, in seconds since the epoch."""


@dataclass(frozen=True)
class Selection:
    """Which images are meant: all that fit everything that is given."""

    prefix: str = ""
    """What their SHA-256 starts with; lower-case hex digits."""
    mime: str = ""
    """Their type, such as ``image/png``."""
    since: float | None = None
    """Used since then; with a chat or a user, seen there since then. Seconds since the epoch."""
    chat: str = ""
    """The chat they were seen in, as in `Sighting.chat`."""
    user: str = ""
    """The user who sent them."""


@dataclass(frozen=True)
class Description:
    """Everything that is known of one image."""

    stored: Stored
    """What the index says of it."""
    names: list[str]
    """The names that mean it, which its content does not confirm."""
    pins: dict[str, int]
    """Who keeps it, and how often each has said so."""
    sightings: list[Sighting]
    """Where it was seen, the latest first."""


@dataclass(frozen=True)
class Statistics:
    """How much of everything there is; where there are kinds, the most frequent first."""

    totals: Totals
    by_type: dict[str, Totals]
    by_source: dict[str, Totals]
    resolved: dict[str, int]
    """How often references were resolved, by where the image came from."""
    failed: dict[str, int]
    """How often that failed, by cause."""
    delayed: dict[str, int]
    """How many images had to wait for others, by why."""
    left_out: dict[str, int]
    """How many were not fetched in advance in the end, by why."""
    store_trouble: dict[str, int]
    """How often a file was found damaged or missing, by which of these."""
    sightings: int
    pinned: int
    """Images that somebody keeps."""
    quarantine: Totals
    """Files put aside as damaged."""
    links: Trust
    """How often QQ's links have told the truth about their content."""

    @property
    def hit_rate(self) -> float | None:
        """The share of wanted images that the store had already; None where none was wanted."""
        wanted = sum(self.resolved.values())
        return self.resolved.get("store", 0) / wanted if wanted else None
