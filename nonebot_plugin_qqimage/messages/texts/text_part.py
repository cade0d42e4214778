"""A part of a long text that is not copied: an image inside a CQ code may have 10 MB of base64.

To copy that many characters takes up to 10 ms, in which the event loop stands still.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextPart:
    """The characters of a text between two places, read like a `str` but only as far as asked.

    The whole text stays in memory as long as one of its parts does.
    """

    text: str
    """The whole text."""
    start: int
    """Where the part begins in it."""
    stop: int
    """Where the part ends in it, the first character after it."""

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, wanted: slice) -> str:
        start, stop, step = wanted.indices(len(self))
        return self.text[self.start + start : self.start + stop : step]

    def startswith(self, prefixes: str | tuple[str, ...]) -> bool:
        """Whether the part begins with this, or with one of these."""
        return self.text.startswith(prefixes, self.start, self.stop)
