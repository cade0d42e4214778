"""A virtual environment with published plugins and this project, kept until either changes."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
ALONE = Path(__file__).parent / "without-dependencies.txt"
"""Plugins whose dependencies take gigabytes; the bot has something in their place."""
_PROJECT = Path(__file__).parents[2]
_BUILD_TIMEOUT = 300.0


def build(cache: Path) -> Path:
    """Give the Python of the environment, which is built when there is none like it.

    Args:
        cache: where environments are kept.

    Raises:
        subprocess.SubprocessError: it cannot be built; uv's own words are in the test's output.
    """
    folder = cache / f"published-{_fingerprint()}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    whole = folder / "whole"  # an interrupted build has no such file
    with sqlite3.connect(cache / "published.lock", timeout=2 * _BUILD_TIMEOUT) as lock:
        lock.execute("BEGIN EXCLUSIVE")  # several processes run tests, and one of them builds
        if not whole.exists():
            for outdated in cache.glob("published-*"):
                shutil.rmtree(outdated)
            _build(folder, python)
            whole.touch()
    lock.close()
    return python


def _build(folder: Path, python: Path) -> None:
    _uv("venv", "--python", sys.executable, str(folder))
    _uv(
        *("pip", "install", "--compile-bytecode", "--python", str(python)),
        *("--requirements", str(REQUIREMENTS), "--editable", str(_PROJECT)),
    )
    _uv("pip", "install", "--no-deps", "--python", str(python), "--requirements", str(ALONE))


def _fingerprint() -> str:
    said = [REQUIREMENTS, ALONE, _PROJECT / "pyproject.toml"]
    content = b"\0".join([*(file.read_bytes() for file in said), sys.version.encode()])
    return hashlib.sha256(content + str(_PROJECT).encode()).hexdigest()[:16]


def _uv(*arguments: str) -> None:
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"  # `uv run` says where it is
    subprocess.run([uv, "--quiet", *arguments], check=True, timeout=_BUILD_TIMEOUT)
