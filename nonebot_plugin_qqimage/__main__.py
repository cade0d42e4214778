"""``python -m nonebot_plugin_qqimage``: the command line without nb-cli, and the demo."""

import argparse
import sys
from importlib.util import find_spec

from .cli import run
from .cli.session.commands import Commands
from .language import say

_DEMO_NEEDS = ("fastapi", "uvicorn", "websockets")
"""What its bot runs on: the extra ``demo``."""


def main() -> int:
    """Run a command line; returns the exit status."""
    return run(sys.argv[1:], program="python -m nonebot_plugin_qqimage", extend=_add_demo)


def _add_demo(commands: Commands) -> None:
    summary = say("play a day in a chat with a real bot and simulated implementations")
    parser = commands.add_alone("demo", _demo, summary)
    parser.add_argument(
        "--keep", action="store_true", help=say("leave the bot's folder, and say where it is")
    )


def _demo(arguments: argparse.Namespace) -> int:
    missing = next((name for name in _DEMO_NEEDS if find_spec(name) is None), None)
    if missing is not None:
        text = say(
            'the demo needs {package}: pip install "nonebot-plugin-qqimage[demo]"', package=missing
        )
        print(text, file=sys.stderr)
        return 2
    from .demo.day import play

    return play(as_json=arguments.json, keep=arguments.keep)


if __name__ == "__main__":
    sys.exit(main())
