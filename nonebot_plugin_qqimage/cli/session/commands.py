"""The commands there are, and what all of them understand."""

import argparse
from collections.abc import Awaitable, Callable

from ...language import say
from ..terminal.layout import wrapped
from .session import Result, Session

Work = Callable[[Session, argparse.Namespace], Awaitable[Result]]
"""Does what a command says."""


class HelpFormatter(argparse.HelpFormatter):
    """Help whose lines end between words, also where characters are wide."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))


class Commands:
    """The commands of a command line.

    Args:
        parser: gets them.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        self,
        name: str,
        work: Work,
        summary: str,
        *,
        needs_store: bool = True,
    ) -> argparse.ArgumentParser:
        """Add a command that works with the store.

        Args:
            name: its name.
            work: does it.
            summary: what it does, in a few words.
            needs_store: whether there must be a store already.

        Returns:
            What to add its arguments to.
        """
        parser = self._add(name, summary)
        parser.add_argument("--json", action="store_true", help=say("print one JSON document"))
        parser.add_argument(
            "--folder",
            metavar="DIR",
            help=say("the store; by default that of the bot in this folder"),
        )
        parser.set_defaults(work=work, alone=None, needs_store=needs_store)
        return parser

    def add_alone(
        self, name: str, work: Callable[[argparse.Namespace], int], summary: str
    ) -> argparse.ArgumentParser:
        """Add a command that needs no store: `work` gives the exit status itself."""
        parser = self._add(name, summary)
        parser.add_argument("--json", action="store_true", help=say("print one JSON object"))
        parser.set_defaults(alone=work)
        return parser

    def _add(self, name: str, summary: str) -> argparse.ArgumentParser:
        return self._commands.add_parser(
            name, help=summary, description=summary, formatter_class=HelpFormatter
        )
