"""Everything that can go wrong with an image, as one family of exceptions.

::

    QQImageError
    ├── ImageUnavailable     every source failed; see ``attempts`` and ``hint``
    │   ├── ImageExpired     the link is dead and nobody gave a fresh one
    │   ├── ImageNotFound    whoever was asked does not know the image
    │   └── ImageRejected    bytes came, but they are no acceptable image
    ├── AttemptFailed        one source failed (inside the plugin only)
    ├── MissingExtra         an optional library is not installed
    └── StoreError           the local store cannot be used
"""

import re
import time
from dataclasses import dataclass
from enum import Enum
from functools import reduce

from .language import Text, localized, with_semicolons

_MAX_DETAIL = 300
"""Characters of a stranger's text that a log shows."""
# in a URL, escaped or not, or as a field of JSON
_KEYS = re.compile(
    r"""((?:rkey|token)(?:=|%(?:25)*3D|\\*["']\s*:\s*\\*["']))[^&\s"'<>]+""", re.IGNORECASE
)
# user:password@ of a proxy or mirror, which libraries repeat in their errors
_CREDENTIALS = re.compile(r"(://)[^/?#\s\"'<>]*@")


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
    Cause.FORGOTTEN: Text("forgotten"),
    Cause.FAILED: Text("failed"),
}


def words_of(cause: str) -> str:
    """What people read of a `Cause` by its value; one of a later version is left as it is."""
    try:
        return Cause(cause).words
    except ValueError:
        return cause


class QQImageError(Exception):
    """Base of every error this plugin raises.

    ``str(error)`` is in the language of the operator, for logs.
    """

    @property
    def text(self) -> str:
        """What is wrong, in English; a `Text` where it can be read in other languages."""
        return self.args[0] if self.args else ""

    def __str__(self) -> str:
        return localized(self.text)


class AttemptFailed(QQImageError):
    """One source could not give the bytes; the resolver goes on with the next.

    Args:
        cause: what kind of failure it was.
        detail: what exactly happened, in words: a `Text`, or what the other side said. The keys in
            it, or in the values of a `Text`, are masked.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        self.cause = cause
        """What kind of failure it was."""
        self.detail = _masked(detail)
        """What exactly happened: English, and a `Text` where it can be read in other languages."""
        super().__init__(cause, self.detail)

    @property
    def text(self) -> str:
        """The cause and the detail."""
        return Text("{cause}: {detail}", cause=self.cause.words, detail=self.detail)


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


class ImageUnavailable(QQImageError):
    """No source could give the image.

    Args:
        image: which image, in words (name, message, bot).
        attempts: every way that was tried, in order.
        kept_until: until when QQ keeps it.
    """

    def __init__(
        self, image: str, attempts: tuple[Attempt, ...] = (), kept_until: float = 0.0
    ) -> None:
        super().__init__(image, attempts, kept_until)
        self.image = _masked(image)
        """Which image: its name, message and bot."""
        self.attempts = attempts
        """Every way that was tried, in order."""
        self.kept_until = kept_until
        """Until when QQ keeps it, as its link says, in seconds since the epoch; 0 where it says
        nothing. No key opens the link after that."""

    @property
    def hint(self) -> str:
        """What the operator can change, in English; empty when nothing is known to help.

        Where several things are wrong, each with a cure of its own, it names them all. It is a
        `Text`, so `localized` gives it in the operator's language.
        """
        cures = _cures(self.attempts, self.kept_until)
        return reduce(_either, cures) if cures else ""

    @property
    def text(self) -> str:
        """Which image, every way that was tried, and the hint."""
        tried = with_semicolons(attempt.words for attempt in self.attempts)
        text = Text(
            "{image}: {tried}",
            image=self.image,
            tried=tried or Text("the segment names no way to get it"),
        )
        return Text("{text}. Hint: {hint}", text=text, hint=self.hint) if self.hint else text

    @property
    def cause(self) -> Cause:
        """Why it failed, in one word, for statistics: the most telling cause of all attempts."""
        causes = [attempt.cause for attempt in self.attempts] or [Cause.NOT_FOUND]
        telling = (Cause.EXPIRED, Cause.TOO_LARGE, Cause.REJECTED)
        return next((cause for cause in telling if cause in causes), causes[-1])

    def again(self) -> "ImageUnavailable":
        """A fresh copy to raise for another waiter, free of this one's traceback."""
        return type(self)(self.image, self.attempts, self.kept_until)


class ImageExpired(ImageUnavailable):
    """The image's link is dead (``-5503007 download url has expired``) and no source is left."""


class ImageNotFound(ImageUnavailable):
    """Nobody who was asked knows the image (any more)."""


class ImageRejected(ImageUnavailable):
    """Bytes arrived, but they are not an acceptable image: HTML, truncated, too large, …"""


class StoreError(QQImageError):
    """The local store cannot be read or written: disk full, no permission, a newer schema, …"""


class MissingExtra(QQImageError, ImportError):
    """A library that is not installed is needed; the text says what to install."""


def unavailable(
    image: str, attempts: tuple[Attempt, ...], kept_until: float = 0.0
) -> ImageUnavailable:
    """The most telling `ImageUnavailable` for these attempts.

    Args:
        image: which image, in words.
        attempts: every way that was tried, in order.
        kept_until: until when QQ keeps it, as its link says: see `ImageUnavailable.kept_until`.
    """
    causes = {attempt.cause for attempt in attempts}
    if Cause.EXPIRED in causes:
        return ImageExpired(image, attempts, kept_until)
    if causes & {Cause.REJECTED, Cause.TOO_LARGE}:
        return ImageRejected(image, attempts, kept_until)
    if causes and causes <= {Cause.NOT_FOUND, Cause.UNSUPPORTED, Cause.FORGOTTEN}:
        return ImageNotFound(image, attempts, kept_until)
    return ImageUnavailable(image, attempts, kept_until)


def hide_keys(text: str) -> str:
    """The text with the value of every ``rkey`` or token replaced, and user names in URLs."""
    return _CREDENTIALS.sub(r"\1***@", _KEYS.sub(r"\1***", text))


def mask_keys(text: str) -> str:
    """What a log may show of a stranger's text: one line, shortened, without keys.

    Characters that cannot be printed are escaped: terminals obey some of them, others turn the
    direction of the text around them, and half an emoji, as JSON can carry it, fits into no log.
    """
    masked = hide_keys(" ".join(text.split()))
    if not masked.isprintable():
        masked = "".join(map(_printable, masked))
    return masked if len(masked) <= _MAX_DETAIL else masked[:_MAX_DETAIL] + "…"


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _masked(text: str) -> str:
    """The text with `mask_keys` used on it, or on the values in it if they are known."""
    return text.with_values(mask_keys) if isinstance(text, Text) else mask_keys(text)


def _either(one: Text, other: Text) -> Text:
    return Text("{one}; or {other}", one=one, other=other)


def _cures(attempts: tuple[Attempt, ...], kept_until: float) -> list[Text]:
    """What is wrong and what cures it, the surest first; any one of them is enough."""
    if not attempts:
        return [_UNTOLD]
    causes = {attempt.cause for attempt in attempts}
    by_link = {attempt.cause for attempt in attempts if attempt.by_link}
    if Cause.TOO_LARGE in causes:
        return [_TOO_LARGE]
    keyless = any(
        attempt.source == "url with a fresh key"
        and attempt.cause in (Cause.UNSUPPORTED, Cause.FAILED)
        for attempt in attempts
    )
    expired = _EXPIRED_WITHOUT_KEYS if keyless else _EXPIRED
    if kept_until:
        expired = _expired(kept_until, keyless=keyless)
    cures = {
        _HOST_UNREACHABLE: Cause.UNREACHABLE in by_link,
        _HOST_SLOW: Cause.TIMEOUT in by_link and Cause.UNREACHABLE not in by_link,
        expired: Cause.EXPIRED in causes
        or (Cause.NOT_FOUND in by_link and 0 < kept_until < time.time()),
        _UNREADABLE: Cause.UNREADABLE in causes,
        _REFUSED: Cause.REFUSED in causes,
        _SKIPPED: Cause.SKIPPED in causes,
    }
    found = [cure for cure, applies in cures.items() if applies]
    return found or [hint for cause, hint in _LAST_HINTS.items() if cause in causes][:1]


def _expired(kept_until: float, *, keyless: bool) -> Text:
    """What to do about a dead link of a group's picture, of which it is known how long QQ has it.

    Args:
        kept_until: until when, in seconds since the epoch.
        keyless: whether the implementation gives no fresh keys.
    """
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept_until))
    if kept_until < time.time():
        return Text(
            "QQ kept this group picture until {date}, and no key opens its link any more: have it "
            "sent again",
            date=date,
        )
    if keyless:
        return Text(
            "the key in the link is dead, but QQ keeps this group picture until {date}, so a fresh "
            "key opens it: update the implementation to a version that has get_rkey "
            "(LuckyLilliaBot 5.3, NapCat 4.7.16), or have the image sent again",
            date=date,
        )
    return Text(
        "the key in the link is dead, but QQ keeps this group picture until {date}, so a fresh key "
        "opens it: ask sooner (QQIMAGE__PREFETCH=true), try again later, or have it sent again",
        date=date,
    )


_TOO_LARGE = Text(
    "to accept it, raise QQIMAGE__MAX_IMAGE_SIZE, QQIMAGE__MAX_PIXELS or QQIMAGE__MAX_FRAMES"
)
_HOST_UNREACHABLE = Text(
    "QQ's image host cannot be reached from this bot: check its network, or set QQIMAGE__PROXY or "
    "QQIMAGE__MIRRORS"
)
_HOST_SLOW = Text(
    "QQ's image host does not answer this bot in time: set QQIMAGE__PROXY or QQIMAGE__MIRRORS, or "
    "raise QQIMAGE__DOWNLOAD_TIMEOUT"
)
_EXPIRED = Text(
    "the link is dead: ask sooner (QQIMAGE__PREFETCH=true), or have the image sent again"
)
_EXPIRED_WITHOUT_KEYS = Text(
    "the link is dead and the implementation gives no fresh key for it: have the image sent again, "
    "or update it to a version that has get_rkey (LuckyLilliaBot 5.3, NapCat 4.7.16)"
)
_UNREADABLE = Text(
    "the implementation's file is not visible to this bot: if the implementation runs elsewhere, "
    "share its folder and set QQIMAGE__PATH_MAP, or let it inline base64 "
    "(NapCat: enableLocalFile2Url)"
)
_REFUSED = Text(
    "the address lies in a private network: if downloads may reach it, name it in "
    "QQIMAGE__TRUSTED_HOSTS"
)
_SKIPPED = Text(
    "its answer would not fit the connection: connect by reverse WebSocket or DRIVER=~aiohttp, "
    "or say in QQIMAGE__FRAME_LIMIT what it can carry"
)
_UNTOLD = Text(
    "the implementation does not say where it is, as Lagrange does not of what its own account "
    "sent; what plugins of this bot send is kept (QQIMAGE__OWN_IMAGES=true)"
)
_LAST_HINTS = {
    Cause.TIMEOUT: Text(
        "no answer in time: check the implementation's log and network, or raise "
        "QQIMAGE__GET_IMAGE_TIMEOUT or QQIMAGE__RESOLVE_TIMEOUT"
    ),
    Cause.UNREACHABLE: Text(
        "no connection to the implementation: look whether it runs, and at its log"
    ),
    Cause.REJECTED: Text(
        "what arrived is no image: something on the way, such as a proxy or a login page, may "
        "answer in the image host's place"
    ),
    Cause.NOT_FOUND: Text("the implementation has forgotten the image: have it sent again"),
}
