from pathlib import Path

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
