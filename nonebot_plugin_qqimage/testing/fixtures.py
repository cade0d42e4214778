"""The fixtures: a `Kit` for each test, and the settings that it uses."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from .kit import Kit, isolated


@pytest.fixture
def qqimage_settings() -> dict[str, Any]:
    """Settings for `qqimage`, by their names in lower case; override it to give your own.

    What it does not name is as by default, but nothing is prefetched.
    """
    return {}


@pytest.fixture
async def qqimage(tmp_path: Path, qqimage_settings: dict[str, Any]) -> AsyncGenerator[Kit, None]:
    """The kit: for one test, the plugin works on a new store in a temporary folder.

    Raises:
        RuntimeError: the plugin is not loaded; the text says what to do.
    """
    async with isolated(tmp_path / "qqimage", **qqimage_settings) as kit:
        yield kit
