"""Links between pages lead somewhere, and so do the paths that pages name."""

import os
import re
from pathlib import PurePosixPath

import pytest

from .pages import OTHERS, PAGES, ROOT, anchors, headings, links, prose

EVERY_PAGE = pytest.mark.parametrize("page", [*PAGES, *OTHERS])
_PATH = re.compile(r"`((?:nonebot_plugin_qqimage|tests|docs|\.ci|\.github)/[^`\s]*)`")


@EVERY_PAGE
def test_links_lead_somewhere(page: str) -> None:
    for target in links(page):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = os.path.normpath(PurePosixPath(page).parent / name) if name else page
        assert (ROOT / there).exists(), f"{page} links to {target}"
        assert not anchor or anchor in anchors(there), f"{page} links to {target}"


@EVERY_PAGE
def test_paths_in_the_text_exist(page: str) -> None:
    for path in _PATH.findall(prose(page)):
        assert (ROOT / path).exists(), f"{page} names {path}"


@EVERY_PAGE
def test_there_is_one_title(page: str) -> None:
    assert [level for level, _ in headings(page)].count(1) == 1


def test_anchors_are_made_as_github_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = ["Two words", "`code`, and more!", "与 NapCat 搭配：示例", "Two words"]
    monkeypatch.setattr(f"{__package__}.pages.headings", lambda page: [(2, t) for t in titles])
    assert anchors("") == {"two-words", "code-and-more", "与-napcat-搭配示例", "two-words-1"}
