"""The examples run: those for authors in a real bot, and others as far as they can alone.

Recipes have a suite of their own: see `test_recipes`.
"""

import ast
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .pages import PAGES, blocks

FOR_AUTHORS = ["README.md", "README.zh-CN.md", "docs/en/authors.md", "docs/zh/authors.md"]
FIRST_PLUGINS = ["docs/en/first-plugins.md", "docs/zh/first-plugins.md"]
RECIPES = ["docs/en/recipes.md", "docs/zh/recipes.md"]
PATIENCE = 30.0
"""Seconds for one answer of the bot."""


@pytest.fixture(scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatedImplementation]:
    """A chat with a bot that has the examples of each page as a plugin."""
    folder = tmp_path_factory.mktemp("examples")
    plugins: list[Path] = []
    for page in FOR_AUTHORS:
        plugins.append(folder / f"{page.replace('/', '_').replace('.', '_')}.py")
        plugins[-1].write_text("\n".join(blocks(page, "python")), "utf-8")
    async with SimulatedCdn() as cdn:
        implementation = SimulatedImplementation("napcat", cdn)
        async with BotProcess(folder / "bot", plugins=tuple(plugins)) as bot:
            async with ReverseWebSocket(implementation, bot.ws_url):
                await implementation.connected(1, PATIENCE)
                yield implementation


async def answers(chat: SimulatedImplementation, *parts: object) -> set[str]:
    """What the examples in both languages answer to a message; the demo's own plugin is not one."""
    await chat.send_group(list(parts))  # type: ignore[arg-type]
    told: list[str] = []
    while len(told) < 2:
        text = (await chat.next_sent(PATIENCE)).text
        if not text.startswith("{"):
            told.append(text)
    return set(told)


async def test_size(chat: SimulatedImplementation) -> None:
    told = await answers(chat, "/size", chat.picture(png()))
    assert len(told) == 2
    assert all(text.startswith("320 × 200 ") for text in told), told


async def test_what(chat: SimulatedImplementation) -> None:
    told = await answers(chat, "/what", chat.picture(png(seed=2)))
    assert len(told) == 2
    assert all(text.startswith("image/png ") for text in told), told


async def test_records(chat: SimulatedImplementation) -> None:
    pictures = [chat.picture(png(seed=seed)) for seed in (3, 4)]
    record = chat.forward([[picture] for picture in pictures])
    total = sum(len(picture.hosted.data) for picture in pictures)
    told = await answers(chat, "/records", record)
    assert len(told) == 2
    assert all("2 " in text and str(total) in text for text in told), told


async def test_last_and_today(chat: SimulatedImplementation) -> None:
    await answers(chat, "/size", chat.picture(png(seed=5)))
    (uri,) = await answers(chat, "/last")  # both languages say the same
    assert uri.startswith("qqimage:"), uri
    assert all(" 1 " in text or text.startswith("1 ") for text in await answers(chat, "/today"))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in (*FOR_AUTHORS, *FIRST_PLUGINS, *RECIPES)]
)
def test_others_are_python_and_import_what_there_is(page: str) -> None:
    for block in blocks(page, "python"):
        tree = ast.parse(block)
        compile(tree, page, "exec")
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        exec(compile(ast.Module(imports, []), page, "exec"), {})
