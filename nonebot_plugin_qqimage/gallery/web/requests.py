"""Requests as the page reads them: the query, the form, and cookies, each bounded."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from nonebot.drivers import Request

_MAX_QUERY = 8 * 1024
_MAX_FORM = 64 * 1024
"""Bytes of a form; 500 selected images have 35,000."""
_MAX_FIELDS = 1000
_DIGEST = re.compile("[0-9a-f]{64}")
_FORM = "application/x-www-form-urlencoded"


class Unreadable(Exception):
    """A request is too long, or its form is none."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for: a query, or a form."""

    fields: dict[str, list[str]]
    """The values by their names."""

    def __getitem__(self, name: str) -> str:
        """The first value of this name; empty where there is none."""
        return self.fields.get(name, [""])[0].strip()

    def digests(self, name: str = "sha") -> list[str]:
        """The SHA-256 given by this name, each once; anything else is left out."""
        values = self.fields.get(name, [])
        return [*dict.fromkeys(each for each in values if _DIGEST.fullmatch(each))]


def query_of(request: Request) -> Asked:
    """The query of a request.

    Raises:
        Unreadable: it is too long.
    """
    return _parsed(request.url.raw_query_string, _MAX_QUERY)


def form_of(request: Request) -> Asked:
    """The form that a request posts.

    Raises:
        Unreadable: it is too long, or no form.
    """
    content = request.content
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM or not isinstance(content, (bytes, str)):
        raise Unreadable
    text = content if isinstance(content, str) else content[: _MAX_FORM + 1].decode("latin-1")
    return _parsed(text, _MAX_FORM)


def cookies_of(request: Request, name: str) -> list[str]:
    """The values of the cookies of a name: others on this host may have set some, too."""
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return [value for found, _, value in pairs if found == name and 0 < len(value) < 100][:4]


def _parsed(text: str, longest: int) -> Asked:
    if len(text) > longest:
        raise Unreadable
    try:
        return Asked(parse_qs(text, max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise Unreadable from error
