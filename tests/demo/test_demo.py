"""The demo, as somebody runs it who has just found this project."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.demo.report import Report, Row
from nonebot_plugin_qqimage.doctor.figures import width_of

COLUMNS = ["case", "naive", "source", "sha256", "mime", "width", "height", "ms"]


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it with a folder of its own for what it makes."""
    done = subprocess.run(
        [sys.executable, "-m", "nonebot_plugin_qqimage", "demo", *arguments],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return run(tmp_path_factory.mktemp("kept"), "--json", "--keep")


@pytest.fixture(scope="module")
def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(done.stdout)


def test_it_tells_what_became_of_each_picture(
    done: subprocess.CompletedProcess[str], summary: dict[str, Any]
) -> None:
    told = done.stderr
    assert all(image["case"] in told for image in summary["images"])
    assert "download url has expired" in told
    had, possible = re.findall(r"(\d+) of the (\d+) pictures", told)[0]
    assert had == possible == str(len(summary["images"]) - 1)
    assert told.rstrip().endswith(summary["store"]["path"])


def test_json(summary: dict[str, Any]) -> None:
    assert summary["ok"] is True
    assert set(summary) == {"images", "store", "ok"}
    assert all(list(image) == COLUMNS for image in summary["images"])
    cases = {image["case"]: image for image in summary["images"]}
    assert cases["quoted after its link died"]["source"] == "store"
    assert cases["quoted after its link died"]["sha256"] == cases["group picture"]["sha256"]
    assert cases["nobody has it any more"]["source"] is None
    files = list((Path(summary["store"]["path"]) / "images").rglob("*.*"))
    assert len(files) == summary["store"]["images"]
    assert sum(file.stat().st_size for file in files) == summary["store"]["bytes"]


def test_on_a_terminal_of_80_columns_in_chinese_and_nothing_is_left(tmp_path: Path) -> None:
    done = run(tmp_path, COLUMNS="80", LC_ALL="zh_CN.UTF-8")
    lines = done.stdout.splitlines()
    assert max(map(width_of, lines)) <= 80
    assert "链接失效后被引用" in done.stdout
    assert "回答里的文件：" in done.stdout
    ours = done.stdout.replace("download url has expired", "")  # as the image host says it
    assert not re.search("[a-z]{3,} [a-z]{3,} [a-z]{3,}", ours)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there a program is ended at once")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ended_early_nothing_is_left(tmp_path: Path, ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "nonebot_plugin_qqimage", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout is not None
        assert any("plain httpx.get" in line for line in demo.stdout)
        demo.send_signal(ending)
        assert demo.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_terminal_and_keeps_words_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    report = Report(as_json=False)
    report.begin("ws://127.0.0.1:12345/onebot/v11/ws")
    said = ("quoted after its link died", "download url has expired", "url with a fresh key")
    for source in (said[2], None):
        report.add(
            Row(*said[:2], source, "0" * 64, "image/jpeg", 1920, 1080, 10_000, "", True, True)
        )
    out = capsys.readouterr().out
    assert max(map(width_of, out.splitlines())) <= columns
    for word in " ".join(said).split():
        assert re.search(rf"\b{word}\b", out), word


@pytest.mark.parametrize("right", [True, False])
def test_the_table_goes_to_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, right: bool
) -> None:
    report = Report(as_json=False)
    report.begin("ws://127.0.0.1")
    report.add(Row("case", "naive", "store", "0" * 64, "image/png", 3, 2, 7, "why", True, right))
    report.end(tmp_path, 1, 100)
    out, err = capsys.readouterr()
    assert ("image/png, 3×2" in out) == right
    assert ("WRONG BYTES" in out) == ("why" in out) == (not right)
    assert f"{int(right)} of the 1 pictures" in out
    assert report.ok == right
    assert err == ""
