"""The list beside exported images: one line of JSON for each, with where it was seen."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

NAME = "manifest.jsonl"


class Manifest:
    """``manifest.jsonl`` in a folder; what it says of other images stays. Every method blocks.

    Args:
        folder: made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._new = folder / f".{NAME}.part"
        self._file: IO[str] | None = None
        self._added: set[str] = set()

    def open(self) -> None:
        """Begin.

        Raises:
            OSError: the folder cannot be written.
        """
        self._new.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._new.open("w", encoding="utf-8")

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Write down an image: the name of its file, and what is known of it."""
        if self._file is not None:
            self._added.add(name)
            self._file.write(json.dumps({"file": name, **entry}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Take over what the older list says of other images, and put the new one in its place."""
        if self._file is None:
            return
        with self._file:
            if self._path.exists():
                with self._path.open(encoding="utf-8") as old:
                    self._file.writelines(line for line in old if not self._has(line))
        self._new.replace(self._path)

    def _has(self, line: str) -> bool:
        try:
            return json.loads(line)["file"] in self._added
        except (ValueError, TypeError, KeyError):  # not written by us
            return False
