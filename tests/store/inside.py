"""Ways into a store that nothing but tests of it may take."""

from collections.abc import Callable
from typing import TypeVar

from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection

_T = TypeVar("_T")


async def look(store: ImageStore, work: Callable[[Connection], _T]) -> _T:
    """Read the index, with everything in it that was noted so far."""
    await store._journal.flush()  # pyright: ignore[reportPrivateUsage]
    return await store._access.read(work)  # pyright: ignore[reportPrivateUsage]


async def change(store: ImageStore, work: Callable[[Connection], _T]) -> _T:
    """Change the index in one transaction."""
    return await store._access.write(work)  # pyright: ignore[reportPrivateUsage]
