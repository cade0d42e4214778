"""Attempts: one try of one source, and why it failed."""

from dataclasses import dataclass
from enum import Enum

from .language import Text


class Cause(str, Enum):
    """Why one attempt failed, as far as the next step depends on it."""

    EXPIRED = "expired"
    """The link or its key is not valid any more."""
    NOT_FOUND = "not found"
    """The one asked does not know the image."""
    REJECTED = "rejected"
    """Bytes came that are no image, or not the whole of one."""
    TOO_LARGE = "too large"
    """An image came, or was announced, that is larger than the settings allow."""
    TIMEOUT = "timed out"
    """No answer within our own deadline."""
    UNREACHABLE = "unreachable"
    """No connection could be made, or it broke."""
    REFUSED = "refused"
    """The address is not one that downloads may reach."""
    UNREADABLE = "unreadable"
    """The file named by the implementation cannot be read here."""
    SKIPPED = "skipped"
    """Not tried, because trying could break the bot's connection."""
    UNSUPPORTED = "unsupported"
    """The implementation has no such action."""
    BUSY = "busy"
    """There was no room for it in time, because of others; it may be had later."""
    FORGOTTEN = "forgotten"
    """It was forgotten on request, and has not been seen since."""
    FAILED = "failed"
    """Anything else; the detail says what."""

    @property
    def words(self) -> Text:
        """The cause as people read it."""
        return _WORDS[self]


_WORDS = {
    Cause.EXPIRED: Text("expired"),
    Cause.NOT_FOUND: Text("not found"),
    Cause.REJECTED: Text("rejected"),
    Cause.TOO_LARGE: Text("too large"),
    Cause.TIMEOUT: Text("timed out"),
    Cause.UNREACHABLE: Text("unreachable"),
    Cause.REFUSED: Text("refused"),
    Cause.UNREADABLE: Text("unreadable"),
    Cause.SKIPPED: Text("skipped"),
    Cause.UNSUPPORTED: Text("unsupported"),
    Cause.BUSY: Text("busy"),
    Cause.FORGOTTEN: Text("forgotten"),
    Cause.FAILED: Text("failed"),
}


def words_of(cause: str) -> str:
    """What people read of a `Cause` by its value; one of a later version is left as it is."""
    try:
        return Cause(cause).words
    except ValueError:
        return cause


@dataclass(frozen=True)
class Attempt:
    """One try of one source, and what came of it."""

    source: str
    """Which way was tried, e.g. ``get_image`` or ``url of the segment``."""
    cause: Cause
    """What kind of failure it was."""
    detail: str
    """What exactly happened, in English, with keys masked."""
    seconds: float
    """How long it took, in seconds."""

    @property
    def by_link(self) -> bool:
        """Whether it was a download by this bot, rather than a question to the implementation."""
        return self.source.startswith("url")

    @property
    def words(self) -> Text:
        """All of it as one text."""
        return Text(
            "{source} {cause} after {seconds:.2f} s ({detail})",
            source=self.source,
            cause=self.cause.words,
            seconds=self.seconds,
            detail=self.detail,
        )

    def __str__(self) -> str:
        return self.words.local
