"""NoneBot with our plugin loaded in this process, before anybody imports it, as in a bot.

Most of what needs a whole bot starts one of its own instead (see ``e2e/``).
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# the plugin imports it in a thread, where rich, which it imports, draws a random number; one that
# is drawn while hypothesis makes an example would fail that test
import httpx  # noqa: F401
import nonebot
import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from nonebot.adapters.onebot.v11 import Adapter
from nonebug import NONEBOT_INIT_KWARGS

from .shared.server import ABSENT

if sys.dont_write_bytecode:
    # All the processes that tests start would compile everything anew, which is half the time that
    # a bot takes to start. So bytecode is kept after all, but in pytest's own folder.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

_FOLDER = tempfile.TemporaryDirectory(prefix="qqimage-tests-", ignore_cleanup_errors=True)
_SETTINGS = {"driver": "~none", "localstore_data_dir": Path(_FOLDER.name)}

# here and not in a hook: the next conftest already imports the package
nonebot.init(**_SETTINGS)
nonebot.get_driver().register_adapter(Adapter)
assert nonebot.load_plugin("nonebot_plugin_qqimage")


_LONGEST_FIRST = ("published", "shared", "e2e", "demo", "store", "cli", "docs", "")
"""Folders whose files go to a worker before others, so that none is left with a long one alone."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NONEBOT_INIT_KWARGS] = _SETTINGS
    config.add_cleanup(_FOLDER.cleanup)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what was left out for want of PostgreSQL."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(ABSENT in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"The shared store was not tested: {ABSENT}", yellow=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    root = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(root).parts[0] if item.path.is_relative_to(root) else ""
        return _LONGEST_FIRST.index(folder if folder in _LONGEST_FIRST else "")

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def detect_blocking() -> Iterator[BlockBuster]:
    """A blocking call of our package in the event loop is an error."""
    with blockbuster_ctx(
        scanned_modules=["nonebot_plugin_qqimage"],
        excluded_modules=["nonebot_plugin_qqimage.demo.bot_process"],  # the tests wait for it
    ) as detector:
        # the loop of the server's own thread: there it is meant to
        detector.functions["time.sleep"].can_block_in("own_server/giving_way.py", "pause")
        yield detector
