"""The journal: small writes that may come a moment later, gathered into one transaction.

Uses, sightings and counts are worth no thread hop and no transaction each. They are kept in
memory until the next flush; a crash loses those of the last moment, and no image.
"""

from collections import Counter, deque
from collections.abc import Callable

from nonebot.log import logger

_MAX_WRITES = 10_000
"""Writes that may wait while the database cannot be written; the oldest go first."""
_MAX_TEXT = 1 << 24
"""Characters in them."""
_MAX_WORKS = 64
"""Pieces of work that wait until they are done together."""
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
        self._writes: deque[Write] = deque()
        self._text = 0
        self._works: list[Callable[[], object]] = []
        self._uses: dict[str, float] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, statement: str, *values: object) -> None:
        """Write a row, after those of the work that waits."""
        self._work()
        self._append((statement, tuple(map(_storable, values))))

    def later(self, work: Callable[[], object]) -> None:
        """Do some work that adds rows, before anything else is added or taken."""
        self._works.append(work)
        if len(self._works) >= _MAX_WORKS:
            self._work()

    def use(self, sha256: str, now: float) -> None:
        """An image was used, in seconds since the epoch."""
        if len(self._uses) < _MAX_WRITES:
            self._uses[sha256] = now

    def count(self, kind: str, what: str) -> None:
        """One more of these; there are few different ones."""
        self._counts[kind, what] += 1

    def take(self) -> list[Write]:
        """Everything that waits, rows in their order; it waits no longer."""
        self._work()
        taken = [
            *((_USE, (now, sha256, now)) for sha256, now in self._uses.items()),
            *((_COUNT, (kind, what, count)) for (kind, what), count in self._counts.items()),
            *self._writes,  # last, for the first ones are dropped where they are too many
        ]
        self._writes.clear()
        self._text = 0
        self._uses.clear()
        self._counts.clear()
        return taken

    def restore(self, writes: list[Write]) -> None:
        """Let them wait again, before what has come since."""
        later = list(self._writes)
        self._writes.clear()
        self._text = 0
        for write in (*writes, *later):
            self._append(write)

    def _work(self) -> None:
        works, self._works = self._works, []
        for work in works:
            try:
                work()
            except Exception:  # noqa: BLE001  the others must not suffer
                logger.exception("qqimage: noting what was seen failed, please report it")

    def _append(self, write: Write) -> None:
        self._writes.append(write)
        self._text += _length(write)
        while len(self._writes) > _MAX_WRITES or self._text > _MAX_TEXT:
            self._text -= _length(self._writes.popleft())


def _storable(value: object) -> object:
    """The value; half an emoji, as JSON can carry it, fits into no database."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode(errors="replace").decode()


def _length(write: Write) -> int:
    return sum(len(value) for value in write[1] if isinstance(value, str))
