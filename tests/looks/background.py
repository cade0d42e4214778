"""What looking at a store's pictures costs a running bot, in the background as in a bot."""

import asyncio
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nonebot_plugin_qqimage.bot.background.looking import looking
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .changing import encoded, on_white
from .making import photo, screenshot, sticker

_LONG = 25.0
"""Seconds for which the processor time is measured."""
_WATCHED = 10.0
"""Seconds for which the loop is watched; that costs processor time itself."""
_TICK = 0.002
"""Seconds that the loop sleeps at a time, to see how late it wakes."""
_DEFAULT = 35_000
"""Pictures that a default store has room for."""
_MOST = 0.1
"""Of a processor core, that it may cost."""


def cost() -> str:
    """What it costs, in a line."""
    with tempfile.TemporaryDirectory() as folder:
        share, late, idle, each, size = asyncio.run(_cost(Path(folder)))
    return (
        f"looking at a store's pictures ({size / 1000:.0f} KB each) in the background: "
        f"{share * 100:.1f} % of a core (at most {_MOST * 100:.0f} % is promised: "
        f"{'held' if share <= _MOST else 'NOT HELD'}), {each * _DEFAULT / 3600:.1f} hours for "
        f"{_DEFAULT:,}; the loop is late by {late:.1f} ms (99 %), else by {idle:.1f} ms"
    )


async def _cost(folder: Path) -> tuple[float, float, float, float, float]:
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    total = count = 0
    for data in _pictures():
        info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
        await store.put(ImageReference(sha256=info.sha256), info, data, "test")
        total, count = total + len(data), count + 1
    idle = await _late(_WATCHED / 3)
    task = looking(ScopedConfig(), store, delay=0.0)
    assert task is not None
    task.start(print)
    await asyncio.sleep(2)  # libraries are imported with the first picture
    before, cpu, begun = await _done(store), time.process_time(), time.monotonic()
    await asyncio.sleep(_LONG)
    cpu, took = time.process_time() - cpu, time.monotonic() - begun
    done = await _done(store) - before
    late = await _late(_WATCHED)
    assert await _done(store) < count, "there were too few pictures"
    await task.stop()
    await store.close()
    return cpu / took, late, idle, took / max(1, done), total / count


async def _done(store: ImageStore) -> int:
    found = await store.looks.progress()
    return found.hashed + found.without


async def _late(seconds: float) -> float:
    """Milliseconds by which the loop is late at most, in 99 % of the cases."""
    late: list[float] = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        await asyncio.sleep(_TICK)
        late.append(time.perf_counter() - now - _TICK)
    return sorted(late)[int(len(late) * 0.99)] * 1000


def _pictures() -> Iterator[bytes]:
    """Pictures as chats have them: photos by phones, stickers and screenshots."""
    for number in range(12):
        picture = on_white(photo(number))
        large = picture.resize((picture.width * 2, picture.height * 2))
        for quality in range(80, 92):
            yield encoded(large, "JPEG", quality=quality)
    for number in range(10):
        for side in (240, 300, 360, 420, 480):
            yield encoded(sticker(number).resize((side, side)))
    for number in range(12):
        picture = screenshot(number)
        for width in (1080, 1170, 1242):
            made = io.BytesIO()
            picture.resize((width, width * picture.height // picture.width)).save(made, "PNG")
            yield made.getvalue()


if __name__ == "__main__":
    print(cost())
