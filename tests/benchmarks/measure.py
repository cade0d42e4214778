"""Measuring side by side: every round runs each side once, in alternating order.

Machines drift by a factor of two within minutes, so only what ran next to each other is compared:
a ratio is the median of the rounds' ratios, not the ratio of two medians.
"""

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Cost:
    """What something took."""

    seconds: float = 0.0
    """By the wall clock."""
    cpu: float = 0.0
    """Seconds of processor time of this process, all its threads counted."""


Side = Callable[[], Awaitable[Cost]]
"""Runs once and tells what it took; what it prepares or cleans up need not count."""


@dataclass(frozen=True)
class Comparison:
    """Ours against a reference."""

    ours: float
    """Median."""
    reference: float
    """Median."""
    ratio: float
    """Ours by the reference: the median over the rounds."""

    def __mul__(self, unit: float) -> "Comparison":
        return Comparison(self.ours * unit, self.reference * unit, self.ratio)


@contextmanager
def stopwatch() -> Iterator[Cost]:
    """Measure what happens within; the `Cost` is filled in at the end."""
    cost = Cost()
    cpu, seconds = time.process_time(), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - seconds
    cost.cpu = time.process_time() - cpu


async def side_by_side(
    sides: Mapping[str, Side], rounds: int, *, warm_up: int = 1, collect: bool = True
) -> dict[str, list[Cost]]:
    """Run the sides in turn, and give what each took in each round.

    Args:
        sides: by name.
        rounds: how often; at least five make a median.
        warm_up: rounds before these, which are not counted.
        collect: garbage before each side, for nobody pays for another's; of no use, and slow,
            where other processes do the work.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for number in range(-warm_up, rounds):
        for name in list(sides)[:: 1 if number % 2 else -1]:
            if collect:
                gc.collect()
            cost = await sides[name]()
            if number >= 0:
                costs[name].append(cost)
    return costs


def compare(ours: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Compare round by round."""
    ratios = [one / other for one, other in zip(ours, reference, strict=True)]
    return Comparison(
        statistics.median(ours), statistics.median(reference), statistics.median(ratios)
    )


def seconds(costs: Sequence[Cost]) -> list[float]:
    """The wall time of each round."""
    return [cost.seconds for cost in costs]


def cpu(costs: Sequence[Cost]) -> list[float]:
    """The processor time of each round."""
    return [cost.cpu for cost in costs]
