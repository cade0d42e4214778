"""Images as base64: what an implementation puts into its answer, or a plugin into a segment."""

import asyncio
import binascii
import io
import re

import pybase64

from ...errors import AttemptFailed, Cause
from ...language import Text
from ...messages.texts.text_part import TextPart
from ...threads import DaemonThreads

_PREFIX = re.compile(r"\s*(?:base64://|data:[^,]{0,100},)")
_MAX_PREFIX = 200
"""Bytes by which the estimate of a size may be too large, for prefix and white space."""
_PIECE = 1 << 18
"""Characters decoded in one go; a multiple of 4."""
_THREAD = DaemonThreads(1, "qqimage-base64")
"""One is fast enough, and each thread keeps memory of the size of what it has decoded."""
_STANDARD = str.maketrans("-_", "+/")


async def decode(encoded: str | TextPart, max_size: int) -> bytes:
    """The bytes that a base64 text stands for.

    Args:
        encoded: base64, padded or not, in the standard or the URL-safe alphabet, with or without
            white space, and with or without ``base64://`` or ``data:…,`` before it.
        max_size: the largest acceptable image, in bytes.

    Raises:
        AttemptFailed: it is no base64, or larger than that.
    """
    size = len(encoded) * 3 // 4
    if size > max_size + _MAX_PREFIX:
        detail = Text("{size} bytes, more than the {limit} allowed", size=size, limit=max_size)
        raise AttemptFailed(Cause.TOO_LARGE, detail)
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _decode, encoded)


def _decode(encoded: str | TextPart) -> bytes:
    prefix = _PREFIX.match(encoded[:_MAX_PREFIX])
    start = prefix.end() if prefix else 0
    decoded = io.BytesIO()  # whose value is no copy, while joining would need the memory twice
    try:
        # validating is also the fast way, by five times; and the event loop, which waits while
        # characters are copied, waits for one piece at a time
        for at in range(start, len(encoded), _PIECE):
            decoded.write(pybase64.b64decode(_padded(encoded[at : at + _PIECE]), validate=True))
        return decoded.getvalue()
    except (binascii.Error, ValueError):
        pass
    try:
        body = "".join(encoded[start:].split()).rstrip("=").translate(_STANDARD)
        return pybase64.b64decode(_padded(body), validate=True)
    except (binascii.Error, ValueError) as error:
        detail = Text("invalid base64: {error}", error=str(error))
        raise AttemptFailed(Cause.REJECTED, detail) from None


def _padded(body: str) -> str:
    return body + "=" * (-len(body) % 4)
