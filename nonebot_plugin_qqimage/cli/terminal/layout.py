"""Text that fits the terminal: lines broken between words, and tables whose columns share a line.

A word that is longer than a line, such as a path, stays in one piece, so that it can be copied.
"""

import re
from collections.abc import Collection, Sequence

from ...doctor.figures import width_of

_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60"
_CLOSING = "，。、；：！？）》」』”％"
# a line may be broken at a space, and beside each Chinese character but not before its comma
_PIECE = re.compile(f" +|[（《「『“]*(?:[{_WIDE}]|[^ {_WIDE}]+)[{_CLOSING}]*")
_GAPS = (2, 1)
"""Columns between two cells; the second where the first leaves too little."""


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines, each broken between words.

    Args:
        text: one line.
        width: columns of a line; only a longer word exceeds it.
    """
    lines, used = [""], 0
    for piece in _PIECE.findall(text):
        length = width_of(piece)
        if used and used + length > width:
            lines[-1] = lines[-1].rstrip()
            if piece.isspace():
                piece, length = "", 0
            lines, used = [*lines, piece], length
        elif used or not piece.isspace() or lines == [""]:
            lines[-1] += piece
            used += length
    return [line for line in lines if line] or [""]


def columns_of(
    rows: Sequence[Sequence[str]], width: int | None, right: Collection[int] = ()
) -> tuple[list[int], int] | None:
    """The widths of a table's columns and of the gaps between them.

    Args:
        rows: all cells, the heads included.
        width: columns of the terminal; None where lines may have any length.
        right: the numbers, from 0, of columns of figures, which are not broken.

    Returns:
        None where not even the longest words fit beside each other.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(width_of, column)) for column in columns]
    least = [
        widths[number] if number in right else max(map(_longest_word, column))
        for number, column in enumerate(columns)
    ]
    for gap in _GAPS:
        room = None if width is None else width - gap * (len(widths) - 1)
        if room is None or sum(widths) <= room:
            return widths, gap
        if sum(least) <= room:
            return _shrunk(widths, least, room), gap
    return None


def row_of(
    cells: Sequence[str], widths: Sequence[int], gap: int, right: Collection[int] = ()
) -> list[str]:
    """The lines of one row of a table.

    Args:
        cells: of the row.
        widths: of the columns.
        gap: columns between two cells.
        right: the numbers of the columns that are set to the right.
    """
    broken = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines: list[str] = []
    for number in range(max(map(len, broken), default=0)):
        padded = (
            padded_to(part[number] if number < len(part) else "", width, to_right=column in right)
            for column, (part, width) in enumerate(zip(broken, widths, strict=True))
        )
        lines.append((" " * gap).join(padded).rstrip())
    return lines


def padded_to(text: str, width: int, *, to_right: bool = False) -> str:
    """The text with spaces before or behind it, as many columns wide as said."""
    space = " " * (width - width_of(text))
    return space + text if to_right else text + space


def _shrunk(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    shrunk = list(widths)
    while sum(shrunk) > room:
        widest = max(
            (number for number, width in enumerate(shrunk) if width > least[number]),
            key=lambda number: shrunk[number],
        )
        shrunk[widest] -= 1
    return shrunk


def _longest_word(text: str) -> int:
    return max(map(width_of, _PIECE.findall(text)), default=0)
