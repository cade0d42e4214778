"""Finding the files that ``import`` is to read, and noting why some are left out."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ...language import Text, say
from ..session.session import USAGE, Complaint
from .manifest import NAME


@dataclass
class Files:
    """The files below a folder."""

    files: list[Path] = field(default_factory=list[Path])
    """Those that may be images, in order."""
    left_out: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])
    """What is left out, and the reason."""

    count: int = 0
    """How many files there are, those left out included."""

    def add(self, path: Path) -> None:
        """Note a file; one that is no regular file, such as a pipe, is left out."""
        self.count += 1
        if path.is_file():
            self.files.append(path)
        else:
            self.leave_out(path, Text("no regular file"))

    def leave_out(self, path: Path, reason: str) -> None:
        """Note why a file, or a folder, is left out."""
        self.left_out.append((path, reason))


def files_below(origin: Path) -> Files:
    """The files below a folder, or the one file that is named. Blocks.

    Names that begin with a dot, and the list that ``export`` writes, are passed over.

    Raises:
        Complaint: nothing is there.
    """
    found = Files()
    if not origin.exists():
        raise Complaint(say("there is no {path}", path=origin), USAGE)
    if not origin.is_dir():
        found.add(origin)
        return found

    def cannot_list(error: OSError) -> None:
        found.leave_out(Path(error.filename), reason_of(error))

    for parent, folders, names in os.walk(origin, onerror=cannot_list):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != NAME:
                found.add(Path(parent, name))
    return found


def reason_of(error: OSError) -> str:
    """Why the system does not give a file, in its words."""
    return error.strerror or str(error)
