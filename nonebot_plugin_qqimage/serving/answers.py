"""What is answered to a request for an image, as HTTP has it: status, headers, which bytes."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import NamedTuple

from ..content.info import ImageInfo
from ..errors import Cause, ImageUnavailable, QQImageError
from ..masking import one_line

Headers = list[tuple[str, str]]
"""Header names in lower case, and their values."""

_MAX_QUERY = 16 * 1024
"""Characters; the longest query of ours is a segment's and a token."""
_CONDITIONS = frozenset(("if-none-match", "range", "if-range"))
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
# Others' pictures are for no shared cache. What a token stands for does not change, but should
# not stay for years on the disk of a browser.
_CACHE = ("cache-control", "private, max-age=86400, immutable")
_NO_CACHE = ("cache-control", "no-store")
# a picture is a picture, whatever a browser would like to see in its bytes
_NO_SNIFFING = ("x-content-type-options", "nosniff")


class Request(NamedTuple):
    """What counts of a request."""

    method: str
    """In upper case."""
    query: str
    """As it was sent."""
    if_none_match: str = ""
    """The header; empty when there is none."""
    range: str = ""
    """The header; empty when there is none."""
    if_range: str = ""
    """The header; empty when there is none."""

    @classmethod
    def of(cls, method: str, query: str, headers: Iterable[tuple[str, str]]) -> "Request":
        """From header names in lower case and their values, as they were received."""
        said: dict[str, str] = {}
        for name, value in headers:
            if name in _CONDITIONS:
                said[name] = said[name] + "," + value if name in said else value
        if not said:
            return cls(method, query)
        none_match, range_ = said.get("if-none-match", ""), said.get("range", "")
        return cls(method, query, none_match, range_, said.get("if-range", ""))

    @property
    def plain(self) -> bool:
        """Whether all of an image is wanted, whatever the client has already."""
        return self.method == "GET" and not (self.if_none_match or self.range)


class Answer(NamedTuple):
    """What is answered."""

    status: int
    """The HTTP status."""
    headers: Headers
    """All of them, the length of the body included."""
    body: bytes = b""
    """The body, as far as it is known."""
    span: tuple[int, int] | None = None
    """Which bytes of the image are to be the body: from the first number up to the second."""

    def with_part_of(self, data: bytes) -> "Answer":
        """The answer with those bytes of this image as its body."""
        start, stop = self.span or (0, 0)
        return Answer(self.status, self.headers, data[start:stop])


def found(request: Request, info: ImageInfo) -> Answer:
    """The answer when the image is at hand."""
    if request.plain:
        return _whole(info)
    etag = _etag(info)
    if etag in request.if_none_match or request.if_none_match.strip() == "*":
        return Answer(304, [("etag", etag), _CACHE, _NO_SNIFFING])
    if request.range and request.method == "GET" and request.if_range in ("", etag):
        return _part(info, *_span(request.range, info.size))
    whole = _whole(info)
    return whole._replace(span=None) if request.method == "HEAD" else whole


def _whole(info: ImageInfo) -> Answer:
    return Answer(200, [*_described(info), ("content-length", str(info.size))], b"", (0, info.size))


def _part(info: ImageInfo, start: int, stop: int) -> Answer:
    if start >= stop:
        return problem(
            416,
            "RangeNotSatisfiable",
            f"the image has {info.size} bytes",
            ("content-range", f"bytes */{info.size}"),
        )
    if (start, stop) == (0, info.size):
        return _whole(info)
    length = ("content-length", str(stop - start))
    place = ("content-range", f"bytes {start}-{stop - 1}/{info.size}")
    return Answer(206, [*_described(info), length, place], b"", (start, stop))


def _described(info: ImageInfo) -> Headers:
    kind = ("content-type", info.mime)
    return [("etag", _etag(info)), _CACHE, _NO_SNIFFING, kind, ("accept-ranges", "bytes")]


def _etag(info: ImageInfo) -> str:
    return f'"{info.sha256}"'


def refused(request: Request) -> Answer | None:
    """The answer to a request whose token need not be looked at; None to look at it."""
    if request.method not in ("GET", "HEAD"):
        return problem(405, "MethodNotAllowed", "use GET or HEAD", ("allow", "GET, HEAD"))
    if len(request.query) > _MAX_QUERY:
        return problem(414, "QueryTooLong", f"more than {_MAX_QUERY} characters")
    return None


def failed(error: QQImageError) -> Answer:
    """The answer when the image cannot be had, for people to read and for programs."""
    name = type(error).__name__
    if not isinstance(error, ImageUnavailable):
        return problem(503, name, error.text)
    attempts = [{**asdict(attempt), "cause": attempt.cause.value} for attempt in error.attempts]
    if error.cause is Cause.FORGOTTEN:
        return problem(410, "Forgotten", "the image was forgotten on request")
    return problem(502, name, error.text, hint=error.hint, attempts=attempts)


def elsewhere(url: str) -> Answer:
    """The answer when the image is to be had at another URL, for the moment."""
    place = ("location", url.encode("ascii", "ignore").decode("ascii"))
    return Answer(302, [place, ("content-length", "0"), _NO_CACHE, _NO_SNIFFING])


def busy(why: str) -> Answer:
    """The answer when it would take too long."""
    return problem(503, "Busy", why, ("retry-after", "5"))


def problem(
    status: int, error: str, message: str, *headers: tuple[str, str], **details: object
) -> Answer:
    """An answer that says what is wrong; never an image, never kept by a cache.

    Args:
        status: the HTTP status.
        error: what kind of thing is wrong, in one word.
        message: what exactly.
        headers: further headers.
        details: further fields.
    """
    text = json.dumps({"error": error, "message": one_line(message), **details}, ensure_ascii=False)
    body = text.encode("utf-8", "backslashreplace")
    length = ("content-length", str(len(body)))
    kind = ("content-type", "application/json")
    return Answer(status, [kind, length, _NO_CACHE, _NO_SNIFFING, *headers], body)


def _span(wanted: str, size: int) -> tuple[int, int]:
    """The bytes that a ``Range`` means; all of them where it is none that we must understand."""
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or not (match[1] or match[2]):  # several ranges, another unit, nonsense
        return 0, size
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return 0, size
    return start, min(int(match[2]) + 1, size) if match[2] else size
