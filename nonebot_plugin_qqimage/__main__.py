"""``python -m nonebot_plugin_qqimage``: what can be done without a bot."""

import argparse
import sys


def main() -> int:
    """Run a command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nonebot_plugin_qqimage")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="play a day in a chat with a real bot, a simulated peer and image host"
    )
    demo.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    arguments = parser.parse_args()
    try:
        from .demo.day import play
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("nonebot_plugin_qqimage"):
            raise
        print(
            f"the demo needs {error.name}: pip install 'nonebot-plugin-qqimage[demo]'",
            file=sys.stderr,
        )
        return 2
    return play(as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
