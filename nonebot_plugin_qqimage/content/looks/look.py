"""`Look`: a hash of what a picture, or a part of it, looks like; and what distances mean.

The figures were measured with 1,000 photos, 238 stickers and 120 screenshots, changed in 23 ways;
``python -m tests.looks`` measures again.
"""

from typing import Literal, NamedTuple

VERSION = 1
"""Changes whenever the same picture would get another hash; then all are made anew."""
BITS = 256
"""Bits of a hash. Half of them are set, in every hash."""
NEAR = 60
"""Bits that the hashes of two pictures differ in at most, if one is found by the other. Different
photos begin at 74 and stickers at 80, but some different screenshots at 38."""
SAME = 36
"""Bits that a picture and itself re-encoded or resized differ in at most."""
EDITED = 24
"""Bits below which two pictures are never different ones; but the words on them may be."""

Part = Literal["whole", "middle", "content"]
"""What of a picture was hashed: all of it; all but a twentieth on each side, which finds pictures
that were cut; its largest part that is not of one colour line by line, which finds pictures in a
frame, beside a caption or on a phone's screen."""


class Look(NamedTuple):
    """A hash of a picture, or of a part of it."""

    part: Part
    """What was hashed."""
    bits: int
    """The hash."""


def distance(one: int, other: int) -> int:
    """In how many bits two hashes differ."""
    return (one ^ other).bit_count()


def comparable(one: Part, other: Part) -> bool:
    """Whether two parts tell something together: two middles say less than the two pictures."""
    return not one == other == "middle"
