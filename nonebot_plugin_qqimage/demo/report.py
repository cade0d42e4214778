"""What the demo prints: a table as it goes, and one JSON object at the end if asked for."""

import json
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..cli.terminal.layout import row_of, wrapped
from ..doctor.figures import size_of
from ..language import Text, localized, say

_WIDE, _NARROW = (34, 26, 46, 5), (26, 24, 22, 5)
"""Columns of the cells, where the terminal has as many, and where it has 80."""
_LEAST = 40
"""Columns below which nothing can be set in columns."""
_FIGURES = (3,)
_PRIVATE = ("explanation", "possible", "right")


@dataclass(frozen=True)
class Row:
    """What became of one picture."""

    case: str
    """What was special about it."""
    naive: str
    """What a plain ``httpx.get`` of its URL got."""
    source: str | None
    """Where ours came from; None if we did not get it."""
    sha256: str | None
    mime: str | None
    width: int | None
    height: int | None
    ms: int
    """Milliseconds from the message to the plugin's answer."""
    explanation: str
    """Why we did not get it."""
    possible: bool
    """Whether it could be had at all."""
    right: bool
    """Whether what we got is the picture that was sent."""


@dataclass
class Report:
    """Collects the rows and prints them.

    Args:
        as_json: print one JSON object at the end, and all else to standard error.
        kept: whether the store is left when the demo ends.
    """

    as_json: bool
    kept: bool = False
    rows: list[Row] = field(default_factory=list[Row])

    @property
    def ok(self) -> bool:
        """Whether every picture that could be had was."""
        return bool(self.rows) and all(row.right or not row.possible for row in self.rows)

    def begin(self, url: str) -> None:
        """Say what is about to happen."""
        self._say(
            Text(
                "A real bot at {url}; behind it LuckyLilliaBot, NapCat twice, Lagrange and an "
                "image host, which are simulated. All of it is on this machine.",
                url=url,
            )
        )
        self._print()
        self._row(say("picture"), say("plain httpx.get(url)"), say("this plugin"), say("ms"))
        self._print("─" * (sum(self._widths) + len(self._widths) - 1))

    def add(self, row: Row) -> None:
        """Print what became of a picture."""
        self.rows.append(row)
        got = Text("nowhere: see below")
        if row.right:
            what = f"{row.mime}, {row.width}×{row.height}"
            got = Text("{about}: {text}", about=Text(str(row.source)), text=what)
        elif row.source:
            got = Text("WRONG BYTES")
        self._row(row.case, row.naive, got, str(row.ms))

    def end(self, store: Path, images: int, size: int) -> None:
        """Say how it ended.

        Args:
            store: where the images lie.
            images: how many different ones.
            size: their bytes.
        """
        for row in self.rows:
            if not row.right:
                self._print()
                self._say(Text("{about}: {text}", about=row.case, text=row.explanation))
        self._print()
        self._say(
            Text(
                "{had} of the {possible} pictures that could be had were; {images} different ones "
                "were kept, {size}.",
                had=sum(row.right for row in self.rows),
                possible=sum(row.possible for row in self.rows),
                images=images,
                size=size_of(size),
            )
        )
        if self.kept:
            self._say(Text("The store is left in"))
            self._print(str(store))
        if self.as_json:
            summary = self._summary({"path": str(store), "images": images, "bytes": size})
            print(json.dumps(summary, ensure_ascii=False))

    def _summary(self, store: dict[str, Any]) -> dict[str, Any]:
        images = [
            {name: value for name, value in asdict(row).items() if name not in _PRIVATE}
            for row in self.rows
        ]
        return {"images": images, "store": store, "ok": self.ok}

    @property
    def _columns(self) -> int:
        """Columns of the terminal; 80 where there is none."""
        return max(_LEAST, shutil.get_terminal_size().columns)

    @property
    def _widths(self) -> list[int]:
        gaps = len(_WIDE) - 1
        for widths in (_WIDE, _NARROW):
            if sum(widths) + gaps <= self._columns:
                return [*widths]
        *words, figures = _NARROW
        room = self._columns - gaps - figures
        return [*(width * room // sum(words) for width in words), figures]

    def _row(self, *cells: str) -> None:
        for line in row_of([localized(cell) for cell in cells], self._widths, 1, _FIGURES):
            self._print(line)

    def _say(self, text: str) -> None:
        for line in wrapped(localized(text), self._columns):
            self._print(line)

    def _print(self, text: str = "") -> None:
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)
