"""What people see: lines, tables and progress; with rich on a terminal, and plain without."""

import contextlib
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from importlib.util import find_spec

from ..doctor.figures import printable

_PAUSE = 1.0
"""Seconds between two lines of progress."""
Advance = Callable[[int], None]
"""Told how much has been done so far."""


class Terminal:
    """Standard output for what was asked, standard error for all else."""

    def __init__(self) -> None:
        self.rich = find_spec("rich") is not None

    def line(self, text: str = "") -> None:
        """Show a line."""
        print(printable(text))

    def facts(self, facts: Mapping[str, object]) -> None:
        """Show values, each with its name."""
        width = max(map(len, facts), default=0)
        for name, value in facts.items():
            self.line(f"{name:<{width}}  {value}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; columns whose name ends with ``>`` are set to the right."""
        cells = [[printable(str(cell)) for cell in row] for row in rows]
        names, right = (
            [name.rstrip(">") for name in columns],
            [name[-1:] == ">" for name in columns],
        )
        if self.rich and sys.stdout.isatty():
            _rich_table(names, right, cells)
            return
        widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
        for row in (names, *cells):
            padded = (
                cell.rjust(width) if to_right else cell.ljust(width)
                for cell, width, to_right in zip(row, widths, right, strict=True)
            )
            print("  ".join(padded).rstrip())

    def note(self, text: str) -> None:
        """Say something that is not what was asked for."""
        print(printable(text), file=sys.stderr, flush=True)

    def ask(self, question: str) -> bool:
        """Ask for a yes. Blocks."""
        print(printable(question) + " [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def progress(self, what: str, total: int) -> Generator[Advance, None, None]:
        """Show how far some work has come, while it lasts.

        Args:
            what: the work.
            total: how much there is to be done.
        """
        if self.rich and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            with Progress(console=Console(stderr=True), transient=True) as bar:
                task = bar.add_task(what, total=total)
                yield lambda done: bar.update(task, completed=done)
            return
        last = time.monotonic()

        def advance(done: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _PAUSE:
                last = time.monotonic()
                self.note(f"{what}: {done} of {total}")

        yield advance


def _rich_table(names: list[str], right: list[bool], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name, to_right in zip(names, right, strict=True):
        table.add_column(name, justify="right" if to_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
