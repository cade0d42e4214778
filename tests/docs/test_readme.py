"""The READMEs: short, with both commands on the first screen and the demo's picture below them."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from .pages import READMES, ROOT, links, read

PICTURE = "docs/assets/demo.svg"


@pytest.mark.parametrize("readme", READMES.values())
def test_the_first_screen_has_both_commands(readme: str) -> None:
    first_screen = "\n".join(read(readme).splitlines()[:30])
    for command in ("uv run python -m nonebot_plugin_qqimage demo", "uv run pytest"):
        assert f"\npython -m pip install uv && {command}\n" in first_screen


@pytest.mark.parametrize("readme", READMES.values())
def test_it_is_short_and_shows_the_demo(readme: str) -> None:
    assert len(read(readme).splitlines()) <= 200
    assert PICTURE in links(readme)


def test_the_picture_needs_nothing_from_elsewhere_and_tells_nothing_of_its_maker() -> None:
    text = read(PICTURE)
    ElementTree.fromstring(text)  # it is well-formed
    assert re.findall(r"https?://[^\"'<)\s]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"/(home|root|work|Users|tmp)/|C:\\", text)


def test_the_changelog_has_the_version_of_the_package() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version is not None
    listed = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert listed[:2] == ["Unreleased", version[1]]
