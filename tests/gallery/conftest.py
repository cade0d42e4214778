"""The page in this process, on a store with a few pictures; and Chromium, where there is one."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.doctor.line import Line
from nonebot_plugin_qqimage.gallery.entry.addresses import Addresses
from nonebot_plugin_qqimage.gallery.gallery import Gallery
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .asking import HOST, Browser
from .filling import fill

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ImageInfo]]:
    folder = tmp_path_factory.mktemp("filled") / "store"
    return folder, fill(folder, 150)


@pytest.fixture
def infos(filled: tuple[Path, list[ImageInfo]]) -> list[ImageInfo]:
    """150 pictures in the store, the latest last."""
    return filled[1]


@pytest.fixture
async def store(tmp_path: Path, filled: tuple[Path, list[ImageInfo]]) -> AsyncIterator[ImageStore]:
    shutil.copytree(filled[0], tmp_path / "store")
    store = ImageStore(tmp_path / "store", max_size=1 << 40, max_age=1e9)
    yield store
    await store.close()


@pytest.fixture
async def gallery(store: ImageStore) -> AsyncIterator[Gallery]:
    gallery = make_gallery(store)
    yield gallery
    await gallery.close()


@pytest.fixture
async def browser(gallery: Gallery) -> Browser:
    """Somebody who is logged in."""
    browser = Browser(gallery)
    assert (await browser.log_in()).status_code == 303
    return browser


def make_gallery(store: ImageStore, public_url: str = "") -> Gallery:
    async def examine() -> list[Line]:
        return [Line("warning", "store", "<b>full</b>", "make room")]

    gallery = Gallery(store, ScopedConfig(public_url=public_url), examine)
    gallery.addresses = Addresses(public_url, [f"http://{HOST}"])
    return gallery


@pytest.fixture(scope="session")
async def chromium() -> "AsyncIterator[Chromium]":
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()
