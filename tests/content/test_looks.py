"""Hashes of what pictures look like: the same bits with numpy and without, and none is missed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonebot_plugin_qqimage.content.looks import blocks, dct, numbers, scan
from nonebot_plugin_qqimage.content.looks.look import BITS, distance

pytest.importorskip("numpy")


def a_hash(rng: random.Random) -> int:
    return sum(1 << place for place in rng.sample(range(BITS), BITS // 2))


def changed(bits: int, by: int, rng: random.Random) -> int:
    """A hash that differs in so many bits, an even number."""
    ones = [place for place in range(BITS) if bits >> place & 1]
    zeros = [place for place in range(BITS) if not bits >> place & 1]
    for place in (*rng.sample(ones, by // 2), *rng.sample(zeros, by // 2)):
        bits ^= 1 << place
    return bits


def test_numpy_is_used_where_it_is() -> None:
    rng = random.Random(1)
    assert isinstance(blocks.block_of(a_hash(rng).to_bytes(blocks.SIZE, "big")), blocks.Words)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.integers(0, 255), st.integers())
def test_a_hash_is_the_same_without_numpy(line: bytes, level: int, seed: int) -> None:
    rng = random.Random(seed)
    noise = bytes(rng.randrange(256) for _ in range(64 * 64))
    for pixels in (line * 64, bytes([level]) * (64 * 64), noise, line * 32 + noise[:2048]):
        with_numpy = dct.hash_of(pixels)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(numbers, "disabled", True)
            assert dct.hash_of(pixels) == with_numpy
        assert with_numpy.bit_count() == BITS // 2


@pytest.mark.parametrize("disabled", [False, True], ids=["numpy", "plain"])
@pytest.mark.parametrize("most", [0, 24, 36, 60])
def test_all_that_are_near_are_found(
    disabled: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "disabled", disabled)
    rng = random.Random(most)
    wanted = [a_hash(rng), a_hash(rng)]
    some = [a_hash(rng) for _ in range(300)]
    hashes = scan.Hashes()
    expected: list[set[int]] = [set(), set()]
    for number in range(scan.LANES + 500):
        bits = some[number % 300]
        if number % 50 == 0:
            bits = changed(wanted[number // 50 % 2], number // 100 % 50 * 2, rng)
        hashes.add([number], bits.to_bytes(blocks.SIZE, "big"))
        for which, each in enumerate(wanted):
            if distance(bits, each) <= most:
                expected[which].add(number)
    assert len(hashes) == scan.LANES + 500
    assert [len(each) > 2 for each in expected] == [True, True]
    found = hashes.near(wanted, most)
    for which in (0, 1):
        assert expected[which] <= set(found[which])
        assert len(set(found[which]) - expected[which]) <= len(expected[which])
