"""How much memory a process has, where the system says so."""

import re
from pathlib import Path


def resident(process: int | str, *, peak: bool = False) -> float | None:
    """Megabytes that a process holds, or has held at most; None where only other ways tell.

    Args:
        process: its id, or ``self``.
        peak: since it was started.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    field = "VmHWM" if peak else "VmRSS"
    match = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 / 1e6 if match else None
