"""What people see: lines, tables and progress; with rich on a terminal, and plain without."""

import contextlib
import sys
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from importlib.util import find_spec

from ..doctor.figures import width_of
from ..language import say
from ..masking import one_line

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
        print(one_line(text))

    def facts(self, facts: Mapping[str, object]) -> None:
        """Show values, each with its name."""
        width = max(map(width_of, facts), default=0)
        for name, value in facts.items():
            self.line(f"{_pad(name, width)}  {value}")

    def table(
        self,
        names: Sequence[str],
        rows: Sequence[Sequence[object]],
        right: Collection[int] = (),
    ) -> None:
        """Show a table.

        Args:
            names: of its columns.
            rows: of as many cells each.
            right: the numbers, from 0, of the columns that are set to the right.
        """
        cells = [[one_line(str(cell)) for cell in row] for row in rows]
        if self.rich and sys.stdout.isatty():
            _rich_table(names, cells, right)
            return
        widths = [max(map(width_of, column)) for column in zip(names, *cells, strict=True)]
        for row in (names, *cells):
            padded = (
                _pad(cell, width, to_right=number in right)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            print("  ".join(padded).rstrip())

    def note(self, text: str) -> None:
        """Say something that is not what was asked for."""
        print(one_line(text), file=sys.stderr, flush=True)

    def ask(self, question: str) -> bool:
        """Ask for a yes. Blocks."""
        print(one_line(question) + " [y/N] ", end="", file=sys.stderr, flush=True)
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
                self.note(say("{what}: {done} of {total}", what=what, done=done, total=total))

        yield advance


def _pad(text: str, width: int, *, to_right: bool = False) -> str:
    space = " " * (width - width_of(text))
    return space + text if to_right else text + space


def _rich_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
