"""What people see: lines, tables and progress; with rich on a terminal, and plain without."""

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from importlib.util import find_spec
from typing import TextIO

from ...doctor.figures import width_of
from ...language import say
from ...masking import one_line
from .layout import columns_of, padded_to, row_of, wrapped

_PAUSE = 1.0
"""Seconds between two lines of progress."""
Advance = Callable[[int], None]
"""Told how much has been done so far."""


class Terminal:
    """Standard output for what was asked, standard error for all else."""

    def __init__(self) -> None:
        self.rich = find_spec("rich") is not None

    def line(self, text: str = "", *, hang: int = 0) -> None:
        """Show a line, broken between words where the terminal is narrower.

        Args:
            text: the line.
            hang: columns by which the lines after the first are moved to the right.
        """
        _show(text, sys.stdout, hang)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Show values, each with its name."""
        width = max(map(width_of, facts), default=0)
        for name, value in facts.items():
            self.line(f"{padded_to(name, width)}  {value}", hang=width + 2)

    def table(
        self,
        names: Sequence[str],
        rows: Sequence[Sequence[object]],
        right: Collection[int] = (),
    ) -> None:
        """Show a table; row by row, where the terminal is too narrow for its columns.

        Args:
            names: of its columns.
            rows: of as many cells each.
            right: the numbers, from 0, of the columns that are set to the right.
        """
        cells = [[one_line(str(cell)) for cell in row] for row in rows]
        layout = columns_of([names, *cells], _width(sys.stdout), right)
        if layout is None:
            for row in cells:
                self.facts(dict(zip(names, row, strict=True)))
                print()
            return
        for line in row_of(names, *layout, right):
            self._head(line)
        for row in cells:
            print("\n".join(row_of(row, *layout, right)))

    def note(self, text: str) -> None:
        """Say something that is not what was asked for."""
        _show(text, sys.stderr, 0)

    def ask(self, question: str) -> bool:
        """Ask for a yes. Blocks; Ctrl-C ends it at once.

        Raises:
            KeyboardInterrupt: of Ctrl-C.
        """
        try:
            with _interruptible():
                _show(question + " [y/N] ", sys.stderr, 0, end="")
                return sys.stdin.readline().strip().lower() in ("y", "yes")
        except KeyboardInterrupt:
            print(file=sys.stderr)  # the question has a line of its own
            raise

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

    def _head(self, line: str) -> None:
        if not (self.rich and sys.stdout.isatty()):
            print(line)
            return
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(line, "bold"), soft_wrap=True)


def _show(text: str, stream: TextIO, hang: int, end: str = "\n") -> None:
    text, width = one_line(text), _width(stream)
    if width is None:
        print(text, file=stream, end=end, flush=True)
        return
    for number, line in enumerate(text.split("\n")):
        first, *rest = _hung(line, width, hang)
        print("\n" * bool(number) + "\n".join([first, *rest]), file=stream, end="")
    print(end=end, file=stream, flush=True)


def _hung(line: str, width: int, hang: int) -> list[str]:
    """A line broken so that all but its first part leave room on their left, if they can."""
    hang = max(hang, len(line) - len(line.lstrip()))
    first, *rest = wrapped(line, width)
    if not rest:
        return [first]
    others = wrapped(line[len(first) :].lstrip(), width - hang)
    return [first, *(" " * hang * (hang + width_of(other) <= width) + other for other in others)]


def _width(stream: TextIO) -> int | None:
    """Columns of the terminal; None where it is none, and lines may have any length."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


@contextlib.contextmanager
def _interruptible() -> Generator[None, None, None]:
    """Let Ctrl-C raise at once: asyncio's own handler would only cancel a task, after the wait."""
    if threading.current_thread() is not threading.main_thread():  # which has no such handler
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
