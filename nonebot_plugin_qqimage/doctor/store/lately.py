"""What became of images in the last hour."""

from collections.abc import Mapping
from typing import TypedDict

from ...attempts import words_of
from ...language import Text
from ...store.image_store import ImageStore
from ..figures import counted, images_of
from ..line import Line

_ABOUT = Text("last hour")


class Lately(TypedDict):
    """What became of images in the last hour."""

    came: int
    """Images that were fetched."""
    failed: dict[str, int]
    """Images that could not be, by the value of their `Cause`."""


def counted_lately(store: ImageStore) -> Lately:
    """What this process has counted in the last hour."""
    came = store.catalog.last_hour("resolved")
    fetched = sum(count for source, count in came.items() if source != "store")
    return {"came": fetched, "failed": store.catalog.last_hour("failed")}


def about_last_hour(came: int, failed: Mapping[str, int]) -> Line:
    """How many images came and failed in the last hour, and why.

    Args:
        came: images that came, from wherever.
        failed: images that failed, by the value of their `Cause`.
    """
    count = sum(failed.values())
    if not count:
        return Line("ok", _ABOUT, Text("{images} came, none failed", images=images_of(came)))
    causes = counted(sorted(failed.items(), key=lambda item: -item[1]), words_of)
    text = Text("{failed} images failed: {causes}", failed=count, causes=causes)
    text = Text("{text}; {came} came", text=text, came=came)
    cure = Text("the log has a line for each, with what was tried and a hint: look for qqimage:")
    return Line("warning" if came else "failed", _ABOUT, text, cure)
