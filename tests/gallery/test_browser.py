"""The page in a real Chromium, in front of a real bot with 10,000 pictures."""

import asyncio
import http.server
import json
import os
import re
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.demo.bot_process import BotProcess

from ..cli.conftest import module
from .filling import fill

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import Page

COUNT = 10_000
SHOTS = os.environ.get("QQIMAGE_TEST_SCREENSHOTS", "")
"""A folder for screenshots; empty for none."""
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def bot(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[BotProcess, list[ImageInfo]]]:
    folder = tmp_path_factory.mktemp("gallery") / "bot"
    store = folder / "data" / "nonebot_plugin_qqimage"
    infos = await asyncio.to_thread(fill, store, COUNT)
    settings = {"QQIMAGE__MAX_AGE": 1e9, "SUPERUSERS": ["80001"], "QQIMAGE__LANGUAGE": "en"}
    async with BotProcess(folder, settings) as bot:
        yield bot, infos


async def link_of(bot: BotProcess) -> str:
    """What the command line gives beside the running bot."""
    with anyio.fail_after(30):
        while True:
            done = await module(bot.folder, "page", "--json")
            if url := json.loads(done.out)["url"]:
                return str(url)
            await anyio.sleep(0.3)  # the bot has just started


@asynccontextmanager
async def tab(
    chromium: "Chromium", base: str, width: int = 1280, scheme: str = "light", wrong: int = 0
) -> "AsyncIterator[Page]":
    """A new browser's page; nothing in it may fail, or ask anybody else for anything.

    Args:
        chromium: shows it.
        base: where the page is.
        width: pixels of the window.
        scheme: light or dark.
        wrong: how many answers are refused, each of which the console says.
    """
    context = await chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
        accept_downloads=True,
    )
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on(
        "response",
        lambda answer: (
            said.append(f"{answer.status} of {answer.url}") if answer.status >= 400 else None
        ),
    )
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        yield page
        answers = [line for line in said if re.match("4.. of ", line)]
        refused = [line for line in said if "the server responded with a status of 4" in line]
        assert len(refused) == wrong, said
        assert [line for line in said if line not in (*refused, *answers)] == []
        assert {url for url in asked if not url.startswith((base, "data:"))} == set()
        assert not any("#" in url.partition("?view=login")[2] for url in asked[1:])
    finally:
        await context.close()


async def log_in(page: "Page", link: str) -> None:
    await page.goto(link)
    assert "#" not in page.url  # gone from the address bar, and from the history
    await page.get_by_role("button", name="Open the page").click()
    await page.wait_for_url("**view=newest**")


async def test_a_session(chromium: "Chromium", bot: tuple[BotProcess, list[ImageInfo]]) -> None:
    from playwright.async_api import expect

    process, infos = bot
    link = await link_of(process)
    base = link.partition("/qqimage/")[0]
    async with tab(chromium, base) as page:
        await log_in(page, link)
        # browse: the pages below one another, with no end in sight
        tiles = page.locator(".tile a.open")
        assert await tiles.count() == 60
        for number in range(2, 5):
            await page.locator("#more a").click()
            await expect(page.locator(".tile")).to_have_count(60 * number)
        found = [
            (await tiles.nth(number).get_attribute("href") or "").rpartition("=")[2]
            for number in (0, 59, 60, 239)
        ]
        assert found == [infos[-1 - number].sha256 for number in (0, 59, 60, 239)]
        first = page.locator(".tile img").first
        await expect(first).to_have_js_property("complete", True)
        assert await first.evaluate("image => image.naturalWidth") > 1
        # filter
        await page.locator(".filters summary").click()
        await page.get_by_label("Chat").fill("group:20003")
        await page.get_by_label("Type").select_option("gif")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.wait_for_url("**chat=group**type=gif**")
        assert 0 < await tiles.count() <= 60
        # open one by the keyboard
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**view=picture**")
        assert "group:20003" in await page.locator("table").inner_text()
        sha256 = page.url.rpartition("=")[2]
        # pin, without leaving the page
        await page.get_by_role("button", name="Pin", exact=True).click()
        await page.get_by_role("button", name="Unpin").wait_for()
        assert "view=picture" in page.url
        await page.goto(f"{base}/qqimage/page?view=newest&pinned=1")
        assert await tiles.count() == 1
        # forget it, after being asked
        await page.locator(".pick input").check()
        await page.get_by_role("button", name="Forget…").click()
        await page.get_by_role("heading", name="Forget this picture?").wait_for()
        await page.get_by_role("button", name="Forget", exact=True).click()
        await page.get_by_role("status").wait_for()
        assert [*process.store.rglob(f"*{sha256}*")] == []
        # export what is selected
        for number in range(3):
            await page.locator(".pick input").nth(number).check()
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export as ZIP").click()
        with zipfile.ZipFile(await (await download.value).path()) as file:
            assert len(file.namelist()) == 3
        # the other views
        for name in ("Duplicates", "Figures", "Failures", "Doctor"):
            await page.get_by_role("link", name=name, exact=True).click()
            await page.locator("#groups, .cards, .plot, .lines").first.wait_for()
        # log out
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_role("heading", name="You are logged out.").wait_for()
    await link_of(process)  # with none and no session, the page would not be there at all
    async with tab(chromium, base, wrong=1) as page:
        await page.goto(f"{base}/qqimage/page?view=newest")
        await page.get_by_role("heading", name="You are not logged in").wait_for()
    async with tab(chromium, base, wrong=1) as page:  # the same link again
        await page.goto(link)
        await page.get_by_role("button", name="Open the page").click()
        await page.get_by_role("heading", name="This link has been used").wait_for()
    assert "Traceback" not in process.log


@contextmanager
def other_site(target: str, sha256: str) -> Iterator[int]:
    """Another site, whose page posts a form to ours as soon as somebody opens it."""
    form = (
        f"<form method=post action='{target}'><input name=action value=forget>"
        f"<input name=sha value={sha256}><input name=sure value=yes></form>"
        "<script>document.forms[0].submit()</script>"
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_form_of_another_site(
    chromium: "Chromium", bot: tuple[BotProcess, list[ImageInfo]], host: str
) -> None:
    """Of another site, or of another server on the same host."""
    process, infos = bot
    link = await link_of(process)
    base = link.partition("/qqimage/")[0]
    sha256 = infos[0].sha256
    with other_site(f"{base}/qqimage/page", sha256) as port:
        context = await chromium.new_context()
        page = await context.new_page()
        await log_in(page, link)
        await page.goto(f"http://{host}:{port}/")
        await page.wait_for_url("**/qqimage/page")
        assert "this form is not one of this page" in await page.content()
        await page.goto(f"{base}/qqimage/page?view=picture&sha={sha256}")
        assert "view=picture" in page.url
        assert infos[0].md5 in await page.content()  # it is still there, and so is the session
        await context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_layout(
    chromium: "Chromium", bot: tuple[BotProcess, list[ImageInfo]], width: int, scheme: str
) -> None:
    """Nothing is wider than the window, and everything can be read."""
    process, infos = bot
    link = await link_of(process)
    base = link.partition("/qqimage/")[0]
    async with tab(chromium, base, width, scheme) as page:
        await log_in(page, link)
        views = ["newest", f"picture&sha={infos[-1].sha256}", "duplicates"]
        views += ["figures", "failures", "doctor"]
        for view in views:
            await page.goto(f"{base}/qqimage/page?view={view}")
            await page.locator(".tiles, .picture, #groups, .cards, .plot, .lines").first.wait_for()
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, view
            ground, text = await page.evaluate(
                "(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"
            )
            light, dark = sorted((_brightness(ground), _brightness(text)), reverse=True)
            assert light - dark > 150, view
            assert (_brightness(ground) > 128) == (scheme == "light")
            if SHOTS:
                await page.wait_for_load_state("networkidle")
                name = f"{view.partition('&')[0]}-{scheme}-{width}.png"
                await page.screenshot(path=Path(SHOTS) / name, full_page=view != "newest")


@pytest.mark.parametrize("host", ["", "[::1", "a b", "x:99999", "::1", "\xff\xfe", "x" * 10_000])
async def test_what_is_no_host_is_refused_in_words(
    bot: tuple[BotProcess, list[ImageInfo]], host: str
) -> None:
    own = int(re.findall(r":(\d+)/", await link_of(bot[0]))[0])
    for port in (own, bot[0].port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        line = "GET /qqimage/page?view=login HTTP/1.1\r\n"
        writer.write(f"{line}Host: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
        head, _, said = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
        writer.close()
        assert int(head.split()[1]) in (400, 421)
        assert said
    assert "Traceback" not in bot[0].log


def _brightness(colour: str) -> float:
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return 0.3 * red + 0.59 * green + 0.11 * blue
