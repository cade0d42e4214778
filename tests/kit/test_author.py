"""The repository of a pretended author: its suite uses the kit, and is green beside this plugin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AUTHOR = Path(__file__).parent / "author"
ROOT = Path(__file__).parents[2]
MATRIX = "QQIMAGE_TEST_KIT_MATRIX"
"""Set it to try the versions below, each in an environment of its own made by uv."""
VERSIONS = [
    ("nonebug==0.4.3", "nonebot2==2.4.0", "pydantic<2"),
    ("nonebug==0.4.3", "nonebot2==2.4.*", "pydantic>=2"),
    ("nonebug>=0.4.4", "nonebot2>=2.5", "pydantic<2"),
    ("nonebug>=0.4.4", "nonebot2>=2.5", "pydantic>=2"),
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository elsewhere, so that nothing of these tests can be imported."""
    repository = tmp_path / "author"
    shutil.copytree(AUTHOR, repository, ignore=shutil.ignore_patterns("__pycache__"))
    return repository


def run(repository: Path, *command: str, timeout: float = 110, **environment: str) -> str:
    """What its suite prints, which must be green."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST", "QQIMAGE"))}
    done = subprocess.run(
        [*command, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=repository,
        env={**inherited, "LOCALSTORE_USE_CWD": "true", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_suite_is_green(repository: Path) -> None:
    assert "25 passed" in run(repository, sys.executable)


def test_what_knows_nothing_of_the_plugin_is_green_without_it_too(repository: Path) -> None:
    (repository / "tests" / "test_peek.py").unlink()
    assert "6 passed" in run(repository, sys.executable)
    assert "6 passed" in run(repository, sys.executable, WITHOUT_QQIMAGE="1")


def test_it_imports_nothing_of_these_tests() -> None:
    for file in AUTHOR.rglob("*.py"):
        text = file.read_text("utf-8")
        assert "from tests" not in text
        assert "import tests" not in text


@pytest.mark.timeout(600)
@pytest.mark.skipif(MATRIX not in os.environ, reason=f"takes environments of its own: set {MATRIX}")
@pytest.mark.parametrize("versions", VERSIONS, ids=" ".join)
def test_with_other_versions(repository: Path, versions: tuple[str, ...]) -> None:
    wanted = (*versions, "pytest-asyncio>=1.0")
    with_them = [word for one in wanted for word in ("--with", one)]
    # editable, for uv would not build it anew after a change of the code
    made_by = "uv", "run", "--no-project", "--isolated", "-q", "--with-editable", str(ROOT)
    command = *made_by, *with_them, "python"
    assert "25 passed" in run(repository, *command, timeout=500)
