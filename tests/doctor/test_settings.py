"""What the doctor says of settings that are wrong, and of folders in the path map."""

import sys
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.doctor.machine.paths import about_paths

from ..cli.conftest import module


async def test_settings_of_nonebot_itself(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=abc\n")
    done = await module(tmp_path, "doctor")
    assert done.status == 2
    assert "port" in done.out.lower()
    assert "Traceback" not in done.err


def test_folders_of_the_path_map(tmp_path: Path) -> None:
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "x.png").write_text("")
    names = ("full", "empty", "missing")
    lines = about_paths({f"/app/{name}": str(tmp_path / name) for name in names})
    assert [line.state for line in lines] == ["ok", "warning", "failed"]
    assert f"/app/missing is {tmp_path / 'missing'} here" in lines[2].text


@pytest.mark.skipif(sys.platform == "win32", reason="folders have other permissions there")
def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    (line,) = about_paths({"/app": str(tmp_path)})
    assert (line.state, "may not read" in line.text) == ("failed", True)
