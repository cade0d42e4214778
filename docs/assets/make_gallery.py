"""Makes the pictures of the gallery page: ``uv run python docs/assets/make_gallery.py``.

A real bot, with pictures that are drawn here, and the system's Chromium.
"""

import asyncio
import io
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from nonebot_plugin_qqimage.demo.bot_process import BotProcess  # noqa: E402
from tests.gallery.conftest import ARGUMENTS, CHROMIUM  # noqa: E402
from tests.gallery.filling import fill  # noqa: E402

SHOTS = {"gallery": ("newest&since=2020-01-01", "light"), "gallery-figures": ("figures", "dark")}


def counted(folder: Path) -> None:
    """What the bot would have counted in a month."""
    dice, hour = random.Random(5), int(time.time() // 3600)
    with closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        for back in range(30 * 24):
            for what, most in (("store", 30), ("url of the segment", 9)):
                row = f"resolved in hour {hour - back:010d}", what, dice.randrange(most)
                database.execute("INSERT INTO counters VALUES (?, ?, ?)", row)
        for what, count in (("store", 9421), ("url of the segment", 3110)):
            database.execute("INSERT INTO counters VALUES ('resolved', ?, ?)", (what, count))
        database.commit()


async def main() -> None:
    """Make both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bot"
        store = folder / "data" / "nonebot_plugin_qqimage"
        fill(store, 1500, days=24, steady=False)
        counted(store)
        settings = {"QQIMAGE__MAX_AGE": 1e9, "QQIMAGE__LANGUAGE": "en"}
        async with BotProcess(folder, settings) as bot, async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for shot, (view, scheme) in SHOTS.items():
                page = await browser.new_page(
                    viewport={"width": 1280, "height": 760},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                await page.goto(await link(bot))
                await page.get_by_role("button", name="Open the page").click()
                await page.wait_for_url("**view=newest**")
                for _ in range(2):  # figures are made in the background
                    await page.goto(f"{page.url.partition('?')[0]}?view={view}")
                    await page.wait_for_load_state("networkidle")
                picture = Image.open(io.BytesIO(await page.screenshot()))
                picture.save(ROOT / "docs" / "assets" / f"{shot}.webp", quality=75, method=6)
            await browser.close()


async def link(bot: BotProcess) -> str:
    """A link to the page, as soon as the bot has said where it is."""
    command = [sys.executable, "-m", "nonebot_plugin_qqimage", "page", "--json"]
    while True:
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=bot.folder, capture_output=True, encoding="utf-8"
        )
        if url := json.loads(done.stdout)["url"]:
            return str(url)


asyncio.run(main())
