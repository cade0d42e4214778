"""Our URLs: they look like the image host's to plugins that sniff them, and carry a token.

``{base}/qqimage/download?appid=1407&fileid=…&qqimage=<token>``: path and query end as those of
the original do. Only the token counts. Nothing here parses more than it must, for the URLs of
segments are whatever somebody sent.
"""

import re

PATH = "/qqimage/download"
"""Where images are served, below the base URL."""
PARAMETER = "qqimage"
"""The query parameter that carries the token."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


def served_url(base: str, url: str, token: str) -> str:
    """The URL under which an image is served.

    Args:
        base: scheme, host and port, perhaps with a path.
        url: the image's own URL, or empty; its query is repeated, without the key.
        token: what stands for the image.
    """
    query = _query(url)
    kept = [part for part in query.split("&") if part and _name(part) not in ("rkey", PARAMETER)]
    return f"{base.rstrip('/')}{PATH}?{'&'.join([*kept, f'{PARAMETER}={token}'])}"


def without_key(url: str) -> str:
    """The URL without the key that lets one download from it, which dies soon anyway."""
    address, mark, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if _name(part) != "rkey"]
    return address + mark + "&".join(kept)


def token_of(url: str) -> str | None:
    """The token in a URL of ours, whichever base it was made with; None when it is not ours."""
    if PARAMETER not in url:
        return None
    url = url.strip()
    if not url[:8].lower().startswith(("http://", "https://")):
        return None
    path = url.partition("#")[0].partition("?")[0]
    return token_in(_query(url)) if path.endswith(PATH) else None


def token_in(query: str) -> str | None:
    """The token in the query of a URL of ours; None when there is none."""
    # some plugins take the URL out of a CQ code as it stands there, with the fields behind it
    before, mark, rest = query.rpartition(f"{PARAMETER}=")
    if not mark or (before and not before.endswith(("&", "&amp;"))):
        return None
    token = _TOKEN.match(rest)
    return token[0] if token else None


def _query(url: str) -> str:
    """What stands after the question mark, as it stands there, fit for a request line."""
    query = url.partition("#")[0].partition("?")[2]
    return _UNPRINTABLE.sub(_escape, query)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def _name(part: str) -> str:
    return part.partition("=")[0].lower()
