"""The key in a link of QQ, with which it works, and the same link without it.

Most links of QQ hold a key (``/download?appid=…&fileid=…&rkey=…``) and die with it, but the file
behind them lives much longer: https://github.com/NapNeko/NapCatQQ/issues/101
"""

import re
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Kind = Literal["private", "group"]
"""What a picture was sent to: their keys differ."""
_KINDS: dict[str, Kind] = {"1406": "private", "1407": "group"}
"""What a picture was sent to, by the ``appid`` in its URL."""
_KEY = re.compile(r"([?&]rkey=)[^&]*")


def without_key(url: str) -> str:
    """The link without its key: the same for every key, and where there is none."""
    address, mark, query = url.partition("#")[0].partition("?")
    parts = query.split("&")
    kept = [part for part in parts if part.partition("=")[0].lower() != "rkey"]
    if len(kept) == len(parts):
        return f"{address}{mark}{query}"
    return "?".join([address, "&".join(kept)] if kept else [address])


def key_of(url: str) -> tuple[Kind, str] | None:
    """The kind of key that a link needs, and the one it has.

    Args:
        url: the link.

    Returns:
        The key is empty where the link has none; None where no key is any use to the link.
    """
    query = _query(url)
    kind = _KINDS.get(query.get("appid", ""))
    return None if kind is None else (kind, query.get("rkey", ""))


def _query(url: str) -> dict[str, str]:
    """The parameters of a link of the form that has keys; none where it has another form."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query) if parts.path == "/download" else {}
    except ValueError:  # a URL that is none, or more parameters than anybody needs
        query = {}
    return {name: values[0] for name, values in query.items()}


def with_key_of(url: str, other: str) -> str:
    """The link with the key of another link, as it is written there."""
    match = _KEY.search(other)
    return with_key(url, match[0].partition("=")[2]) if match else url


def with_key(url: str, key: str) -> str:
    """The link with this key instead of its own; nothing else in it changes."""
    replaced, count = _KEY.subn(lambda match: match[1] + key, url)
    return replaced if count else f"{url}&rkey={key}"
