"""The recipes are a bot project with a suite of its own: each block is the file that it names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import blocks

FILES = {
    "plugins/grey.py",
    "plugins/see.py",
    "plugins/stickers.py",
    "plugins/measure.py",
    "plugins/type_of_last.py",
    "plugins/moderation.py",
    "plugins/daily.py",
    "pyproject.toml",
    "conftest.py",
    "tests/test_plugins.py",
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_recipes_and_their_tests(language: str, tmp_path: Path) -> None:
    pages = [f"docs/{language}/first-plugins.md", f"docs/{language}/recipes.md"]
    code = [block for page in pages for kind in ("python", "toml") for block in blocks(page, kind)]
    names = [re.match(r"# (\S+)\n", block)[1] for block in code]  # type: ignore[index]
    assert sorted(names) == sorted(FILES)
    for name, block in zip(names, code, strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block, "utf-8")
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST", "QQIMAGE"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**inherited, "LC_ALL": {"en": "en_US.UTF-8", "zh": "zh_CN.UTF-8"}[language]},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "11 passed" in done.stdout
