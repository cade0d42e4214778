"""Recall and false positives of `similar`, on pictures that are made here.

Run it with ``uv run python -m tests.looks``; ``--fewer 10`` takes every tenth picture only. Beside
each figure stands that of a measurement on real photos, stickers and screenshots, where there is
one; see `content.looks`. Real pictures that other packages ship are the fourth kind, where these
are installed: ``uv run --with scikit-image --with scikit-learn python -m tests.looks``. At last it
says what looking at a store's pictures in the background costs. It ends with 1 where different
pictures are called the same.
"""

import argparse
import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.looks.comparing import difference
from nonebot_plugin_qqimage.content.looks.decoding import LARGE, SMALL, Size, small
from nonebot_plugin_qqimage.content.looks.look import NEAR, Look, comparable, distance
from nonebot_plugin_qqimage.content.looks.parts import looks_of
from nonebot_plugin_qqimage.content.looks.small_words import words_between
from nonebot_plugin_qqimage.similar import likeness
from nonebot_plugin_qqimage.store.looks import Match

from .background import cost
from .changing import HELD, KEPT, SMALL_WORDS, WORDED, encoded, worded
from .making import Picture, photo, screenshot, sticker
from .real import paths, real

MAKERS: dict[str, tuple[Callable[[int], Picture], int]] = {
    "photos": (photo, 200),
    "stickers": (sticker, 100),
    "screenshots": (screenshot, 60),
    **({"real pictures": (real, len(paths()))} if paths() else {}),
}
REAL = {
    **dict.fromkeys(KEPT, "100/98/100"),
    "longest side 200": "100/99/100",
    "brighter by 15 %": "100/96/100",
    "cut 2 % all round": "100/99/94",
    "cut 4 % all round": "100",
    "cut 7 % all round": "92/95/63",
    "cut 5 % at the bottom": "49/65/47",
    "cut 10 % right": "4/34/0",
    "watermark in a corner": "100/99/75",
    "border 2 % white": "100/99/94",
    "border 5 % black": "100/97/100",
    "border 8 % grey": "100/93/17",
    "phone screenshot of it": "98/87/25",
    "white caption bar under it": "100/90/25",
}
"""What was found of real pictures in per cent."""


class Seen(NamedTuple):
    """A picture that was looked at."""

    looks: tuple[Look, ...]
    pixels: dict[Size, tuple[tuple[int, int], bytes]]
    palette: bytes

    def picture(self, size: Size) -> Picture:
        """The picture, as it was looked at."""
        from PIL import Image

        made = Image.frombytes(size.mode, *self.pixels[size])
        made.info = {"palette": self.palette}
        return made


def look(data: bytes, sizes: tuple[Size, ...] = (SMALL, LARGE)) -> Seen:
    """Look at a picture as the store does, and as who compares it with another one does."""
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30, max_frames=1000)
    pictures = {size: small(data, info, 1 << 30, size) for size in sizes}
    found = {size: (each.size, each.tobytes()) for size, each in pictures.items()}
    palette = pictures[LARGE].info["palette"] if LARGE in pictures else b""
    return Seen(looks_of(pictures[SMALL]), found, palette)


def kind_of(one: Seen, other: Seen) -> str:
    """How `similar` calls two pictures; empty where one is not found by the other."""
    pairs = (
        Match("", distance(mine.bits, theirs.bits), mine.part, theirs.part)
        for mine in one.looks
        for theirs in other.looks
        if comparable(mine.part, theirs.part)
    )
    near = [match for match in pairs if match.distance <= NEAR]
    if not near:
        return ""
    whole = [match for match in near if match.part == match.other_part == "whole"]
    best = min(whole or near, key=lambda match: match.distance)
    pixels = difference(one.picture(SMALL), best.part, other.picture(SMALL), best.other_part)
    kind = likeness(best, pixels, still=True)
    if kind != "same":
        return kind
    return "alike" if words_between(one.picture(LARGE), other.picture(LARGE)) > 1 else "same"


def examine(job: tuple[str, int, bool]) -> tuple[str, int, Seen, dict[str, str]]:
    """Make a picture, change it in every way, and say how each pair is called."""
    kind, number, changing = job
    picture = MAKERS[kind][0](number)
    seen = look(encoded(picture))
    called: dict[str, str] = {}
    for name, change in {**KEPT, **HELD, **WORDED, **SMALL_WORDS}.items() if changing else ():
        first = seen
        if name.startswith("other"):  # than those that stand there already
            first = look(encoded(worded(picture, 1)))
        called[name] = kind_of(first, look(change(picture))) if first.looks else "flat"
    return kind, number, seen, called


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fewer", type=int, default=1, help="take every n-th picture only")
    fewer = parser.parse_args().fewer
    jobs = [
        (kind, number, number % fewer == 0)
        for kind, (_, count) in MAKERS.items()
        for number in range(count)
    ]
    called: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    seen: defaultdict[str, list[Seen]] = defaultdict(list)
    with ProcessPoolExecutor(2) as pool:
        for done, (kind, _, one, names) in enumerate(pool.map(examine, jobs, chunksize=4)):
            seen[kind].append(one)
            for name, what in names.items():
                called[name][kind].append(what)
            if sys.stderr.isatty():
                print(f"\r{done + 1}/{len(jobs)}", end="", file=sys.stderr)
    counts = "/".join(str(len(seen[kind])) for kind in MAKERS)
    print(f"\nOf {counts} {'/'.join(MAKERS)}, in per cent:\n")
    print(f"| {'change':30} | found | found of real ones | called the same |")
    print("|---|---|---|---|")
    for name, kinds in called.items():
        found = _shares(kinds, lambda what: what not in ("", "flat"))
        same = _shares(kinds, lambda what: what == "same")
        print(f"| {name:30} | {found} | {REAL.get(name, '–')} | {same} |")
    flat = {kind: sum(not each.looks for each in some) for kind, some in seen.items()}
    print(f"\nwithout hashes, because they are flat: {flat}")
    wrong = _different(seen)
    print(f"\n{cost()}")
    return wrong


def _shares(kinds: dict[str, list[str]], fits: Callable[[str], bool]) -> str:
    shares: list[str] = []
    for kind in MAKERS:
        sharp = [what for what in kinds[kind] if what != "flat"]
        shares.append(f"{100 * sum(map(fits, sharp)) / max(1, len(sharp)):.0f}")
    return "/".join(shares)


def _different(seen: dict[str, list[Seen]]) -> int:
    """Compare all different pictures; 1 where some are called the same."""
    wrong = 0
    print("\n| different pictures | pairs | closest as a whole | closest at all | found | called |")
    print("|---|---|---|---|---|---|")
    for one, other in itertools.combinations_with_replacement(MAKERS, 2):
        pairs: Iterable[tuple[Seen, Seen]] = (
            itertools.combinations(seen[one], 2)
            if one == other
            else itertools.product(seen[one], seen[other])
        )
        closest, closest_whole, called, count = 256, 256, defaultdict[str, int](int), 0
        for a, b in pairs:
            count += 1
            for mine, theirs in itertools.product(a.looks, b.looks):
                if comparable(mine.part, theirs.part):
                    bits = distance(mine.bits, theirs.bits)
                    closest = min(closest, bits)
                    if mine.part == theirs.part == "whole":
                        closest_whole = min(closest_whole, bits)
            if what := kind_of(a, b):
                called[what] += 1
        wrong += called["same"]
        found = sum(called.values())
        told = ", ".join(f"{what} {times}" for what, times in called.items() if times)
        print(f"| {one} and {other} | {count} | {closest_whole} | {closest} | {found} | {told} |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
