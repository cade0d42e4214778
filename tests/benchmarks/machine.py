"""Where and when figures were measured: they mean nothing without it."""

import datetime
import os
import platform
import re
from pathlib import Path


def facts() -> dict[str, str]:
    """The date and the machine, without its name."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": _system(),
    }


def heading() -> str:
    """The same in one line."""
    known = facts()
    return (
        f"Measured on {known['date']}: {known['processor']}, {known['cores']} cores, "
        f"{known['python']}, {known['system']}."
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
