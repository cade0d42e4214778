"""numpy, where it is installed: what it gives is the same without it, later."""

import importlib
from functools import cache
from typing import Any

disabled = False
"""Whether to do without it all the same, as tests and measurements do."""


def numpy() -> Any | None:
    """numpy 2 or later; None where it is not installed."""
    return None if disabled else _installed()


@cache
def _installed() -> Any | None:
    """It takes a fifth of a second, and 24 MB of memory, when it is first asked for."""
    try:
        found = importlib.import_module("numpy")
    except Exception:  # noqa: BLE001  one that is broken is no reason to do without hashes
        return None
    return found if hasattr(found, "bitwise_count") else None
