"""Tokens: image references as signed text, which only this installation can have written.

A token carries everything that is needed to find the image again, in the store or from the
implementation, so nothing has to be remembered and it works after any restart. Its signature is
checked before anything of its content is believed.
"""

import base64
import contextlib
import hmac
import json
import os
import tempfile
from dataclasses import replace
from hashlib import blake2b, shake_256
from pathlib import Path

from ..errors import StoreError
from ..language import Text
from ..messages.names.link_key import without_key
from ..messages.reference import ImageReference

_FIRST_VERSION = "1"
"""Begins the tokens of releases up to 0.1, which say where the segment stood, for all to read."""
_VERSION = "2"
_FIELDS = (
    *("self_id", "file", "url", "size", "sticker", "forwarded", "own", "named_md5", "face_id"),
    *("sha256", "file_id", "group_id", "inside"),
    *("message_id", "position", "chat", "one_of_several"),
)
"""What a token carries, in this order; every default is falsy. It grows at its end alone."""
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
        """The token of a reference: what `carried` says of it, which equal segments have in common.

        Raises:
            ValueError: that does not say which image it is, or is too long.
        """
        said = carried(reference)
        token = self._sealed(said)
        if len(token) > MAX_TOKEN:
            said = carried(reference, link=False)
            token = self._sealed(said)
        whole = said.url or not (reference.url or reference.content)
        if not (said.name or said.sha256 or said.md5s or whole) or len(token) > MAX_TOKEN:
            raise ValueError(f"{reference} has no name that a URL could carry")
        return token

    def open(self, token: str) -> ImageReference | None:
        """The reference that a token was made of; None for text that is no token of this bot."""
        if not _MAC_TEXT < len(token) <= MAX_TOKEN or not token.isascii():
            return None
        body, signature = token[:-_MAC_TEXT], token[-_MAC_TEXT:]
        if token[0] == _VERSION:
            return self._unsealed(body[1:], signature)
        if not hmac.compare_digest(signature, _text(self._mac(body.encode("ascii")))):
            return None
        return _unpack_first(body[1:]) if body[0] == _FIRST_VERSION else None

    def _sealed(self, said: ImageReference) -> str:
        """The text of a token: its signature, and its content encrypted with that as the nonce.

        So who is given a URL learns neither chats nor messages from it, and equal content gives
        equal text (RFC 5297 has such a construction, with other ciphers).
        """
        content = _pack(said)
        mac = self._mac(content)
        return _VERSION + _text(self._masked(content, mac)) + _text(mac)

    def _unsealed(self, text: str, signature: str) -> ImageReference | None:
        try:
            sealed, mac = _bytes(text), _bytes(signature)
        except ValueError:
            return None
        if _text(sealed) != text or _text(mac) != signature:  # bytes can be spelt in several ways
            return None
        content = self._masked(sealed, mac)
        return _unpack(content) if hmac.compare_digest(mac, self._mac(content)) else None

    def _mac(self, content: bytes) -> bytes:
        return blake2b(content, key=self._secret, digest_size=_MAC).digest()

    def _masked(self, content: bytes, nonce: bytes) -> bytes:
        """The content encrypted, or decrypted, with bytes that nobody else can compute."""
        stream = shake_256(b"qqimage token" + self._secret + nonce).digest(len(content))
        mixed = int.from_bytes(content, "big") ^ int.from_bytes(stream, "big")
        return mixed.to_bytes(len(content), "big")


def carried(reference: ImageReference, *, link: bool = True) -> ImageReference:
    """What a token says of an image: what its segment said, without the key in its link.

    Where that says which image it is, nothing tells where the segment stood; so equal segments have
    equal tokens. What was stored is found by its claims and names, or by `anywhere`.

    Args:
        reference: the image.
        link: whether its URL is said, unless that is too long.
    """
    url = without_key(reference.url) if link else ""
    url = url if len(url) <= _MAX_URL else ""
    said = reference if url or not reference.url else replace(reference, url="")
    named = said.sha256 or said.face_id or said.file_id or url or said.md5s
    place = {"message_id": "", "position": 0, "chat": "", "one_of_several": False} if named else {}
    return replace(said.lean(), url=url, **place)


def _pack(said: ImageReference) -> bytes:
    fields = [getattr(said, name) or 0 for name in _FIELDS]
    while fields and not fields[-1]:
        fields.pop()
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _unpack(content: bytes) -> ImageReference:
    fields = dict(zip(_FIELDS, json.loads(content), strict=False))
    said = ImageReference(**{name: value for name, value in fields.items() if value})
    return said if said.message_id else replace(said, served=True)


def _unpack_first(text: str) -> ImageReference:
    self_id, message_id, position, file, url, size, face_id, sha256, file_id, group_id, flags = (
        json.loads(_bytes(text))
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


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


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
