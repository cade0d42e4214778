"""How large an answer may be, by what the bot is connected with."""

from types import ModuleType

import pytest
from nonebot import get_adapter
from nonebot.adapters.onebot.v11 import Adapter

from nonebot_plugin_qqimage.implementation.frame_limit import frame_limit

from .fake_bot import FakeBot

KIB, MIB = 1 << 10, 1 << 20


def connection(module: str) -> object:
    return type("WebSocket", (), {"__module__": module})()


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Adapter:
    adapter = get_adapter(Adapter)
    monkeypatch.setattr(adapter, "connections", {})
    return adapter


@pytest.mark.parametrize(
    ("module", "limit"),
    [
        ("nonebot.drivers.websockets", MIB),
        ("nonebot.drivers.aiohttp", 4 * MIB),
        ("nonebot.drivers.fastapi", 16 * MIB),
        ("nonebot.drivers.quart", 16 * MIB),
        ("somebody.elses.driver", MIB),
    ],
)
def test_by_driver(adapter: Adapter, module: str, limit: int) -> None:
    adapter.connections["10001"] = connection(module)  # pyright: ignore[reportArgumentType]
    assert frame_limit(FakeBot(adapter=adapter)) == limit


def test_over_http_there_is_none(adapter: Adapter) -> None:
    adapter.connections["other"] = connection("x")  # pyright: ignore[reportArgumentType]
    assert frame_limit(FakeBot(adapter=adapter)) is None
    assert frame_limit(FakeBot()) is None


@pytest.mark.parametrize("driver", ["websockets", "aiohttp", "fastapi", "quart"])
def test_the_modules_are_called_so(driver: str) -> None:
    """The names of NoneBot's own classes decide; a rename there must show here."""
    module = pytest.importorskip(f"nonebot.drivers.{driver}", exc_type=ImportError)
    assert isinstance(module, ModuleType)
    names = [name for name, thing in vars(module).items() if name.endswith("WebSocket")]
    assert any(getattr(module, name).__module__ == module.__name__ for name in names)
