"""The READMEs: short, with both commands on the first screen and the demo's picture below them."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from .pages import READMES, ROOT, links, read, rows

PICTURE = "docs/assets/demo.svg"


@pytest.mark.parametrize("readme", READMES.values())
def test_the_first_screen_has_both_commands(readme: str) -> None:
    first_screen = "\n".join(read(readme).splitlines()[:30])
    for command in ("uv run python -m nonebot_plugin_qqimage demo", "uv run pytest"):
        assert f"\npython -m pip install uv && {command}\n" in first_screen


@pytest.mark.parametrize("readme", READMES.values())
def test_other_systems_have_two_commands_each(readme: str) -> None:
    (folded,) = [part for part in _folded(readme) if "macOS" in part.partition("</summary>")[0]]
    commands = re.findall(r"^(?:sudo|brew|py) .*$", folded, re.MULTILINE)
    assert len(commands) == 6
    for begins in ("sudo apt-get install -y pipx && pipx run ", "brew install uv && ", "py -m "):
        demo, tests = [command for command in commands if command.startswith(begins)]
        assert demo.endswith(" demo")
        assert tests.endswith("uv run pytest")


@pytest.mark.parametrize("readme", READMES.values())
def test_every_way_to_install_is_folded_and_every_setting_has_both_forms(readme: str) -> None:
    folded = "".join(_folded(readme))
    for words in (
        "nb plugin install",
        "uv add",
        "pip install",
        'plugins = ["nonebot_plugin',
        "whl",
    ):
        assert words in folded
    forms = [cells[1:] for cells in rows(read(readme)) if cells[1].startswith("`QQIMAGE__")]
    assert len(forms) == 4
    for env, compose in forms:
        name, value = env.strip("`").split("=", 1)
        assert compose.strip("`").startswith(f"{name}: ")
        if "127.0.0.1" not in value:  # which is another machine in a container
            assert value in compose


def _folded(readme: str) -> list[str]:
    return re.findall(r"<details(?: open)?>(.*?)</details>", read(readme), re.DOTALL)


def test_the_gate_runs_the_commands_of_the_readme_and_says_first_what_it_installs() -> None:
    gate = (ROOT / ".ci" / "run").read_text("utf-8")
    assert gate.index("will be installed") < gate.index("apt-get install")
    assert "readme demo" in gate
    assert "readme pytest" in gate


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
