"""Served URLs: they carry a token, and look like those of QQ's image host.

``{base}/qqimage/download?appid=1407&fileid=…&qqimage=<token>`` has the path and the parameters by
which plugins recognise a link to an image. Only the token counts. URLs of segments are whatever
somebody sent, so no more of them is parsed than has to be.
"""

import re

PATH = "/qqimage/download"
"""Where images are served, below the base URL."""
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts of servers that listen at every address of a machine; and the address for itself."""
PARAMETER = "qqimage"
"""The query parameter that carries the token."""
MAX_URL = 64 * 1024
"""Characters of the longest text that is taken for a served URL; an image may be far longer."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


def served_url(base: str, url: str, token: str) -> str:
    """The URL under which an image is served.

    Args:
        base: scheme, host and port, perhaps with a path.
        url: the image's own URL, or empty; its query is repeated, without the key.
        token: of the image.
    """
    query = _query(url)
    kept = [part for part in query.split("&") if part and _name(part) not in ("rkey", PARAMETER)]
    return f"{base.rstrip('/')}{PATH}?{'&'.join([*kept, f'{PARAMETER}={token}'])}"


def base_of(host: str, port: int) -> str:
    """The base URL by which programs on this machine reach what listens at a host and port."""
    host = ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def token_of(url: str) -> str | None:
    """The token in a served URL, with any base; None for any other URL."""
    if len(url) > MAX_URL or PARAMETER not in url:
        return None
    url = url.strip()
    if not url[:8].lower().startswith(("http://", "https://")):
        return None
    path = url.partition("#")[0].partition("?")[0]
    return token_in(_query(url)) if path.endswith(PATH) else None


def token_in(query: str) -> str | None:
    """The token in the query of a served URL; None where there is none."""
    # some plugins take the URL out of a CQ code as it stands there, with the fields behind it
    before, mark, rest = query.rpartition(f"{PARAMETER}=")
    if not mark or (before and not before.endswith(("&", "&amp;"))):
        return None
    token = _TOKEN.match(rest)
    return token[0] if token else None


def _query(url: str) -> str:
    """The part after the question mark, with characters escaped that no request may have."""
    query = url.partition("#")[0].partition("?")[2]
    return _UNPRINTABLE.sub(_escape, query)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def _name(part: str) -> str:
    return part.partition("=")[0].lower()
