"""Every setting is documented with its default, and every documented setting exists."""

import re

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig

from .pages import OTHERS, PAGES, ROOT, read, rows

DEFAULTS = {name: str(value) for name, value in vars(ScopedConfig()).items()}
_SETTING = re.compile(r"QQIMAGE__([A-Z_]+)")


@pytest.mark.parametrize("page", ["docs/en/settings.md", "docs/zh/settings.md"])
def test_the_tables_list_every_setting_and_its_default(page: str) -> None:
    listed = [
        (match[1].lower(), cells[1].strip("`"))
        for cells in rows(read(page))
        if (match := _SETTING.fullmatch(cells[0].strip("`"))) is not None
    ]
    assert sorted(name for name, _ in listed) == sorted(DEFAULTS)
    for name, default in listed:
        assert default == DEFAULTS[name].lower().removesuffix(".0"), name


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_no_page_names_a_setting_that_does_not_exist(page: str) -> None:
    assert {name.lower() for name in _SETTING.findall(read(page))} <= set(DEFAULTS)


def test_every_setting_says_what_it_means() -> None:
    source = (ROOT / "nonebot_plugin_qqimage" / "config.py").read_text("utf-8")
    described = re.findall(r"^    ([a-z_]+): .*\n    \"\"\"", source, re.MULTILINE)
    assert described[:-1] == list(DEFAULTS)  # the last one is the group itself
