"""Pictures, faces and files put on the CDN and made into parts of a message."""

import secrets

from .image_host.catalog import Form
from .image_host.cdn import SimulatedCdn
from .image_host.keys import Kind
from .messages import MarketFace, Picture, SharedFile
from .pictures import STICKER, qq_name


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
    ) -> Picture:
        """Put a picture on the CDN and give the part of a message that shows it."""
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
