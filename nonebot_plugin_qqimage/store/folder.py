"""The folder of the store, as localstore has it."""

from pathlib import Path

import nonebot
from nonebot.plugin import get_plugin_by_module_name

_NAME = "nonebot_plugin_qqimage"


def data_folder() -> Path:
    """Where the store of this bot lies, or would lie: nothing is made.

    It is what localstore's ``get_plugin_data_dir`` gives inside a loaded plugin. That one finds
    out who asks from the files of all modules there are, which would be a third of our start.
    """
    nonebot.require("nonebot_plugin_localstore")
    from nonebot_plugin_localstore import (  # only works inside a bot
        BASE_DATA_DIR,
        get_plugin_data_dir,
        plugin_config,
    )

    plugin = get_plugin_by_module_name(__name__)
    if plugin is not None and plugin.id_ != _NAME:  # part of another plugin, and so is its folder
        return get_plugin_data_dir()
    return plugin_config.localstore_plugin_data_dir.get(_NAME) or BASE_DATA_DIR / _NAME
