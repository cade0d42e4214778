"""Who may look at the operator's page: links and sessions, as notes that all processes share.

A link or a session is kept by the digest of its secret alone, so nobody who reads the index gets
in. Every function blocks; what changes notes is given the connection of a transaction.
"""

import json
import secrets
import time
from typing import Any

from .. import notes
from ..sqlite.database import Connection

_PREFIX = "page:"
_INSTALLATION = "page:installation"
_MOST = {"link": 64, "session": 256}
"""Links and sessions at once; the oldest go first."""


def known_installation(db: Connection) -> str:
    """What this folder is called in the names of cookies; empty where it has no name yet."""
    return notes.text_of(db, _INSTALLATION)


def installation(db: Connection) -> str:
    """What this folder is called in the names of cookies; made where there is none yet."""
    db.run(
        "INSERT OR IGNORE INTO notes VALUES (?, ?, ?)",
        *(_INSTALLATION, secrets.token_hex(4), time.time()),
    )
    return known_installation(db)


def keep(db: Connection, kind: str, digest: str, said: dict[str, Any], until: float) -> None:
    """Keep a link or a session.

    Args:
        db: the connection.
        kind: ``link`` or ``session``.
        digest: of its secret.
        said: what is to be known of it.
        until: when it ends, in seconds since the epoch.
    """
    now = time.time()
    for name, (text, _) in _of(db, kind).items():
        if _ends(text) <= now:
            db.run("DELETE FROM notes WHERE name = ?", name)
    notes.leave(db, f"{_PREFIX}{kind}:{digest}", json.dumps({**said, "until": until}))
    notes.keep_latest(db, f"{_PREFIX}{kind}:", _MOST[kind])


def look(db: Connection, kind: str, digest: str) -> dict[str, Any] | None:
    """What is known of a link or a session; None where there is none, or it has ended."""
    text = notes.text_of(db, f"{_PREFIX}{kind}:{digest}")
    return json.loads(text) if text and _ends(text) > time.time() else None


def spend(db: Connection, digest: str) -> dict[str, Any] | None:
    """What is known of a link, which is gone with that: nobody else gets it."""
    said = look(db, "link", digest)
    end(db, "link", digest)
    return said


def end(db: Connection, kind: str, digest: str = "") -> int:
    """End a link or a session, or all of them without a digest; how many there were."""
    if digest:
        return db.run("DELETE FROM notes WHERE name = ?", f"{_PREFIX}{kind}:{digest}")
    return sum(db.run("DELETE FROM notes WHERE name = ?", name) for name in _of(db, kind))


def anybody(db: Connection) -> bool:
    """Whether there is any link or session that has not ended."""
    now = time.time()
    return any(_ends(text) > now for kind in _MOST for text, _ in _of(db, kind).values())


def _of(db: Connection, kind: str) -> dict[str, tuple[str, float]]:
    return notes.find(db, f"{_PREFIX}{kind}:")


def _ends(text: str) -> float:
    try:
        return float(json.loads(text)["until"])
    except (ValueError, TypeError, KeyError):  # nobody but us writes it; then it is at its end
        return 0.0
