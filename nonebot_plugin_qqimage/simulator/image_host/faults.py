"""What can go wrong at the simulated CDN, for one picture or for all, from now on or n times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from .catalog import request_path


class Fault(Enum):
    """A way to fail."""

    EXPIRED = "status 400 and the body of an expired key"
    INVALID_KEY = "status 400 and the body of a wrong key"
    NOT_FOUND = "status 404"
    HTML = "status 200 and a web page"
    EMPTY = "status 200 and no byte"
    CUT = "status 200 and only half of the picture, said to be all of it"
    TRUNCATED = "the connection closes before all announced bytes came"
    RESET = "the connection is reset instead of an answer"
    HANG = "the request is accepted and never answered"
    DRIP = "the right bytes, a few at a time"


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer; as a fault it stands in for the picture."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def location(self) -> str | None:
        """Where it redirects to, if it does."""
        if not 300 <= self.status < 400:
            return None
        return next(
            (self.headers[name] for name in self.headers if name.lower() == "location"), None
        )


EXPIRED_KEY = Reply(
    400,
    b'{"retcode":-5503007,"retmsg":"download url has expired","retryflag":0}',
    "application/json",
)
INVALID_KEY = Reply(
    400, b'{"retcode":-5503010,"retmsg":"invalid rkey","retryflag":1}', "application/json"
)
NOT_FOUND = Reply(404)
WEB_PAGE = Reply(200, b"<html>blocked</html>", "text/html")


@dataclass
class _Pending:
    fault: Fault | Reply
    times: int | None


class Faults:
    """The faults in force; change them at any moment."""

    def __init__(self) -> None:
        self.abroad: Literal["hang", "reset"] | None = None
        """What the bot's requests meet as if it stood in a country QQ does not serve."""
        self.drip_bytes = 64
        """How many bytes :attr:`Fault.DRIP` sends at once."""
        self.drip_seconds = 0.05
        """How long it waits after each of these."""
        self.delays: dict[str | None, float] = {}
        """Seconds before an answer, by fileid; None is for all others."""
        self._pending: dict[str | None, _Pending] = {}

    def set(
        self,
        fault: Fault | Reply,
        *,
        fileid: str | None = None,
        link: str | None = None,
        times: int | None = None,
    ) -> None:
        """Put a fault in force.

        Args:
            fault: what goes wrong.
            fileid: for one picture alone, by whatever link.
            link: for one link alone, key and all; other links to the picture go on working.
            times: for so many requests; None is on and on.
        """
        slot = fileid if link is None else request_path(link)
        self._pending[slot] = _Pending(fault, times)

    def clear(self) -> None:
        """Make everything right again."""
        self._pending.clear()
        self.delays.clear()
        self.abroad = None

    def clear_picture(self, fileid: str) -> None:
        """End what is in force for one picture alone."""
        self._pending.pop(fileid, None)
        self.delays.pop(fileid, None)

    def delay(self, fileid: str | None) -> float:
        """Say how long the answer for a picture has to wait."""
        return self.delays.get(fileid, self.delays.get(None, 0.0))

    def take(self, fileid: str | None, path: str) -> Fault | Reply | None:
        """Give the fault which the next request for a picture meets, and count it."""
        slot = next((slot for slot in (path, fileid) if slot in self._pending), None)
        pending = self._pending.get(slot)
        if pending is None:
            return None
        if pending.times is not None:
            pending.times -= 1
            if pending.times <= 0:
                del self._pending[slot]
        return pending.fault


def spoil(right: Reply | None, fault: Fault | Reply) -> Reply | Fault:
    """Give the answer a fault makes of the right one, or the fault if that is no whole answer."""
    if isinstance(fault, Reply):
        return fault
    body = b"" if right is None else right.body
    mime = None if right is None else right.content_type
    replies = {
        Fault.EXPIRED: EXPIRED_KEY,
        Fault.INVALID_KEY: INVALID_KEY,
        Fault.NOT_FOUND: NOT_FOUND,
        Fault.HTML: WEB_PAGE,
        Fault.EMPTY: Reply(200, b"", mime),
        Fault.CUT: Reply(200, body[: len(body) // 2], mime),
    }
    return replies.get(fault, fault)
