"""What the doctor says of settings that are wrong, and of folders in the path map."""

import json
import sys
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor.paths import about_paths

from ..cli.conftest import module


@pytest.mark.parametrize(
    ("line", "says", "cure"),
    [
        ("QQIMAGE__MAX_STORE_SIZE=much", "QQIMAGE__MAX_STORE_SIZE", ".env"),
        ("QQIMAGE__PATH_MAP=/app:/llbot", "QQIMAGE__PATH_MAP", ".env"),
        ("QQIMAGE__PROXY=ftp://127.0.0.1", "QQIMAGE__PROXY", ".env"),
        ("QQIMAGE__BASE_URL=example.com", "QQIMAGE__BASE_URL", ".env"),
        ("QQIMAGE__PREFTCH=true", "QQIMAGE__PREFTCH is no setting", "QQIMAGE__PREFETCH"),
        ("QQIMAGE_PROXY=http://127.0.0.1:9", "QQIMAGE_PROXY is no setting", "QQIMAGE__PROXY"),
    ],
)
async def test_a_wrong_setting(tmp_path: Path, line: str, says: str, cure: str) -> None:
    local = {"multimedia.nt.qq.com.cn": "http://127.0.0.1:9"}
    (tmp_path / ".env").write_text(f"QQIMAGE__MIRRORS={json.dumps(local)}\n{line}\n")
    done = await module(tmp_path, "doctor", "--json")
    assert done.status == 1, done.err
    (found,) = [each for each in done.json["lines"] if each["about"] == "settings"]
    assert says in found["text"]
    assert cure in found["cure"]
    about = {each["about"] for each in done.json["lines"]}
    assert {"versions", "bot", "TLS", "store"} <= about  # all the rest is told, too


async def test_settings_of_nonebot_itself(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=abc\n")
    done = await module(tmp_path, "doctor")
    assert done.status == 2
    assert "PORT" in done.err
    assert "Traceback" not in done.err


def test_right_settings_need_no_line() -> None:
    assert about_settings(ScopedConfig(), (), {"qqimage": {"prefetch": "true"}, "port": 1}) == []


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
