"""Opening: the shared store that the settings name."""

from .postgresql.postgresql import PostgreSQL
from .shared import Shared
from .tier import DEADLINE


def opened(url: str) -> Shared | None:
    """The shared store at a URL, which nobody has been asked for yet; None where that is empty."""
    return PostgreSQL(url, DEADLINE) if url else None
