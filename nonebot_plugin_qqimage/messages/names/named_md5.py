"""The MD5 that implementations put into names and links of images, in every form they use."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(
    r"(?:[0-9a-f]{16,}\.)?"  # NapCat before 4.3.5 put an id before the name
    r"(?P<brace>\{)?"
    r"(?P<md5>[0-9a-f]{8}(?P<dash>-?)[0-9a-f]{4}(?P=dash)[0-9a-f]{4}(?P=dash)[0-9a-f]{4}"
    r"(?P=dash)[0-9a-f]{12})"
    r"(?(brace)\})(?:\.[0-9a-z]{1,8})?",
    re.IGNORECASE,
)
_PATH = re.compile(r"/(?:gchatpic_new|offpic_new)/[^?#]{0,200}-([0-9a-f]{32})/\d", re.IGNORECASE)
_MAX_URL = 512
"""Characters of a link that are looked at; these have about 80."""
_FIELDS = ("filename", "name", "file_name", "file_unique", "file_id")
_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
"""MD5 of no bytes, which some clients declare for any picture."""


def md5_in_name(name: str) -> str:
    """The MD5 that a name is made of, in lower-case hex; empty when there is none.

    Args:
        name: such as ``<MD5>.jpg``, ``{<MD5 with dashes>}.jpg``, or ``<long id>.<MD5>.jpg``.
    """
    match = _NAME.fullmatch(name)
    return _checked(match["md5"].replace("-", "")) if match else ""


def md5_in_url(url: str) -> str:
    """The MD5 in the path of an older link, ``…/gchatpic_new/0/0-0-<MD5>/0``; empty for others."""
    match = _PATH.search(url, 0, _MAX_URL)
    return _checked(match[1]) if match else ""


def md5_in_fields(data: Mapping[str, Any]) -> str:
    """The MD5 that the data of an image segment says beside its ``file`` and ``url``."""
    for field in _FIELDS:
        value = data.get(field)
        if isinstance(value, str) and len(value) <= 1024 and (md5 := md5_in_name(value)):
            return md5
    return ""


def _checked(md5: str) -> str:
    md5 = md5.lower()
    return "" if md5 == _OF_NOTHING else md5
