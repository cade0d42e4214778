"""What is answered: pages, pictures and refusals, each with the headers that keep it safe."""

from functools import partial
from typing import Any

import anyio.to_thread
from nonebot.drivers import Response

from ...content.info import ImageInfo
from .templates import render

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    # not "no-referrer": our own forms would say "Origin: null"
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
}
_PICTURE = {
    # others' pictures are for no shared cache
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def answer(status: int, content: bytes | str, kind: str, **headers: str) -> Response:
    """An answer with some content.

    Args:
        status: the HTTP status.
        content: the body.
        kind: its type.
        **headers: others, with underscores for hyphens.
    """
    body = content.encode("utf-8", "replace") if isinstance(content, str) else content
    others = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, headers={**_ALWAYS, "Content-Type": kind, **others}, content=body)


async def page(name: str, *, status: int = 200, cookie: str = "", **values: Any) -> Response:
    """A page made from a template, in a thread.

    Args:
        name: of the template.
        status: the HTTP status.
        cookie: one to set; empty for none.
        **values: what it shows.
    """
    text = await anyio.to_thread.run_sync(partial(render, name, **values))
    cookies = {"Set-Cookie": cookie} if cookie else {}
    return answer(status, text, "text/html; charset=utf-8", **cookies)


def see_other(query: str, cookie: str = "") -> Response:
    """What sends the browser on to a view, after a form.

    Args:
        query: of the view, without the question mark.
        cookie: one to set; empty for none.
    """
    response = answer(303, b"", "text/plain", Location=f"page?{query}")
    if cookie:
        response.headers["Set-Cookie"] = cookie
    return response


def plain(status: int, text: str, **headers: str) -> Response:
    """A short answer for whoever gets no page."""
    return answer(status, text + "\n", "text/plain; charset=utf-8", **headers)


def picture(info: ImageInfo, data: bytes, etag: str) -> Response:
    """A stored picture itself."""
    shown = {**_PICTURE, "ETag": etag}
    shown["Content-Disposition"] = f'inline; filename="{info.sha256[:16]}.{info.extension}"'
    return answer(200, data, info.mime, **shown)


def thumbnail(data: bytes, etag: str) -> Response:
    """The thumbnail of a stored picture."""
    return answer(200, data, "image/webp", **{**_PICTURE, "ETag": etag})


def unchanged(etag: str) -> Response:
    """What says that the browser has it already."""
    return answer(304, b"", "image/webp", **{**_PICTURE, "ETag": etag})
