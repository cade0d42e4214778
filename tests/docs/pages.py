"""The pages that people read, and what Markdown says in them."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = {"en": "README.md", "zh": "README.zh-CN.md"}
NAMES = sorted(path.name for path in (ROOT / "docs" / "en").glob("*.md"))
PAIRS = [(READMES["en"], READMES["zh"]), *((f"docs/en/{n}", f"docs/zh/{n}") for n in NAMES)]
"""Each page in English, and the same page in Chinese."""
PAGES = [page for pair in PAIRS for page in pair]
OTHERS = ["CHANGELOG.md", ".github/CONTRIBUTING.md", "tests/transcripts/README.md"]
"""Pages that exist once."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def read(page: str) -> str:
    """The text of a page.

    Args:
        page: its path below the root of the repository.
    """
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page that are marked as this language."""
    return [code for name, code in _FENCE.findall(read(page)) if name == language]


def languages_of_blocks(page: str) -> list[str]:
    """The languages of all code blocks of a page, in order."""
    return [name for name, _ in _FENCE.findall(read(page))]


def prose(page: str) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", read(page))


def headings(page: str) -> list[tuple[int, str]]:
    """The headings of a page: their level, and their text."""
    return [(len(marks), text) for marks, text in _HEADING.findall(prose(page))]


def section(page: str, heading: str) -> str:
    """What stands below a heading, as far as the next one of its level or above; with code."""
    text = read(page)
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert start is not None, f"{page} has no heading {heading!r}"
    below = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", below, re.MULTILINE)
    return below[: end.start()] if end else below


def rows(text: str) -> list[list[str]]:
    """The rows of all tables in a text, heads and rulers included, as their cells."""
    return [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(text)]


def links(page: str) -> list[str]:
    """The targets of all links and pictures on a page."""
    targets = [match["target"] for match in _LINK.finditer(prose(page))]
    # a badge is a picture inside a link: the outer target follows the inner link
    return targets + re.findall(r"\)\]\(([^)\s]+)\)", prose(page))


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes from the headings of a page."""
    found: set[str] = set()
    times: Counter[str] = Counter()
    for _, text in headings(page):
        plain = _LINK.sub(r"\g<text>", text).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return found
