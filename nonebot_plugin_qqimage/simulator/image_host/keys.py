"""The keys (``rkey``) of the simulated CDN: one per kind of chat, valid for a while."""

import time
from dataclasses import dataclass
from typing import Literal

Kind = Literal["group", "private"]
"""The kind of chat a picture was sent to; its pictures need the key of that kind."""

Verdict = Literal["right", "expired", "unknown"]

APPIDS: dict[Kind, str] = {"private": "1406", "group": "1407"}
"""What QQ calls the two kinds in its URLs."""
KINDS: dict[str, Kind] = {appid: kind for kind, appid in APPIDS.items()}
"""The same the other way round."""

_PREFIXES: dict[Kind, str] = {"private": "PRIV", "group": "GRP"}


@dataclass(frozen=True)
class Key:
    """A key, as the key server hands it out."""

    kind: Kind
    value: str
    created_at: float
    ttl: float

    @property
    def expires_at(self) -> float:
        """When the key ends, as announced; it may end sooner."""
        return self.created_at + self.ttl


class KeyRing:
    """All keys there are and were; ``GRP1`` and ``PRIV1`` are the first two."""

    def __init__(self, ttl: float) -> None:
        self.ttl = ttl
        self._ahead = 0.0
        self._number = 0
        self._known: dict[tuple[Kind, str], Key] = {}
        self._current: dict[Kind, Key] = {}
        self.rotate()

    def now(self) -> float:
        """Give the time, in seconds since 1970, as the key server and its clients see it."""
        return time.time() + self._ahead

    def current(self, kind: Kind) -> Key:
        """Give the key that opens pictures of this kind now, making a new one when it is time."""
        if self._current[kind].expires_at <= self.now():
            self.rotate()
        return self._current[kind]

    def rotate(self) -> None:
        """Replace all keys before their announced end."""
        self._number += 1
        for kind, prefix in _PREFIXES.items():
            key = Key(kind, f"{prefix}{self._number}", self.now(), self.ttl)
            self._current[kind] = key
            self._known[kind, key.value] = key

    def expire(self) -> None:
        """Let the announced life of all keys pass."""
        self._ahead += self.ttl

    def verdict(self, kind: Kind, value: str) -> Verdict:
        """Judge the key in a URL."""
        if self.current(kind).value == value:
            return "right"
        return "expired" if (kind, value) in self._known else "unknown"
