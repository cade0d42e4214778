"""``python -m nonebot_plugin_qqimage``: the command line without nb-cli, and the demo."""

import argparse
import sys

from .cli import run
from .cli.commands import Commands
from .language import say


def main() -> int:
    """Run a command line; returns the exit status."""
    return run(sys.argv[1:], program="python -m nonebot_plugin_qqimage", extend=_add_demo)


def _add_demo(commands: Commands) -> None:
    commands.add_alone(
        "demo",
        _demo,
        say("play a day in a chat with a real bot and a simulated implementation"),
    )


def _demo(arguments: argparse.Namespace) -> int:
    try:
        from .demo.day import play
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("nonebot_plugin_qqimage"):
            raise
        print(
            say(
                "the demo needs {package}: pip install 'nonebot-plugin-qqimage[demo]'",
                package=error.name,
            ),
            file=sys.stderr,
        )
        return 2
    return play(as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
