"""Of two ways to one image, the first good one counts."""

import asyncio
import time

import pytest

from nonebot_plugin_qqimage.errors import ImageNotFound, ImageUnavailable
from nonebot_plugin_qqimage.pipeline.single_flight.racing import first_good


async def way(what: str, seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    if what == "fails":
        raise ImageNotFound("image")
    return what


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (("good", 0.0), ("other", 0.0), "good"),
        (("good", 0.1), ("other", 60.0), "good"),
        (("good", 60.0), ("other", 0.0), "other"),
        (("fails", 0.0), ("other", 0.05), "other"),
        (("fails", 0.1), ("other", 0.2), "other"),
        (("bad", 0.0), ("other", 0.05), "other"),
        (("good", 0.2), ("fails", 0.0), "good"),
        (("bad", 0.2), ("fails", 0.0), None),
        (("fails", 0.2), ("fails", 0.0), None),
        (("fails", 0.0), ("fails", 0.05), None),
    ],
)
async def test_the_first_good_one(
    first: tuple[str, float], second: tuple[str, float], outcome: str | None
) -> None:
    began = time.monotonic()
    race = first_good(
        way(*first), lambda: way(*second), patience=0.02, good=lambda it: it == "good"
    )
    if outcome is None:
        with pytest.raises(ImageUnavailable):
            await race
    else:
        assert await race == outcome
    assert time.monotonic() - began < 10


async def test_the_second_way_is_not_begun_without_need() -> None:
    def other() -> None:
        raise AssertionError("not needed")

    assert await first_good(way("good"), other, patience=10, good=bool) == "good"  # type: ignore[arg-type]
