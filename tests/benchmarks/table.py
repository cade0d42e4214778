"""What was measured: one `Result` a line, as a table for the README, or as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .measure import Comparison

_HEAD = ("#", "what", "ours", "reference", "ratio", "target", "met")


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    row: int
    """Its number in the list of targets; several lines may share one."""
    what: str
    ours: float | None
    """None where it could not be measured."""
    unit: str
    target: str
    met: bool | None
    """None where there is nothing to judge."""
    reference: float | None = None
    against: str = ""
    """What the reference is."""
    ratio: float | None = None
    note: str = ""


def at_most(
    row: int, what: str, unit: str, against: str, compared: Comparison, limit: float, note: str = ""
) -> Result:
    """A line about a cost: ours may be this many times the reference."""
    return _relative(row, what, unit, against, compared, f"≤ {limit:.2f} ×", note, limit=limit)


def at_least(
    row: int, what: str, unit: str, against: str, compared: Comparison, limit: float, note: str = ""
) -> Result:
    """A line about a gain: ours must be this many times the reference."""
    return _relative(row, what, unit, against, compared, f"≥ {limit:g} ×", note, least=limit)


def times_less(
    row: int, what: str, unit: str, against: str, compared: Comparison, limit: float, note: str = ""
) -> Result:
    """A line about a cost that must be this many times smaller than the reference."""
    turned = Comparison(compared.ours, compared.reference, 1 / compared.ratio)
    return _relative(row, what, unit, against, turned, f"≥ {limit:g} × less", note, least=limit)


def within(
    row: int,
    what: str,
    unit: str,
    ours: float,
    limit: float,
    *,
    reference: float | None = None,
    against: str = "",
    note: str = "",
) -> Result:
    """A line about a figure that has a limit of its own, in its unit."""
    ratio = None if not reference else ours / reference
    target = f"≤ {limit:g} {unit}".strip()
    return Result(row, what, ours, unit, target, ours <= limit, reference, against, ratio, note)


def unmeasured(row: int, what: str, target: str, why: str) -> Result:
    """A line that could not be measured here."""
    return Result(row, what, None, "", target, None, note=why)


def markdown(results: Iterable[Result], heading: str) -> str:
    """The table, with a line above that says when and where."""
    lines = [heading, "", _line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line(_cells(result)) for result in results]
    return "\n".join(lines)


def save(path: Path, results: Sequence[Result], facts: dict[str, str]) -> None:
    """Write everything to a JSON file."""
    content = {**facts, "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _relative(
    row: int,
    what: str,
    unit: str,
    against: str,
    compared: Comparison,
    target: str,
    note: str,
    *,
    limit: float = float("inf"),
    least: float = 0.0,
) -> Result:
    met = least <= compared.ratio <= limit
    return Result(
        row,
        what,
        compared.ours,
        unit,
        target,
        met,
        compared.reference,
        against,
        compared.ratio,
        note,
    )


def _cells(result: Result) -> list[str]:
    reference = _figure(result.reference, result.unit)
    return [
        str(result.row),
        f"{result.what} ({result.note})" if result.note else result.what,
        _figure(result.ours, result.unit),
        f"{reference} {result.against}".strip(),
        "" if result.ratio is None else f"{_digits(result.ratio)} ×",
        result.target,
        {True: "yes", False: "**no**", None: "–"}[result.met],
    ]


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{_digits(value)} {unit}".strip()


def _digits(value: float) -> str:
    """Three digits that count, and no more zeros than needed."""
    if value == 0 or abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
