"""Which file systems are mounted, as Linux says; to read that asks none of them."""

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_ESCAPED = re.compile(r"\\(\d{3})")


def mounted() -> dict[str, str]:
    """The type of each file system, by where it is mounted; empty where nobody says. Blocks.

    https://man7.org/linux/man-pages/man5/fstab.5.html says what the fields are.
    """
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return {}
    fields = (line.split(" ") for line in lines)
    return {
        _ESCAPED.sub(lambda found: chr(int(found[1], 8)), point): kind
        for _, point, kind, *_ in fields
    }
