"""Messages and their parts, written before anybody hears of them."""

import random
import secrets
import time
from collections.abc import Sequence

from .flavours.base import Flavour
from .image_host.catalog import Form
from .image_host.cdn import SimulatedCdn
from .image_host.fileid import new_fileid
from .image_host.keys import Kind
from .messages import Forward, MarketFace, Message, Part, Picture, Quote, SharedFile, Text
from .pictures import STICKER, md5_hex, qq_name

Content = str | Part | Sequence[str | Part]
"""What a message may be written as: text, one part, or several of either."""


class MessageMaker:
    """Makes messages, and puts the pictures, faces and files in them on the CDN."""

    def __init__(self, cdn: SimulatedCdn, flavour: Flavour) -> None:
        self.cdn = cdn
        self.flavour = flavour
        self.next_message_id: int | None = None
        """The id of the next message, if it has to be a certain one."""
        self.next_seq = 1001
        self.clock_ahead = 0.0
        """Seconds that the implementation's clock is ahead of ours; it tells whole seconds."""
        self.dice = random.Random(flavour.settings.self_id)
        """Makes up ids: the same ones for each implementation of an account, unless replaced."""

    def picture(
        self,
        data: bytes,
        *,
        kind: Kind = "group",
        form: Form = "nt",
        name: str | None = None,
        size: int | None = None,
        sticker: bool = False,
        flash: bool = False,
        md5: str | None = None,
        fileid: str | None = None,
        given_path: str | None = None,
        declared: bytes | None = None,
    ) -> Picture:
        """Put a picture on the CDN and give the part of a message that shows it.

        Args:
            data: the bytes that the CDN serves.
            kind: what it was sent to, which decides the key of its link.
            form: the form of its link.
            name: what the uploader calls it; by default its MD5, as official clients do.
            size: bytes that the message says it has.
            sticker: whether it is shown as a sticker.
            flash: whether it is shown for some seconds only.
            md5: what QQ says its MD5 is.
            fileid: what names it in links of today; ``image_host.fileid`` makes others.
            given_path: the path that QQ told with a picture of the old form.
            declared: bytes of another picture, which the uploader says this is: its name, size,
                MD5 and ``fileid`` are those of that one, unless given.
        """
        if declared is not None:
            fileid = fileid or new_fileid(declared, kind)
            name, md5 = name or qq_name(declared), md5 or md5_hex(declared)
            size = len(declared) if size is None else size
        hosted = self.cdn.add(
            data, kind=kind, form=form, fileid=fileid, md5=md5, given_path=given_path
        )
        size = len(data) if size is None else size
        return Picture(hosted, name or qq_name(data), size, sticker, flash)

    def market_face(self, data: bytes = STICKER, *, emoji_id: str | None = None) -> MarketFace:
        """Give a face from QQ's shop; everybody who sends it sends the same one."""
        known = None if emoji_id is None else self.cdn.find(emoji_id)
        return MarketFace(known or self.cdn.add(data, form="face", fileid=emoji_id))

    def shared_file(
        self, data: bytes, name: str, *, file_id: str | None = None, notice_id: str | None = None
    ) -> SharedFile:
        """Give a file that somebody uploads."""
        file_id = file_id or f"/{secrets.token_hex(18)}"
        hosted = self.cdn.add(data, form="file", fileid=file_id)
        return SharedFile(hosted, name, notice_id or secrets.token_hex(16))

    def forward(
        self, nodes: Sequence[Message | Content], *, forward_id: str | None = None
    ) -> Forward:
        """Give a forwarded record of some messages."""
        forward_id = forward_id or str(self.dice.randrange(7 * 10**18, 8 * 10**18))
        messages = [
            node if isinstance(node, Message) else self.message("group", node) for node in nodes
        ]
        return Forward(forward_id, tuple(messages))

    def message(
        self,
        kind: Kind,
        content: Content,
        *,
        user_id: int = 30001,
        nickname: str = "Tester",
        implementation_id: int | None = None,
        seq: int | None = None,
        at: int | None = None,
        quote: int | None = None,
        own: bool = False,
    ) -> Message:
        """Write a message which nobody has heard of yet."""
        if isinstance(content, str) or not isinstance(content, Sequence):
            content = [content]
        parts = [Text(part) if isinstance(part, str) else part for part in content]
        if quote is not None:
            parts.insert(0, Quote(quote))
        if own:
            user_id, nickname = self.flavour.settings.self_id, self.flavour.settings.nickname
        return Message(
            kind,
            tuple(parts),
            self._take_message_id(),
            self._take_seq() if seq is None else seq,
            self.now() if at is None else at,
            user_id,
            nickname,
            own=own,
            implementation_id=implementation_id or (20001 if kind == "group" else 30001),
        )

    def now(self) -> int:
        """Give the time in whole seconds since 1970, by the implementation's clock."""
        return int(time.time() + self.clock_ahead)

    def _take_message_id(self) -> int:
        taken, self.next_message_id = self.next_message_id, None
        return self.flavour.new_message_id(self.dice) if taken is None else taken

    def _take_seq(self) -> int:
        self.next_seq += 1
        return self.next_seq - 1
