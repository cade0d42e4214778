"""Images to store, and a clock to age them by."""

import hashlib
import time
from collections.abc import Callable

import pytest

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .. import samples

OpenStore = Callable[..., ImageStore]


class Picture:
    """One image, and a reference that its content confirms."""

    def __init__(self, number: int, filler: int = 0) -> None:
        self.data = samples.png(shade=number % 256, height=1 + number // 256, filler=filler)
        self.info: ImageInfo = inspect(self.data, max_size=1 << 30, max_pixels=1 << 30)
        self.reference = ImageReference(
            self_id="1", message_id=str(number), file=f"{self.info.md5.upper()}.png"
        )


class Clock:
    """The time of day, as the tests set it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Running:
    """Time that passes for everything."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock, self._passed, real = clock, 0.0, time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self._passed)

    def on(self, seconds: float) -> None:
        self._clock.now += seconds
        self._passed += seconds


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
