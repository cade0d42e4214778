"""Loading: in the store's test, in a bot without extras, and outside any bot."""

import os
import subprocess
import sys
from pathlib import Path

import nonebot
import pytest
from pydantic import BaseModel

import nonebot_plugin_qqimage

FAKE_DRIVER = """
from nonebot.drivers import ASGIMixin, Driver as BaseDriver, HTTPClientMixin, WebSocketClientMixin


def refuse(self, *args, **kwargs):
    raise NotImplementedError


class Driver(BaseDriver, ASGIMixin, HTTPClientMixin, WebSocketClientMixin):
    type = property(lambda self: "fake")
    server_app = property(lambda self: None)
    asgi = property(refuse)
    logger = property(refuse)
    run = request = stream_request = websocket = get_session = refuse
    setup_http_server = setup_websocket_server = refuse
"""

LOAD = """
import nonebot

nonebot.init()
plugin = nonebot.load_plugin("nonebot_plugin_qqimage")
assert plugin and plugin.metadata, "not loaded"
print("loaded", plugin.metadata.name)
"""

TRY = """
import nonebot

nonebot.init()
nonebot.load_plugin("nonebot_plugin_qqimage")
print("the bot goes on")
"""

WITHOUT_EXTRAS = """
import sys

for name in ("aiohttp", "fastapi", "uvicorn", "websockets", "PIL", "rich"):
    sys.modules[name] = None
"""

OUTSIDE = """
import importlib, pkgutil
import nonebot_plugin_qqimage as package
from nonebot.message import _event_preprocessors

assert package.Images and package.ImageResolver
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if "__main__" not in module.name and ".project" not in module.name:
        importlib.import_module(module.name)
assert not _event_preprocessors
try:
    package.get_resolver()
except RuntimeError as error:
    print(error)
"""


def python(code: str, folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *(arguments or ("-c", code))],
        cwd=folder,
        env={**os.environ, "LOCALSTORE_USE_CWD": "true", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def test_under_a_driver_whose_every_method_raises(tmp_path: Path) -> None:
    (tmp_path / "fake.py").write_text(FAKE_DRIVER)
    assert "loaded" in python(LOAD, tmp_path, DRIVER="fake", PYTHONPATH=str(tmp_path))


def test_without_extras(tmp_path: Path) -> None:
    assert "loaded" in python(WITHOUT_EXTRAS + LOAD, tmp_path, DRIVER="~none")


def test_outside_a_bot_nothing_is_wired(tmp_path: Path) -> None:
    assert 'require("nonebot_plugin_qqimage")' in python(OUTSIDE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_demo_says_what_it_lacks(tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        "sys.modules['fastapi'] = None\n"
        "sys.argv = ['qqimage', 'demo']\n"
        "sys.stderr = sys.stdout\n"
        "try:\n    runpy.run_module('nonebot_plugin_qqimage', run_name='__main__')\n"
        "except SystemExit as end:\n    print(end.code)\n"
    )
    printed = python(code, tmp_path)
    assert "nonebot-plugin-qqimage[demo]" in printed
    assert printed.rstrip().endswith("2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"QQIMAGE__MAX_IMAGE_SIZE": "-1", "QQIMAGE__DOWNLOAD_TIMEOUT": "soon"},
        {"QQIMAGE__PROXY": "nonsense"},
        {"QQIMAGE__MIRRORS": '{"gchat.qpic.cn": "nonsense"}'},
    ],
    ids=" ".join,
)
def test_wrong_settings_are_named(tmp_path: Path, wrong: dict[str, str]) -> None:
    log = python(TRY, tmp_path, DRIVER="~none", **wrong)
    for name in wrong:
        field = name.removeprefix("QQIMAGE__")
        assert field in log or field.lower() in log, log
    assert "Traceback" not in log
    assert "the bot goes on" in log


def test_metadata_is_what_the_store_demands() -> None:
    metadata = nonebot_plugin_qqimage.__plugin_meta__
    assert len(metadata.name) <= 50
    assert metadata.homepage
    assert metadata.homepage.startswith("https://")
    assert metadata.type == "library"
    assert metadata.config
    assert issubclass(metadata.config, BaseModel)
    assert metadata.supported_adapters == {"~onebot.v11"}
    assert len(metadata.extra["tags"]) <= 3
    plugin = nonebot.get_plugin("nonebot_plugin_qqimage")
    assert plugin is not None
    assert plugin.metadata is metadata
