"""NoneBot with our plugin loaded in this process, before anybody imports it, as in a bot.

Most of what needs a whole bot starts one of its own instead (see ``e2e/``).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import nonebot
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from nonebot.adapters.onebot.v11 import Adapter
from nonebug import NONEBOT_INIT_KWARGS


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="qqimage-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    settings = {"driver": "~none", "localstore_data_dir": Path(folder.name), "log_level": "DEBUG"}
    config.stash[NONEBOT_INIT_KWARGS] = settings
    nonebot.init(**settings)
    nonebot.get_driver().register_adapter(Adapter)
    assert nonebot.load_plugin("nonebot_plugin_qqimage")


@pytest.fixture(autouse=True)
def detect_blocking() -> Iterator[BlockBuster]:
    """A blocking call of our package in the event loop is an error."""
    with blockbuster_ctx(
        scanned_modules=["nonebot_plugin_qqimage"],
        excluded_modules=["nonebot_plugin_qqimage.demo.bot_process"],  # the tests wait for it
    ) as detector:
        yield detector
