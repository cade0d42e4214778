"""Pictures, faces and files put on the CDN and made into parts of a message."""

import secrets

from .image_host.catalog import Form
from .image_host.cdn import SimulatedCdn
from .image_host.fileid import new_fileid
from .image_host.keys import Kind
from .messages import MarketFace, Picture, SharedFile
from .pictures import STICKER, md5_hex, qq_name


class PartMaker:
    """Makes the parts of a message that need the CDN."""

    def __init__(self, cdn: SimulatedCdn) -> None:
        self.cdn = cdn

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
