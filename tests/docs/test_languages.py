"""Both languages say the same: the same sections, tables, lists, code, names and links."""

import ast
import re

import pytest

from .pages import NAMES, PAIRS, ROOT, blocks, headings, languages_of_blocks, links, prose, rows

BOTH = pytest.mark.parametrize(("english", "chinese"), PAIRS)


def test_every_page_exists_in_both_languages() -> None:
    assert sorted(path.name for path in (ROOT / "docs" / "zh").glob("*.md")) == NAMES


@BOTH
def test_the_same_sections_tables_and_lists(english: str, chinese: str) -> None:
    both = english, chinese
    assert _same([[level for level, _ in headings(page)] for page in both])
    assert _same([languages_of_blocks(page) for page in both])
    assert _same([[len(cells) for cells in rows(prose(page))] for page in both])
    for pattern in (r"^- ", r"^\d+\. ", r"^\*\*", r"^!\["):
        assert _same([len(re.findall(pattern, prose(page), re.M)) for page in both]), pattern


@BOTH
def test_the_same_code(english: str, chinese: str) -> None:
    for language in ("sh", "yaml", "ini", "text"):
        code = [[_without_comments(b) for b in blocks(p, language)] for p in (english, chinese)]
        assert _same(code), language
    assert _same([[_without_texts(b) for b in blocks(p, "python")] for p in (english, chinese)])
    diagrams = [blocks(page, "mermaid") for page in (english, chinese)]
    assert _same([[re.sub(r'"[^"]*"', "", block) for block in each] for each in diagrams])


@BOTH
def test_the_same_names_and_links(english: str, chinese: str) -> None:
    for pattern in (r"`[A-Z_]{6,}`", r"`\w+\.py`", r"`[a-z_/]+/`", r"`--[a-z]+", r"\d[\d,.]*\d"):
        assert _same([sorted(re.findall(pattern, prose(p))) for p in (english, chinese)]), pattern
    assert _same([sorted(map(_of_any_language, links(p))) for p in (english, chinese)])


def _same(both: list[object]) -> bool:
    assert both[0] == both[1]
    return True


def _without_comments(code: str) -> str:
    return re.sub(r" +#.*", "", code)


def _without_texts(code: str) -> str:
    """The code with each string empty, whether it is an example's or a docstring."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def _of_any_language(target: str) -> str:
    """Where a link leads, whichever language it comes from: anchors are checked elsewhere."""
    place, _, anchor = target.partition("#")
    place = re.sub(r"^((?:\.\./)*(?:docs/)?)(?:en|zh)/", r"\1", place)
    return place.replace("README.zh-CN.md", "README.md") + ("#" if anchor else "")
