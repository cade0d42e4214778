"""``nb qqimage …``: the operator's command line, inside a bot's project."""

import sys

from .cli import run


def main() -> None:
    """Run the command line in ``sys.argv``; nb-cli has set up NoneBot by then.

    Raises:
        SystemExit: always, with the exit status.
    """
    raise SystemExit(run(sys.argv[1:], program="nb qqimage"))
