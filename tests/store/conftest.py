import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# in the functions, for NoneBot must load the plugin before anyone imports it
if TYPE_CHECKING:
    from nonebot_plugin_qqimage.store.image_store import ImageStore

    from .pictures import Clock, OpenStore, Picture, Running


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    from .pictures import Clock

    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
def running(clock: "Clock", monkeypatch: pytest.MonkeyPatch) -> "Running":
    from .pictures import Running

    return Running(clock, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "qqimage"


@pytest.fixture
async def open_store(folder: Path) -> AsyncGenerator["OpenStore", None]:
    """Opens stores on one folder, as several bot processes would."""
    from nonebot_plugin_qqimage.store.image_store import ImageStore

    stores: list[ImageStore] = []

    def open_(max_size: int = 1 << 30, max_age: float = 1e9) -> ImageStore:
        stores.append(ImageStore(folder, max_size=max_size, max_age=max_age))
        return stores[-1]

    yield open_
    for store in stores:
        await store.close()


@pytest.fixture
def store(open_store: "OpenStore") -> "ImageStore":
    return open_store()


@pytest.fixture
def picture() -> "Picture":
    from .pictures import Picture

    return Picture(1)
