"""Whether an image can be downloaded from this bot itself, as other plugins do."""

import time

import anyio.to_thread

from ...content.inspection import inspect
from ...errors import AttemptFailed
from ...language import Text
from ..line import Line
from .picture import what_it_is

_DEADLINE = 30.0
"""Seconds for the download, in which the bot may have to fetch the image first."""


async def about_served(url: str, about: str, max_size: int, cure: str) -> Line:
    """What comes of downloading a served URL.

    Args:
        url: it.
        about: what the line is about.
        max_size: bytes of the largest image.
        cure: what to do when it fails.
    """
    import httpx  # takes a while, and only this needs it

    started = time.perf_counter()
    try:
        # as plugins do: by the proxy that the environment names, if it does
        async with httpx.AsyncClient(timeout=_DEADLINE, follow_redirects=True) as client:
            response = await client.get(url)
    except httpx.HTTPError as error:
        return Line("failed", about, _failed(url, str(error) or type(error).__name__), cure)
    if response.status_code != 200:
        said = f"HTTP {response.status_code}: {response.text[:200]}"
        return Line("failed", about, _failed(url, said), cure)
    try:
        info = await anyio.to_thread.run_sync(
            lambda: inspect(response.content, max_size=max_size, max_pixels=1 << 62)
        )
    except AttemptFailed as failure:
        return Line("failed", about, _failed(url, failure.detail), cure)
    text = Text(
        "{url}: {what} in {seconds:.2f} s",
        url=_address(url),
        what=what_it_is(info),
        seconds=time.perf_counter() - started,
    )
    return Line("ok", about, text)


def _failed(url: str, why: str) -> Text:
    return Text("{url}: {why}", url=_address(url), why=why)


def _address(url: str) -> str:
    """The URL without its query, which holds the token."""
    return url.partition("?")[0]
