"""The demo, as somebody runs it who has just found this project; it is run once."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.demo.report import Report, Row

COLUMNS = ["case", "naive", "source", "sha256", "mime", "width", "height", "ms"]


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nonebot_plugin_qqimage", "demo", "--json"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


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
