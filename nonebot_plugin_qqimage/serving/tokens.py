"""Tokens: image references as signed text, which only this installation can have written.

A token carries everything that is needed to find the image again, in the store or from the
implementation, so nothing has to be remembered and it works after any restart. Its signature is
checked before its content is read.
"""

import base64
import contextlib
import hmac
import json
import os
import tempfile
from hashlib import blake2b
from pathlib import Path

from ..errors import StoreError
from ..language import Text
from ..messages.reference import ImageReference
from .urls import without_key

_VERSION = "1"
_SECRET = 32
"""Bytes of the secret."""
_MAC = 16
"""Bytes of a signature."""
_MAC_TEXT = 22
"""Characters of an encoded signature."""
_MAX_URL = 2048
"""Characters of the longest URL that a token carries; QQ's have about 300."""
MAX_TOKEN = 6144
"""Characters of the longest token."""


class Tokens:
    """Writes and reads tokens.

    Args:
        secret: signs them; whoever knows it can ask for any stored image.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @property
    def secret(self) -> bytes:
        """What signs them."""
        return self._secret

    @classmethod
    def load(cls, folder: Path) -> "Tokens":
        """Tokens with the secret of this installation, which is made if there is none. Blocks.

        Args:
            folder: where the secret is kept, readable by this user alone.

        Raises:
            StoreError: the secret can be neither read nor made, or is damaged. A damaged one is not
                replaced, because that would end every URL given out so far.
        """
        path = folder / "secret"
        try:
            if not path.exists():
                _create(path)
            secret = path.read_bytes()
            with contextlib.suppress(OSError):  # somebody else's, or no such modes
                path.chmod(0o600)
        except OSError as error:
            reason = str(error.strerror or error)
            text = Text("cannot use {path}: {reason}", path=str(path), reason=reason)
            raise StoreError(text) from error
        if len(secret) != _SECRET:
            raise StoreError(
                Text(
                    "{path} is damaged: {size} bytes, not {right}. Restore it, or delete it to get "
                    "a new one; URLs of images given out before will then be dead",
                    path=str(path),
                    size=len(secret),
                    right=_SECRET,
                )
            )
        return cls(secret)

    def seal(self, reference: ImageReference) -> str:
        """The token of a reference; equal references have equal tokens.

        The key in the URL is left out, and so are a URL that is too long and an image inside the
        reference. What was stored of those is found again by its names or its place.

        Raises:
            ValueError: the rest does not say which image it is, or is too long.
        """
        url = without_key(reference.url)
        whole = len(url) <= _MAX_URL
        token = self._sign(reference, url if whole else "")
        if whole and len(token) > MAX_TOKEN:
            whole, token = False, self._sign(reference, "")
        named = reference.name or reference.sha256
        named = bool(named) or (whole and not reference.content)
        if not named or len(token) > MAX_TOKEN:
            raise ValueError(f"{reference} has no name that a URL could carry")
        return token

    def open(self, token: str) -> ImageReference | None:
        """The reference that a token was made of; None for text that is no token of this bot."""
        if not _MAC_TEXT < len(token) <= MAX_TOKEN or not token.isascii():
            return None
        body, signature = token[:-_MAC_TEXT], token[-_MAC_TEXT:]
        if not hmac.compare_digest(signature, self._signature(body)) or body[0] != _VERSION:
            return None
        return _unpack(body[1:])

    def _sign(self, reference: ImageReference, url: str) -> str:
        body = _VERSION + _pack(reference, url)
        return body + self._signature(body)

    def _signature(self, body: str) -> str:
        return _text(blake2b(body.encode("ascii"), key=self._secret, digest_size=_MAC).digest())


def _pack(reference: ImageReference, url: str) -> str:
    fields = (
        reference.self_id,
        reference.message_id,
        reference.position,
        reference.file,
        url,
        reference.size or 0,
        reference.face_id,
        reference.sha256,
        reference.file_id,
        reference.group_id,
        reference.sticker << 0
        | reference.forwarded << 1
        | reference.own << 2
        | reference.one_of_several << 3,
    )
    return _text(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())


def _unpack(text: str) -> ImageReference:
    packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    self_id, message_id, position, file, url, size, face_id, sha256, file_id, group_id, flags = (
        json.loads(packed)
    )
    return ImageReference(
        self_id=self_id,
        message_id=message_id,
        position=position,
        file=file,
        url=url,
        size=size or None,
        face_id=face_id,
        sha256=sha256,
        file_id=file_id,
        group_id=group_id,
        sticker=bool(flags & 1),
        forwarded=bool(flags & 2),
        own=bool(flags & 4),
        one_of_several=bool(flags & 8),
    )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _create(path: Path) -> None:
    """Make the secret; it appears complete, and one of several processes makes it for all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        prefix=".new-", dir=path.parent
    )  # readable by this user alone
    try:
        with open(handle, "wb") as file:
            file.write(os.urandom(_SECRET))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            _publish(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _publish(temporary: str, path: Path) -> None:
    """Give a file its final name, unless there is a file of that name already."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if not path.exists():
            os.rename(temporary, path)
