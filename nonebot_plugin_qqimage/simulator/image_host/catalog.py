"""The pictures the simulated CDN holds, and the forms their URLs have."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from ..pictures import md5_hex
from .fileid import new_fileid
from .keys import APPIDS, KINDS, Kind

Form = Literal["nt", "old", "face", "file"]
"""The four forms of URL: of today's pictures, old clients' pictures, market faces, group files."""

HOSTS: dict[Form, str] = {
    "nt": "multimedia.nt.qq.com.cn",
    "old": "gchat.qpic.cn",
    "face": "gxh.vip.qq.com",
    "file": "gzc-download.ftn.qq.com",
}
"""The real host of each form."""

_OLD_PATH = re.compile(r"/gchatpic_new/[^/]+/[^/]*-([0-9A-Fa-f]{32})/0")
_FACE_PATH = re.compile(r"/club/item/parcel/item/[^/]+/([^/]+)/raw300\.gif")
_FILE_PATH = re.compile(r"/ftn_handler/([0-9a-f]+)/")


@dataclass(frozen=True, eq=False)
class HostedPicture:
    """A picture on the CDN."""

    fileid: str
    kind: Kind
    form: Form
    data: bytes = field(repr=False)
    md5: str
    """Lower-case hex; what QQ says, which need not be true."""
    given_path: str | None = None
    """The path QQ told with a picture of the old form; None if it told none."""

    def path(self, *, key: str, spec: bool) -> str:
        """Give the path and query of this picture's URL; an empty key is left out."""
        if self.form == "nt":
            appid = APPIDS[self.kind]
            middle = "&spec=0" if spec else ""
            end = f"&rkey={key}" if key else ""
            return f"/download?appid={appid}&fileid={self.fileid}{middle}{end}"
        if self.form == "face":
            return f"/club/item/parcel/item/{self.fileid[:2]}/{self.fileid}/raw300.gif"
        if self.form == "file":
            return f"/ftn_handler/{self.fileid.encode().hex()}/?fname="
        return self.given_path or md5_path(self.md5)


@dataclass(frozen=True)
class Wanted:
    """What a request asks for."""

    form: Form
    fileid: str | None
    kind: Kind | None = None
    key: str | None = None


class Catalog:
    """All pictures, to be found by what a URL says."""

    def __init__(self) -> None:
        self._pictures: dict[str, HostedPicture] = {}
        self._by_md5: dict[str, HostedPicture] = {}

    def add(
        self,
        data: bytes,
        *,
        kind: Kind,
        form: Form,
        fileid: str | None,
        md5: str | None,
        given_path: str | None,
    ) -> HostedPicture:
        """Take in a picture; the same bytes may come often, a fileid only once."""
        fileid = fileid or (secrets.token_hex(16) if form == "face" else new_fileid(data, kind))
        if fileid in self._pictures:
            raise ValueError(f"fileid {fileid!r} is taken")
        md5 = md5 or md5_hex(data)
        picture = HostedPicture(fileid, kind, form, data, md5, given_path)
        self._pictures[fileid] = picture
        if form == "old":
            self._by_md5[md5] = picture
        return picture

    def __getitem__(self, fileid: str) -> HostedPicture:
        return self._pictures[fileid]

    def get(self, fileid: str) -> HostedPicture | None:
        """Give a picture by its fileid."""
        return self._pictures.get(fileid)

    def find(self, wanted: Wanted) -> HostedPicture | None:
        """Look up what a request asks for."""
        if wanted.fileid is None:
            return None
        if wanted.form == "old":
            return self._by_md5.get(wanted.fileid)
        picture = self._pictures.get(wanted.fileid)
        return picture if picture is not None and picture.form == wanted.form else None


def read_url(url: str) -> Wanted | None:
    """Understand a URL, or its path and query; None if it has none of the four forms."""
    parts = urlsplit(url)
    if parts.path == "/download":
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind = KINDS.get(query.get("appid", ""))
        return Wanted("nt", query.get("fileid"), kind, query.get("rkey"))
    if match := _OLD_PATH.fullmatch(parts.path):
        return Wanted("old", match[1].lower())
    if match := _FACE_PATH.fullmatch(parts.path):
        return Wanted("face", match[1])
    if match := _FILE_PATH.fullmatch(parts.path):
        return Wanted("file", bytes.fromhex(match[1]).decode())
    return None


def request_path(url: str) -> str:
    """Give the path and query of a URL, which is what a request for it says."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def md5_path(md5: str) -> str:
    """Give the path programs make up when QQ told none."""
    return f"/gchatpic_new/0/0-0-{quote(md5.upper())}/0"
