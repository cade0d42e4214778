"""The demo, as somebody runs it who has just found this project."""

import json
import re
import subprocess
import sys
from pathlib import Path

DEMO = [sys.executable, "-m", "nonebot_plugin_qqimage", "demo"]


def test_it_tells_what_became_of_each_picture() -> None:
    done = subprocess.run(DEMO, capture_output=True, encoding="utf-8", timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "download url has expired" in done.stdout
    had, possible = re.findall(r"(\d+) of the (\d+) pictures", done.stdout)[0]
    assert had == possible
    assert Path(done.stdout.rstrip().splitlines()[-1]).is_dir()


def test_json() -> None:
    done = subprocess.run([*DEMO, "--json"], capture_output=True, encoding="utf-8", timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)
    assert summary["ok"] is True
    assert set(summary) == {"images", "store", "ok"}
    for image in summary["images"]:
        assert list(image) == [
            "case",
            "naive",
            "source",
            "sha256",
            "mime",
            "width",
            "height",
            "ms",
        ]
    cases = {image["case"]: image for image in summary["images"]}
    assert cases["quoted after its link died"]["source"] == "store"
    assert cases["quoted after its link died"]["sha256"] == cases["group picture"]["sha256"]
    assert cases["nobody has it any more"]["source"] is None
    files = list((Path(summary["store"]["path"]) / "images").rglob("*.*"))
    assert len(files) == summary["store"]["images"]
    assert sum(file.stat().st_size for file in files) == summary["store"]["bytes"]
