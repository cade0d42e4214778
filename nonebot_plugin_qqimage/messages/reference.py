"""`ImageReference`: what a segment says about an image, and the names that follow from it."""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b

from ..language import Text
from .names.file_id import FileId, file_id_of
from .names.link_key import without_key
from .names.named_md5 import md5_in_name, md5_in_url
from .texts.text_part import TextPart

_URI = re.compile(r"qqimage:(?P<sha256>[0-9a-f]{64})")
_KEY = re.compile(r"(?i)([?&])rkey=[^&]*&?")
_MAX_INSIDE = 4096
"""Characters of an image inside its segment that tell it from others."""


@dataclass(frozen=True)
class ImageReference:
    """What one segment says about one image.

    What it claims about the content is in `md5s`, `size` and `link`. References with equal `key`
    claim the same, so the image is fetched only once. That holds until the content turns out not
    to be what is claimed; from then on `own_key` counts.
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
    content: str | TextPart = field(default="", repr=False, hash=False)
    """The segment's ``file`` where that is a ``base64://`` or ``data:`` URI; or a ``file://`` URI,
    where this bot sends it."""
    file_id: str = ""
    """The id of a shared file; empty for anything else."""
    group_id: int = 0
    """The group a shared file was uploaded to; 0 for anything else."""
    forwarded: bool = False
    """Whether it stands in a forwarded record."""
    own: bool = False
    """Whether this bot sent it."""
    named_md5: str = ""
    """The MD5 that a field beside ``file`` and ``url`` says; lower-case hex, or empty."""
    chat: str = field(default="", compare=False)
    """The chat of the message, as in `Sighting.chat`; empty where it is not known."""
    one_of_several: bool = field(default=False, compare=False)
    """Whether it is known that its message has other images, too."""
    inside: str = field(default="", repr=False, compare=False)
    """A digest of `content`, where that itself is not kept."""
    served: bool = field(default=False, repr=False, compare=False)
    """Whether a served URL says it, which is the same for all segments that say the same."""

    @cached_property
    def md5s(self) -> tuple[str, ...]:
        """The MD5s that its names say, in lower-case hex, each once; usually one or none.

        A name is chosen by the sender's client. It is usually the MD5 of the content, but not
        always: https://github.com/NapNeko/NapCatQQ/issues/458
        """
        in_file = "" if self.file_id else md5_in_name(self.file)
        found = [in_file] if in_file else []
        for md5 in (self.named_md5, md5_in_url(self.url)):
            if md5 and md5 not in found:
                found.append(md5)
        return tuple(found)

    @property
    def md5(self) -> str:
        """The first of `md5s`; empty when there is none."""
        return self.md5s[0] if self.md5s else ""

    @cached_property
    def link(self) -> FileId | None:
        """What QQ's link says about the content; None where its URL is no such link."""
        return file_id_of(self.url)

    @property
    def expected_size(self) -> int | None:
        """Bytes to expect: those that the segment declares, or else those that its link says."""
        return self.size or (self.link.size if self.link else 0) or None

    @cached_property
    def key(self) -> str:
        """What the image is fetched under: references with equal keys claim the same content."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        if self.face_id or self.file_id:
            return self.names[0]
        claims = [f"md5:{md5}:{self.size or ''}" for md5 in self.md5s]
        if self.link:
            claims.append(f"link:{self.link.sha1}:{self.link.size}" if self.link.sha1 else "")
            claims[-1] = claims[-1] or self.names[0]
        return " ".join(claims) or self.own_key

    @cached_property
    def own_key(self) -> str:
        """What the image is fetched under once its claims are known not to be true."""
        if self.sha256 or self.face_id or self.file_id:
            return self.key
        if self.place:
            return f"{self.place} in {self.chat}"
        if self.served and self.anywhere:
            return self.anywhere
        return f"segment:{(self.self_id, self.file, self.url, hash(self.content))}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that mean this content wherever they are met, beside its digests.

        They are a market face's id, a shared file's id, or the whole ``fileid`` of a link.
        """
        if self.face_id:
            return (f"face:{self.face_id}",)
        if self.file_id:
            return (f"file:{self.self_id}:{self.file_id}",)
        return (f"fileid:{self.link.name}",) if self.link else ()

    @property
    def name(self) -> str:
        """A name that means this image alone, whatever is claimed; empty where it has none.

        A market face has the same name in every message, and any other image is named by `place`.
        """
        return self.names[0] if self.face_id or self.file_id else self.place

    @cached_property
    def place(self) -> str:
        """The place in a message, with a digest of what the segment says; empty where it has none.

        Message ids are used twice, and segments are removed by plugins: then the digest differs.
        What this bot sent has none, for implementations tell of it in other words than it was sent.
        """
        if not self.message_id or self.face_id or self.file_id:
            return ""
        place = f"{self.self_id}:{self.message_id}:{self.position}"
        return f"own:{place}" if self.own else f"message:{place}:{self.said}"

    @cached_property
    def anywhere(self) -> str:
        """A name for what segments say that say the same, wherever they stand; empty for those
        without a link.

        By it alone served URLs find an image that no claim names.
        """
        if not self.url or self.sha256 or self.face_id or self.file_id:
            return ""
        link = self.link.name if self.link else without_key(self.url)
        return f"segment:{self.self_id}:{self._digest_with(link)}"

    @cached_property
    def said(self) -> str:
        """A digest of what the segment says about the content, without the key of its link."""
        return self._digest_with(self.link.name if self.link else _without_key(self.url))

    def _digest_with(self, link: str) -> str:
        said = (self.file, link, *self.md5s, str(self.size), self.lean().inside)
        return _digest("\0".join(said))

    def lean(self) -> "ImageReference":
        """The reference without the image inside its segment, which would take memory."""
        if not self.content:
            return self
        start = f"{len(self.content)}:{self.content[:_MAX_INSIDE]}"
        return replace(self, content="", inside=_digest(start))

    @property
    def brings_itself(self) -> bool:
        """Whether it is what this bot sends, with the image inside.

        That counts more than a place without it, for message ids come again.
        """
        return self.own and self.content.startswith(("base64:", "data:"))

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
        text = Text(
            "not a qqimage:<sha256> URI, CQ code or link of QQ: {text}", text=repr(uri[:100])
        )
        raise ValueError(text.local)
    return ImageReference(sha256=match["sha256"])


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _without_key(url: str) -> str:
    # a form of its own, which the names of places in existing stores were made of
    return _KEY.sub(r"\1", url) if "?" in url or "&" in url else url
