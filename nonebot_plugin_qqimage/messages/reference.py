"""`ImageReference`: what a segment says about an image, and the names that follow from it."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from ..language import Text

_MD5_STEM = re.compile(r"(?P<md5>[0-9a-fA-F]{32})(\.[0-9a-zA-Z]{1,8})?")
_URI = re.compile(r"qqimage:(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True)
class ImageReference:
    """What one segment says about one image.

    References with equal `key` are taken for the same image, so it is fetched only once. That holds
    until the content turns out not to have the MD5 in the file name; from then on `own_key` counts.
    """

    self_id: str = ""
    """The bot that received it."""
    message_id: str = ""
    """The message it stands in; empty for a segment that belongs to none.

    In a forwarded record: ``forward:`` and the record's id, or the id of the message that forwards
    it where the record has no id.
    """
    position: int = 0
    """Its place among the images of that message or forwarded record, from 0."""
    file: str = ""
    """The segment's ``file``, which ``get_image`` understands; empty when there is none."""
    url: str = ""
    """The segment's http(s) URL; empty when there is none."""
    size: int | None = None
    """The size in bytes that the segment declares."""
    face_id: str = ""
    """The ``emoji_id`` of a market face; empty for anything else."""
    sha256: str = ""
    """The SHA-256 of the content where it is known already, as from a ``qqimage:`` URI."""
    sticker: bool = False
    """Whether it was sent as a sticker (sub type 1, or a market face)."""
    content: str = field(default="", repr=False)
    """The segment's ``file`` where that is a ``base64://``, ``data:`` or ``file://`` URI."""
    file_id: str = ""
    """The id of a shared file; empty for anything else."""
    group_id: int = 0
    """The group a shared file was uploaded to; 0 for anything else."""
    forwarded: bool = False
    """Whether it stands in a forwarded record."""
    own: bool = False
    """Whether this bot sent it."""

    @property
    def md5(self) -> str:
        """The MD5 in its file name, in lower case; empty when there is none.

        It is usually the MD5 of the content, but not always:
        https://github.com/NapNeko/NapCatQQ/issues/458
        """
        match = None if self.file_id else _MD5_STEM.fullmatch(self.file)
        return match["md5"].lower() if match else ""

    @property
    def key(self) -> str:
        """What the image is fetched under: references with equal keys share one fetch."""
        return self.known_by[0] if self.known_by else self.own_key

    @property
    def own_key(self) -> str:
        """What the image is fetched under once its file name is known to have a wrong MD5."""
        if self.sha256:
            return self.key
        said = (self.self_id, self.file, self.url, hash(self.content))
        return self.name or f"segment:{said}"

    @property
    def name(self) -> str:
        """A name that means this image alone, even where the MD5 in its file name is wrong.

        A market face has the same name in every message. Any other image is named by its place: the
        bot, the message and the position. Empty for a segment that belongs to no message.
        """
        if self.face_id:
            return f"face:{self.face_id}"
        if self.file_id:
            return f"file:{self.self_id}:{self.file_id}"
        if not self.message_id:
            return ""
        place = f"{self.self_id}:{self.message_id}:{self.position}"
        return f"own:{place}" if self.own else f"message:{place}:{self.file}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it may be stored under, but for its MD5.

        That is `name`, and for a place in a message also the name that the image has if this bot
        sent the message.
        """
        if not self.message_id or self.own or self.face_id or self.file_id:
            return (self.name,) if self.name else ()
        return self.name, f"own:{self.self_id}:{self.message_id}:{self.position}"

    @cached_property
    def known_by(self) -> tuple[str, ...]:
        """Everything that may identify the image, the best first: a digest, then `names`."""
        if self.sha256:
            return (f"sha256:{self.sha256}",)
        md5 = self.md5
        return (f"md5:{md5}:{self.size or ''}", *self.names) if md5 else self.names

    @property
    def bare(self) -> bool:
        """Whether it only says which image it is, and gives no way to get it."""
        return not (self.file or self.url or self.content or self.file_id or self.message_id)

    @property
    def held(self) -> int:
        """Size of the image data inside the reference itself, in bytes."""
        return len(self.content)

    def __str__(self) -> str:
        if self.face_id:
            what = Text("market face {name}", name=self.face_id)
        elif self.file_id:
            what = Text("shared file {name}", name=self.file or self.file_id)
        elif self.file or self.sha256:
            name = self.file or "qqimage:" + self.sha256
            what = Text("image {name}", name=name)
        else:
            what = Text("image without a file name")
        if self.message_id:
            what = Text("{image} of message {message}", image=what, message=self.message_id)
        return Text("{image} (bot {bot})", image=what, bot=self.self_id) if self.self_id else what


def from_uri(uri: str) -> ImageReference:
    """The image that a ``qqimage:<sha256>`` URI names.

    Raises:
        ValueError: it is no such URI.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"not a qqimage:<sha256> URI: {uri[:100]!r}")
    return ImageReference(sha256=match["sha256"])
