"""The operator's page: pages of a store with a million pictures, and the loop under thumbnails."""

import asyncio
import contextlib
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.doctor.line import Line
from nonebot_plugin_qqimage.gallery.entry.addresses import Addresses
from nonebot_plugin_qqimage.gallery.gallery import Gallery
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..gallery.asking import HOST, Browser, text
from ..gallery.filling import fill
from .growth import fill_rows
from .loop_stalls import watched
from .table import Result, within

_MANY = 1_000_000
_ROUNDS = 15
_PAGE = 60
_NEXT = re.compile(r'hx-get="\?([^"]+)"')
_VARIED = """
UPDATE images SET added = used - abs(random() % 2592000),
    mime = CASE abs(random() % 100) WHEN 0 THEN 'image/webp' WHEN 1 THEN 'image/gif' ELSE mime END,
    source = CASE abs(random() % 3) WHEN 0 THEN 'get_image' ELSE 'url of the segment' END;
UPDATE sightings SET time = time - abs(random() % 2592000),
    chat = CASE WHEN id % 4 = 0 THEN 'group:20001' ELSE chat END;
"""
_QUERIES = {
    "the newest": "view=newest",
    "of a chat with 250,000": "view=newest&chat=group:20001",
    "of a user": "view=newest&user=30005",
    "of a type that is rare": "view=newest&type=webp",
    "of a rare type in that chat": "view=newest&chat=group:20001&type=webp",
    "of a chat with none": "view=newest&chat=group:1",
}


async def measure() -> list[Result]:
    """Row 21."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        results = await _pages(Path(name) / "many")
        return [*results, await _stalls(Path(name) / "few")]


async def _pages(folder: Path) -> list[Result]:
    await fill_rows(folder, _MANY)
    await asyncio.to_thread(_vary, folder)
    async with _opened(folder) as (browser, store):
        started = time.perf_counter()
        await store.browsing.prepare()
        prepared = time.perf_counter() - started
        results = list[Result]()
        for name, query in _QUERIES.items():
            times = [await _timed(browser, query) for _ in range(_ROUNDS)]
            results.append(_within(f"page of a million pictures: {name}", times))
        # one page after the other, each once
        for name in ("the newest", "of a chat with 250,000"):
            query, times = _QUERIES[name], list[float]()
            for _ in range(100):
                page = text(await browser.get(query))
                query = _next(page)
                times.append(await _timed(browser, query))
            results.append(_within(f"the next hundred pages: {name}", times))
        note = f"made in {prepared:.1f} s behind the start"
        results[0] = replace(results[0], note=f"{results[0].note}; indexes {note}")
        return results


def _within(what: str, times: list[float]) -> Result:
    note = f"at worst {max(times):.1f} ms"
    return within(21, what, "ms", statistics.median(times), 50, note=note)


async def _stalls(folder: Path) -> Result:
    """The longest block of the loop, each time with pictures that nobody has looked at."""
    await asyncio.to_thread(fill, folder, 10 * _PAGE)
    busy, idle = list[float](), list[float]()
    async with _opened(folder) as (browser, store):
        following = "view=newest"
        for turn in range(9):
            # a large one, as phones and screenshots make them; the first page also imports Pillow
            large = await _put(store, png(2400, 1600, seed=turn))
            page = text(await browser.get(following))
            digests = [large, *re.findall(r"thumb=([0-9a-f]{64})", page)]
            started = time.perf_counter()
            cost = await watched(_look_at(browser, digests))
            took = time.perf_counter() - started
            still = await watched(asyncio.sleep(took))
            if turn:
                busy.append(cost.seconds * 1000)
                idle.append(still.seconds * 1000)
            following = _next(page)
    return within(
        21,
        f"longest block of the loop while {_PAGE} thumbnails are made",
        "ms",
        statistics.median(busy),
        5,
        reference=statistics.median(idle),
        against="an idle loop",
        note=f"at worst {max(busy):.1f} ms, idle {max(idle):.1f} ms",
    )


async def _look_at(browser: Browser, digests: list[str]) -> None:
    connections = asyncio.Semaphore(6)  # as many as a browser opens

    async def one(sha256: str) -> None:
        async with connections:
            assert (await browser.get(f"thumb={sha256}")).status_code == 200

    await asyncio.gather(*map(one, digests))


def _next(page: str) -> str:
    following = _NEXT.search(page)
    assert following is not None
    return following[1].replace("&amp;", "&")


async def _put(store: ImageStore, data: bytes) -> str:
    info = inspect(data, max_size=1 << 40, max_pixels=1 << 40, max_frames=1)
    await store.put(ImageReference(self_id="1", message_id=info.sha256), info, data, "benchmark")
    return info.sha256


async def _timed(browser: Browser, query: str) -> float:
    """Milliseconds that a page takes on the server."""
    started = time.perf_counter()
    assert (await browser.get(query)).status_code == 200
    return (time.perf_counter() - started) * 1000


@contextlib.asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[tuple[Browser, ImageStore]]:
    async def examine() -> list[Line]:
        return []

    store = ImageStore(folder, max_size=1 << 60, max_age=1e9)
    gallery = Gallery(store, ScopedConfig(), examine)
    gallery.addresses = Addresses("", [f"http://{HOST}"])
    browser = Browser(gallery)
    await browser.log_in()
    yield browser, store
    await gallery.close()
    await store.close()


def _vary(folder: Path) -> None:
    """Let the pictures be of several types and chats, and of a month."""
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_VARIED)
        database.commit()
