"""Runs every benchmark and prints its ratio."""

import asyncio

from . import first_matcher


def main() -> None:
    """Print one line a benchmark."""
    print(asyncio.run(first_matcher.measure()))


if __name__ == "__main__":
    main()
