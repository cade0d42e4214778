"""Every command and option of the command line is documented, and nothing else is."""

import argparse
import re
import sys

import pytest

from nonebot_plugin_qqimage.__main__ import main

from .pages import headings, read, rows, section

PAGES = ["docs/en/cli.md", "docs/zh/cli.md"]
_OPTION = re.compile(r"--[a-z][a-z-]*")


class _Built(Exception):
    """The parser, as soon as it is complete.

    Args:
        parser: it.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, as the program itself has it."""

    def stop(parser: argparse.ArgumentParser, *_: object) -> None:
        raise _Built(parser)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", ["python -m nonebot_plugin_qqimage"])
    with pytest.raises(_Built) as built:
        main()
    (choices,) = [action.choices for action in built.value.parser._actions if action.choices]
    return dict(choices)  # type: ignore[arg-type]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_has_a_section_and_a_row(
    page: str, commands: dict[str, argparse.ArgumentParser]
) -> None:
    sections = [text for _, text in headings(page) if re.fullmatch("[a-z]+", text)]
    assert sorted(sections) == sorted(commands)
    listed = [match[1] for cells in rows(read(page)) if (match := _linked(cells[0]))]
    assert sorted(listed) == sorted(commands)


def _linked(cell: str) -> re.Match[str] | None:
    return re.fullmatch(r"\[`([a-z]+)`\]\(#\1\)", cell)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_used_as_it_says(
    page: str, commands: dict[str, argparse.ArgumentParser]
) -> None:
    for name, parser in commands.items():
        usage = re.search(rf"^.* {name} (.*)$", section(page, name), re.MULTILINE)
        assert usage is not None, name
        assert usage[1] == _usage(parser), name


def _usage(parser: argparse.ArgumentParser) -> str:
    parts: list[str] = []
    for action in parser._actions:
        if "--help" in action.option_strings:
            continue
        value = action.metavar or action.dest.upper()
        if action.option_strings:
            takes_value = action.nargs != 0
            parts.append(f"[{action.option_strings[-1]}{f' {value}' if takes_value else ''}]")
        else:
            parts.append(str(value))
    return " ".join(parts)


@pytest.mark.parametrize("page", PAGES)
def test_every_option_is_explained(page: str, commands: dict[str, argparse.ArgumentParser]) -> None:
    text = read(page)
    common = _explained(text[: text.index("\n## stats\n")])
    for name, parser in commands.items():
        options = {option for action in parser._actions for option in action.option_strings}
        own = _explained(section(page, name))
        assert {o for o in options if o.startswith("--")} - {"--help"} <= own | common, name
        assert own <= options, name


def _explained(text: str) -> set[str]:
    """The options in the first column of a text's tables."""
    first = (cells[0] for cells in rows(text))
    return {match[0] for cell in first if (match := _OPTION.search(cell))}
