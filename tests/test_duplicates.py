"""Groups of pictures that are the same: nothing that is the same as anything is left out."""

import asyncio
from collections.abc import AsyncIterator, Collection

from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.duplicates import Member, group_of
from nonebot_plugin_qqimage.store.local.facts import Stored

_PAIRS = st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1]))


def member(number: int) -> Member:
    info = ImageInfo(f"{number:064x}", "", "image/png", 1, 1, 1, 1)
    return Member(Stored(info, "", 0.0, 0.0))


@given(_PAIRS)
def test_each_picture_is_in_the_one_group_of_all_that_it_is_joined_to(
    pairs: set[tuple[int, int]],
) -> None:
    async def same(sha256: str, known: Collection[str]) -> AsyncIterator[Member]:
        number = int(sha256, 16)
        for other in range(12):
            joined = (min(number, other), max(number, other)) in pairs
            if joined and member(other).sha256 not in known:
                yield member(other)

    async def groups() -> list[list[int]]:
        found = [await group_of(member(number), same) for number in range(12)]
        return [[int(each.sha256, 16) for each in group] for group in found]

    expected = [{number} for number in range(12)]
    for one, other in pairs:
        if expected[one] is not expected[other]:
            expected[one] |= expected[other]
            for number in expected[other]:
                expected[number] = expected[one]
    found = asyncio.run(groups())
    for number, group in enumerate(found):
        first = len(expected[number]) > 1 and number == min(expected[number])
        assert set(group) == (expected[number] if first else set())
        assert len(set(group)) == len(group)
        assert group[:1] == [number] * first
