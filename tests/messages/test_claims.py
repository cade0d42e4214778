"""Which bytes are taken for the image that a segment means."""

from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.messages.claims import doubt
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..store.pictures import Picture

WANTED, OTHER = Picture(1), Picture(2, filler=9)
LINK = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=__unreadable_and_long&rkey=k"
FORGED = ImageReference(file=f"{OTHER.info.md5}.png", url=LINK)
"""A picture whose sender has named it by another one's MD5."""


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(ImageReference(file=f"{WANTED.info.md5}.png", url=LINK), id="another MD5"),
        pytest.param(ImageReference(file="image.png", url=LINK), id="a name that says nothing"),
        pytest.param(replace(FORGED, size=WANTED.info.size), id="its MD5, but another size"),
    ],
)
def test_what_a_name_brings_is_second_best_to_the_link(reference: ImageReference) -> None:
    reason, acceptable = doubt(OTHER.info, reference, binding=False, by_link=False, by_name=True)
    assert reason
    assert acceptable
    # where there is no link, nothing better can come
    alone = replace(reference, url="")
    assert (
        doubt(OTHER.info, alone, binding=False, by_link=False, by_name=True) == ("", True)
        or alone.size
    )


@pytest.mark.parametrize("size", [None, WANTED.info.size])
def test_what_the_link_brings_is_taken_whatever_its_name_says(size: int | None) -> None:
    reference = replace(FORGED, size=size)
    assert doubt(WANTED.info, reference, binding=False, by_link=True, by_name=False) == ("", True)
