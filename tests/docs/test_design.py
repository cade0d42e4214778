"""The table of rooms in the design: it names every room, and imports run downwards in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import ROOT, headings, rows, section

PACKAGE = ROOT / "nonebot_plugin_qqimage"
DATA = {"locale"}
"""Folders without code."""


@pytest.fixture(params=["docs/en/design.md", "docs/zh/design.md"])
def rooms(request: pytest.FixtureRequest) -> dict[str, int]:
    """Each room or file at the top, and the row that it stands in."""
    page = request.param
    heading = next(text for _, text in headings(page) if text in ("Rooms", "房间"))
    cells = [row[0] for row in rows(section(page, heading))[2:]]
    names = {row: re.findall(r"`([^`]+)`", cell) for row, cell in enumerate(cells)}
    return {name.rstrip("/"): row for row, found in names.items() for name in found}


def test_every_room_is_listed(rooms: dict[str, int]) -> None:
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    top = {folder.partition("/")[0] for folder in folders} - {"."}
    files = {path.name for path in PACKAGE.glob("*.py")}
    assert {name for name in rooms if "/" not in name} == top | files
    assert {name for name in rooms if "/" in name} <= folders


def test_imports_run_downwards(rooms: dict[str, int]) -> None:
    for path in PACKAGE.rglob("*.py"):
        if "project" in path.parts:  # a bot's project, which imports the plugin by its name
            continue
        here = _room(path.relative_to(PACKAGE), rooms)
        for imported in _imports(path):
            there = _room(imported, rooms)
            assert rooms[there] >= rooms[here], f"{path.name} in {here} imports {there}"


def _room(path: Path, rooms: dict[str, int]) -> str:
    candidates = [path.as_posix(), *(parent.as_posix() for parent in path.parents)]
    return next(name for name in candidates if name in rooms)


def _imports(path: Path) -> Iterator[Path]:
    """The files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].relative_to(PACKAGE)
        module = base.joinpath(*(node.module or "").split("."))
        names = [module] if node.module else [base / alias.name for alias in node.names]
        for name in names:
            is_folder = (PACKAGE / name).is_dir()
            yield name / "__init__.py" if is_folder else name.with_suffix(".py")
