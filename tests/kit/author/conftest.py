import os

import nonebot
import pytest
from nonebot.adapters.onebot.v11 import Adapter
from nonebug import NONEBOT_INIT_KWARGS

PLUGINS = ["nonebot_plugin_peek.plain"]

if "WITHOUT_QQIMAGE" not in os.environ:
    from nonebot_plugin_qqimage.testing import qqimage, qqimage_settings  # noqa: F401

    PLUGINS += ["nonebot_plugin_peek.peek"]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NONEBOT_INIT_KWARGS] = {"driver": "~none", "localstore_use_cwd": True}


@pytest.fixture(scope="session", autouse=True)
async def after_nonebot_init(after_nonebot_init: None) -> None:
    nonebot.get_driver().register_adapter(Adapter)
    for plugin in PLUGINS:
        assert nonebot.load_plugin(plugin)
