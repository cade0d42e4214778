"""The folder of the store, as localstore has it."""

from pathlib import Path

import nonebot
from nonebot.plugin import get_plugin_by_module_name

_NAME = "nonebot_plugin_qqimage"


def data_folder() -> Path:
    """Where the store of this bot lies, or would lie.

    It is what localstore's ``get_plugin_data_dir`` gives inside a loaded plugin. That one finds
    out who asks from the files of all modules there are, which would be a third of our start, so
    it is asked only where localstore's own variables do not say the same.
    """
    nonebot.require("nonebot_plugin_localstore")
    import nonebot_plugin_localstore as localstore  # only works inside a bot

    plugin = get_plugin_by_module_name(__name__)
    try:
        if plugin is None or plugin.id_ == _NAME:  # not part of another plugin, with its folder
            chosen = localstore.plugin_config.localstore_plugin_data_dir.get(_NAME)
            return chosen or localstore.BASE_DATA_DIR / _NAME
    except (AttributeError, TypeError):  # another version of localstore
        pass
    if plugin is not None and hasattr(localstore, "get_plugin_data_dir"):
        return localstore.get_plugin_data_dir()
    return localstore.get_data_dir(_NAME)  # outside a plugin; or before 0.7, which has no other
