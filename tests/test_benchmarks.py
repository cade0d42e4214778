"""The benchmarks' table; what they measure is no matter of tests."""

import json
from importlib.util import find_spec
from pathlib import Path

from .benchmarks.__main__ import MODULES
from .benchmarks.measure import Comparison, Cost, compare, seconds, side_by_side
from .benchmarks.table import at_least, at_most, markdown, save, times_less, unmeasured, within

ROWS = range(1, 24)


def test_every_row_has_one_module_that_exists():
    assert sorted(row for rows in MODULES.values() for row in rows) == list(ROWS)
    assert all(find_spec(f"tests.benchmarks.{name}") for name in MODULES)


async def test_sides_take_turns():
    turns: list[str] = []

    async def turn(name: str) -> Cost:
        turns.append(name)
        return Cost(seconds=float(len(turns)))

    costs = await side_by_side({"a": lambda: turn("a"), "b": lambda: turn("b")}, 2)

    assert "".join(turns) == "ab" + "ba" + "ab"  # the first round warms up
    assert seconds(costs["a"]) == [4.0, 5.0]
    assert seconds(costs["b"]) == [3.0, 6.0]


def test_a_ratio_is_the_median_of_those_of_the_rounds():
    # in the last round the machine was slow, for both
    assert compare([2.0, 2.0, 30.0], [1.0, 2.0, 10.0]).ratio == 2.0


def test_the_table_says_what_is_met():
    lines = markdown(
        [
            at_most(1, "cost", "µs", "bare", Comparison(12, 10, 1.2), 1.2),
            at_most(2, "cost", "µs", "bare", Comparison(13, 10, 1.3), 1.2),
            times_less(3, "time", "ms", "naive", Comparison(1, 20, 0.05), 15),
            at_least(4, "rate", "/s", "nginx", Comparison(30, 100, 0.3), 0.35),
            within(5, "block", "ms", 4.25, 5, note="noisy"),
            unmeasured(6, "memory", "flat", "not told here"),
        ],
        "Measured.",
    ).splitlines()

    assert lines[0] == "Measured."
    assert lines[4:] == [
        "| 1 | cost | 12 µs | 10 µs bare | 1.20 × | ≤ 1.20 × | yes |",
        "| 2 | cost | 13 µs | 10 µs bare | 1.30 × | ≤ 1.20 × | **no** |",
        "| 3 | time | 1 ms | 20 ms naive | 20 × | ≥ 15 × less | yes |",
        "| 4 | rate | 30 /s | 100 /s nginx | 0.30 × | ≥ 0.35 × | **no** |",
        "| 5 | block (noisy) | 4.25 ms |  |  | ≤ 5 ms | yes |",
        "| 6 | memory (not told here) |  |  |  | flat | – |",
    ]


def test_json_keeps_every_figure(tmp_path: Path):
    save(tmp_path / "x.json", [within(9, "lookup", "µs", 4.0, 10)], {"cores": "2"})

    kept = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert kept["cores"] == "2"
    assert kept["results"][0] | {"row": 9, "ours": 4.0, "met": True} == kept["results"][0]
