"""Base64: what an implementation inlined into its answer, or into the segment itself."""

import binascii
import re

import anyio.to_thread
import pybase64

from ..errors import AttemptFailed, Cause
from .reservation import memory_for
from .source import Fetch

_PREFIX = re.compile(r"\s*(?:base64://|data:[^,]{0,100},)")
_STANDARD = str.maketrans("-_", "+/")


class AnswerBase64:
    """``base64`` in the answer of ``get_image``.

    Args:
        max_size: the largest acceptable image, in bytes.
    """

    name = "base64 in the answer"

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Decode it."""
        encoded = self._encoded(fetch)
        if not encoded:
            return None
        if len(encoded) * 3 // 4 > self._max_size + 200:
            raise AttemptFailed(
                Cause.TOO_LARGE,
                f"{len(encoded) * 3 // 4} bytes, more than the {self._max_size} allowed",
            )
        data = await anyio.to_thread.run_sync(_decode, encoded)
        fetch.reservation.resize(memory_for(len(data)))
        return data

    def _encoded(self, fetch: Fetch) -> str:
        return fetch.take("base64")


class SegmentBase64(AnswerBase64):
    """``file`` of the segment, where it is ``base64://…`` or ``data:…``."""

    name = "base64 in the segment"

    def _encoded(self, fetch: Fetch) -> str:
        content = fetch.reference.content
        return "" if content.startswith("file://") else content


def _decode(encoded: str) -> bytes:
    prefix = _PREFIX.match(encoded)
    body = encoded[prefix.end() :] if prefix else encoded
    try:
        # validating is also the fast way, by five times
        return pybase64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        body = "".join(body.split()).rstrip("=").translate(_STANDARD)
        return pybase64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise AttemptFailed(Cause.REJECTED, f"invalid base64: {error}") from None
