"""What the demo prints: a table as it goes, and one JSON object at the end if asked for."""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_LINE = "{:<33} {:<34} {:<21} {:<20} {:>5}"
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
    """

    as_json: bool
    rows: list[Row] = field(default_factory=list[Row])

    @property
    def ok(self) -> bool:
        """Whether every picture that could be had was."""
        return bool(self.rows) and all(row.right or not row.possible for row in self.rows)

    def begin(self, url: str) -> None:
        """Say what is about to happen."""
        self._print(
            f"A real bot at {url}; behind it LuckyLilliaBot, NapCat twice,\n"
            "Lagrange and an image host, which are simulated. All of it is on this machine.\n"
        )
        self._print(
            _LINE.format("picture", "plain httpx.get(url)", "we got it from", "it is", "ms")
        )
        self._print("─" * 117)

    def add(self, row: Row) -> None:
        """Print what became of a picture."""
        self.rows.append(row)
        what = f"{row.mime}, {row.width}×{row.height}" if row.right else ""
        got = row.source or "nowhere: see below"
        if row.source and not row.right:
            got = "WRONG BYTES"
        self._print(_LINE.format(row.case, row.naive, got, what, row.ms))

    def end(self, store: Path, images: int, size: int) -> None:
        """Say how it ended.

        Args:
            store: where the images lie.
            images: how many different ones.
            size: their bytes.
        """
        for row in self.rows:
            if not row.right:
                self._print(f"\n{row.case}:\n  {row.explanation}")
        had = sum(row.right for row in self.rows)
        possible = sum(row.possible for row in self.rows)
        self._print(
            f"\n{had} of the {possible} pictures that could be had were. "
            f"{images} different ones, {size} bytes, lie in\n{store}"
        )
        if self.as_json:
            summary = self._summary({"path": str(store), "images": images, "bytes": size})
            print(json.dumps(summary, ensure_ascii=False))

    def _summary(self, store: dict[str, Any]) -> dict[str, Any]:
        images = [
            {name: value for name, value in asdict(row).items() if name not in _PRIVATE}
            for row in self.rows
        ]
        return {"images": images, "store": store, "ok": self.ok}

    def _print(self, text: str) -> None:
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)
