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

from .attempts import Attempt, Cause
from .hints import hint_for
from .language import Text, localized, with_semicolons
from .masking import mask_keys, masked

__all__ = (
    "Attempt",
    "AttemptFailed",
    "Cause",
    "ImageExpired",
    "ImageNotFound",
    "ImageRejected",
    "ImageUnavailable",
    "MissingExtra",
    "QQImageError",
    "StoreError",
    "mask_keys",
    "unavailable",
)


class QQImageError(Exception):
    """Base of every error this plugin raises.

    ``str(error)`` is in the language of the operator, for logs.
    """

    @property
    def text(self) -> str:
        """What is wrong, in English; a `Text` where it can be read in other languages."""
        return self.args[0] if self.args else ""

    @property
    def brief(self) -> str:
        """One short sentence for a chat, in the language of the operator.

        It says what whoever sent the image can do, and nothing of paths, hosts, ids, keys, or of
        what anybody has answered. ``str(error)`` has all of that, for the log.
        """
        return localized(self._brief)

    @property
    def _brief(self) -> Text:
        return Text("the image cannot be had right now, please try again later")

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
        self.detail = masked(detail)
        """What exactly happened: English, and a `Text` where it can be read in other languages."""
        super().__init__(cause, self.detail)

    @property
    def text(self) -> str:
        """The cause and the detail."""
        return Text("{cause}: {detail}", cause=self.cause.words, detail=self.detail)


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
        self.image = masked(image)
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
        return hint_for(self.attempts, self.kept_until)

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

    @property
    def _brief(self) -> Text:
        if Cause.TOO_LARGE in (causes := {attempt.cause for attempt in self.attempts}):
            return Text("the image is too large")
        if Cause.TIMEOUT in causes:
            return Text("the image did not arrive in time, please try again later")
        return super()._brief

    def again(self) -> "ImageUnavailable":
        """A fresh copy to raise for another waiter, free of this one's traceback."""
        return type(self)(self.image, self.attempts, self.kept_until)


class ImageExpired(ImageUnavailable):
    """The image's link is dead (``-5503007 download url has expired``) and no source is left."""

    @property
    def _brief(self) -> Text:
        return Text("the link of the image has expired, please send it again")


class ImageNotFound(ImageUnavailable):
    """Nobody who was asked knows the image (any more)."""

    @property
    def _brief(self) -> Text:
        return Text("the image cannot be found any more, please send it again")


class ImageRejected(ImageUnavailable):
    """Bytes arrived, but they are not an acceptable image: HTML, truncated, too large, …"""

    @property
    def _brief(self) -> Text:
        if any(attempt.cause is Cause.TOO_LARGE for attempt in self.attempts):
            return Text("the image is too large")
        return Text("what arrived is no usable image, please send it again")


class StoreError(QQImageError):
    """The local store cannot be read or written: disk full, no permission, a newer schema, …"""

    @property
    def _brief(self) -> Text:
        return Text("images cannot be kept right now, please tell the operator of this bot")


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
