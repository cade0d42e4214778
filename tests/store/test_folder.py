import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from nonebot.plugin import get_plugin

from nonebot_plugin_qqimage.store import folder
from nonebot_plugin_qqimage.store.folder import data_folder

NAME = "nonebot_plugin_qqimage"


def localstores() -> Path:
    """What localstore says itself, asked by code of the plugin."""
    from nonebot_plugin_localstore import get_plugin_data_dir

    # who asks is who owns the file that the code says it is from
    question = compile("ask()", folder.__file__, "eval")
    answer = eval(question, {"ask": get_plugin_data_dir})
    assert isinstance(answer, Path)
    return answer


@pytest.mark.parametrize("own_setting", [False, True], ids=["usual", "own setting"])
@pytest.mark.parametrize("part", [False, True], ids=["by itself", "part of another plugin"])
def test_it_is_where_localstore_puts_it(
    own_setting: bool, part: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nonebot_plugin_localstore as localstore

    plugin = get_plugin(NAME)
    assert plugin is not None
    if part:
        monkeypatch.setattr(plugin, "parent_plugin", get_plugin("nonebot_plugin_localstore"))
    monkeypatch.setattr(localstore, "BASE_DATA_DIR", tmp_path / "all")
    if own_setting:
        chosen = localstore.plugin_config.localstore_plugin_data_dir
        monkeypatch.setitem(chosen, plugin.id_, tmp_path / "own")
    assert data_folder() == localstores()
    assert data_folder().is_relative_to(tmp_path / ("own" if own_setting else "all"))


def test_asking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nonebot_plugin_localstore as localstore

    monkeypatch.setattr(localstore, "BASE_DATA_DIR", tmp_path)
    assert data_folder() == tmp_path / NAME
    assert not list(tmp_path.iterdir())


class OtherLocalstore(ModuleType):
    """A localstore that has none of the variables of today's."""

    def __init__(self, folder: Path) -> None:
        super().__init__("nonebot_plugin_localstore")
        self.folder = folder

    def get_data_dir(self, name: str) -> Path:
        return self.folder / name


class LaterLocalstore(OtherLocalstore):
    def get_plugin_data_dir(self) -> Path:
        return self.folder / "later"


@pytest.mark.parametrize("loaded", [True, False], ids=["in a bot", "on the command line"])
def test_a_later_localstore_is_asked(
    loaded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nonebot_plugin_localstore", LaterLocalstore(tmp_path))
    if not loaded:
        monkeypatch.setattr(folder, "get_plugin_by_module_name", lambda name: None)
    assert data_folder() == tmp_path / ("later" if loaded else NAME)


def test_an_earlier_localstore_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = OtherLocalstore(tmp_path)
    earlier.BASE_DATA_DIR = tmp_path / "base"
    earlier.plugin_config = SimpleNamespace(localstore_data_dir=None)
    monkeypatch.setitem(sys.modules, "nonebot_plugin_localstore", earlier)
    assert data_folder() == tmp_path / NAME
