"""The two plugins of the page on pictures seen before run, against a fake of the OpenAI API."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from ..looks.changing import KEPT, encoded, worded
from ..looks.making import photo
from .pages import blocks

PATIENCE = 30.0
SEEN = re.compile(r"\d{4}-\d\d-\d\d.* \d ")
PAGES = ["docs/en/seen-before.md", "docs/zh/seen-before.md"]


class Model:
    """A fake of ``/v1/chat/completions``."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer sk-test"
        self.asked.append(await request.json())
        content = f"第 {len(self.asked)} 张：一只橘猫"
        return web.json_response({"choices": [{"message": {"content": content}}]})


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Model]:
    model = Model()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/v1/chat/completions", model.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    yield model
    await runner.cleanup()


async def _looked_at(store: Path) -> None:
    """Wait until the first picture was looked at, and the plugin has had its turn."""
    for _ in range(600):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(store / "index.sqlite3")) as index,
        ):
            if index.execute("SELECT 1 FROM looks").fetchone():
                await asyncio.sleep(3)
                return
        await asyncio.sleep(0.05)


async def _said(chat: SimulatedImplementation) -> str:
    while (text := (await chat.next_sent(PATIENCE)).text).startswith("{"):
        continue
    return text


@pytest.mark.parametrize("page", PAGES)
async def test_the_plugins(page: str, tmp_path: Path, model: Model) -> None:
    plugins = [tmp_path / f"seen_{number}.py" for number in range(2)]
    for plugin, code in zip(plugins, blocks(page, "python"), strict=True):
        plugin.write_text(code, "utf-8")
    original = photo(1)
    async with SimulatedCdn() as cdn, BotProcess(tmp_path / "bot", plugins=tuple(plugins)) as bot:
        chat = SimulatedImplementation("napcat", cdn)
        async with ReverseWebSocket(chat, bot.ws_url):
            await chat.connected(1, PATIENCE)
            await chat.send_group(chat.picture(encoded(original)))
            await _looked_at(bot.store)  # there is nothing to say of it
            for _ in range(2):
                await chat.send_group(["/describe", chat.picture(encoded(original))])
                told = {await _said(chat), await _said(chat)}
                assert "第 1 张：一只橘猫" in told
                assert any(SEEN.search(text) for text in told), told
            assert len(model.asked) == 1
            sent = model.asked[0]["messages"][0]["content"][1]["image_url"]["url"]
            assert sent.startswith("data:image/png;base64,")
            await chat.send_group(chat.picture(KEPT["JPEG 50"](original)))
            told = await _said(chat)
            assert SEEN.search(told), told
            await chat.send_group(chat.picture(encoded(worded(original, 1))))  # and nothing of it
            await chat.send_group("/find 橘猫")
            while not (found := await chat.next_sent(PATIENCE)).pictures:
                assert found.text.startswith("{")
            assert found.pictures == [encoded(original)]
