"""Importing before loading, as the top of a ``conftest.py`` does, and never loading at all."""

from pathlib import Path

import pytest

from ..test_load import python

FIRST = """
from nonebot_plugin_qqimage import Image, Images, ImageResolver, get_resolver
from nonebot_plugin_qqimage.testing import qqimage
import nonebot_plugin_qqimage as package

assert not hasattr(package, "__plugin__") and not hasattr(package, "anything")
import nonebot
nonebot.init(driver="~none")
"""
LOADED = """
plugin = nonebot.load_plugin("nonebot_plugin_qqimage")
assert plugin.metadata is package.__plugin_meta__
assert nonebot.require("nonebot_plugin_qqimage") is package
assert package.Image is Image and package.Images is Images
assert isinstance(get_resolver(), ImageResolver)
from nonebot.message import _event_preprocessors
assert len(_event_preprocessors) == 1
print("loaded as a plugin")
"""
USED = """
import asyncio, pathlib
from nonebot_plugin_qqimage.testing import isolated

async def use():
    async with isolated(pathlib.Path("store")):
        pass

try:
    asyncio.run(use())
except RuntimeError as error:
    print(error)
"""


def test_it_is_loaded_after_it_was_imported(tmp_path: Path) -> None:
    assert "loaded as a plugin" in python(FIRST + LOADED, tmp_path)


def test_another_plugin_requires_it_after_it_was_imported(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        'import nonebot\nnonebot.require("nonebot_plugin_qqimage")\n'
        "from nonebot_plugin_qqimage import Images\n"
    )
    load = FIRST + 'assert nonebot.load_plugin("other")' + LOADED.replace("load_", "get_", 1)
    assert "loaded as a plugin" in python(load, tmp_path, PYTHONPATH=".")


def test_wrong_settings_are_named_all_the_same(tmp_path: Path) -> None:
    load = 'nonebot.load_plugin("nonebot_plugin_qqimage")\nprint("the bot goes on")\n'
    log = python(FIRST + load, tmp_path, QQIMAGE__PROXY="nonsense")
    assert "QQIMAGE__PROXY" in log
    assert "the bot goes on" in log


@pytest.mark.parametrize("start", ["", FIRST], ids=["outside a bot", "in a bot"])
def test_who_has_not_loaded_it_is_told_what_to_do(start: str, tmp_path: Path) -> None:
    said = python(start + USED, tmp_path, LC_ALL="C.UTF-8", LANG="C.UTF-8")
    assert 'nonebot.load_plugin("nonebot_plugin_qqimage")' in said
    assert "conftest.py" in said
