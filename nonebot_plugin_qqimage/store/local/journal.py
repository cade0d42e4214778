"""The journal: small writes that may come a moment later, gathered into one transaction.

Uses, sightings and counts are worth no thread hop and no transaction each. They are kept in
memory until the next flush; a crash loses those of the last moment (uses: of the last seconds), and
no image.
"""

from collections import Counter, deque
from collections.abc import Callable

_MAX_WRITES = 10_000
"""Writes that may wait while the database cannot be written; the oldest go first."""
_MAX_TEXT = 1 << 24
"""Characters in them."""
_USE = "UPDATE images SET used = ? WHERE sha256 = ? AND used < ?"
_COUNT = (
    "INSERT INTO counters VALUES (?, ?, ?) "
    "ON CONFLICT (kind, what) DO UPDATE SET count = count + excluded.count"
)
Write = tuple[str, tuple[object, ...]]
"""A statement, and its values."""


class Journal:
    """Writes that wait, on the event loop's thread."""

    def __init__(self) -> None:
        self._writes: deque[tuple[Write, int]] = deque()
        self._text = 0
        self._uses: dict[str, float] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._witnesses: list[Callable[[], object]] = []

    def add(self, statement: str, *values: object) -> None:
        """Write a row, after those that the witnesses have to add."""
        self._hear()
        self._append((statement, values))

    def ask_first(self, witness: Callable[[], object]) -> None:
        """Call this before anything else is added or taken, for it may have rows to add."""
        self._witnesses.append(witness)

    def use(self, sha256: str, now: float) -> None:
        """An image was used, in seconds since the epoch."""
        if len(self._uses) < _MAX_WRITES:
            self._uses[sha256] = now

    def count(self, kind: str, what: str) -> None:
        """One more of these; there are few different ones."""
        self._counts[kind, what] += 1

    def take(self) -> list[Write]:
        """Everything that waits, rows in their order; it waits no longer."""
        self._hear()
        taken = [
            *((_USE, (now, sha256, now)) for sha256, now in self._uses.items()),
            *((_COUNT, (kind, what, count)) for (kind, what), count in self._counts.items()),
            # last, for the first ones are dropped where they are too many
            *(write for write, _ in self._writes),
        ]
        self._writes.clear()
        self._text = 0
        self._uses.clear()
        self._counts.clear()
        return taken

    def restore(self, writes: list[Write]) -> None:
        """Let them wait again, before what has come since."""
        later = [write for write, _ in self._writes]
        self._writes.clear()
        self._text = 0
        for write in (*writes, *later):
            self._append(write)

    def _hear(self) -> None:
        for witness in self._witnesses:
            witness()

    def _append(self, write: Write) -> None:
        text = "".join([value for value in write[1] if isinstance(value, str)])
        if not text.isascii():
            write = write[0], tuple(map(_storable, write[1]))
        self._writes.append((write, len(text)))
        self._text += len(text)
        while len(self._writes) > _MAX_WRITES or self._text > _MAX_TEXT:
            self._text -= self._writes.popleft()[1]


def _storable(value: object) -> object:
    """The value; half an emoji, as JSON can carry it, fits into no database."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
