"""Each failure in the operators' table, provoked: the log has those words, the hint the cure."""

import asyncio
import base64
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import QQImageError
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.language import Language, use
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .. import samples
from ..fetch.fetching import EXPIRED, PNG
from ..fetch.http_server import Request, Server, reply, serving
from ..implementation.fake_bot import HANG, FakeBot, unknown
from .pages import READMES, headings, rows, section

PAGES: dict[Language, tuple[str, str]] = {
    "en": ("docs/en/operators.md", "Troubleshooting"),
    "zh": ("docs/zh/operators.md", "排查"),
}
_SETTING = re.compile("QQIMAGE__[A-Z_]+")
HINTS: dict[Language, str] = {"en": "Hint: ", "zh": "提示："}


def table(page: str, heading: str) -> list[tuple[str, str]]:
    """What the log says, and what to do, of each row below a heading."""
    found = rows(section(page, heading))
    return [(match[1], cells[1]) for cells in found if (match := re.fullmatch("`(.+)`", cells[0]))]


@dataclass
class Place:
    """Where things go wrong."""

    server: Server
    folder: Path

    async def ask(
        self, bot: FakeBot, *, url: str = "", size: int | None = None, **settings: Any
    ) -> None:
        """Let a bot be asked for an image, whatever comes of it."""
        config = ScopedConfig(**{"trusted_hosts": ["127.0.0.1"], "prefetch": False, **settings})
        store = ImageStore(self.folder / "store", max_size=1 << 40, max_age=1e9)
        services = Services.of(config, store, Fetcher(config), lambda: {"10001": bot})
        wanted = ImageReference(self_id="10001", message_id="5", file="a.png", url=url, size=size)
        try:
            with contextlib.suppress(QQImageError):
                await asyncio.wait_for(services.resolver.image(wanted), 60)
        finally:
            await services.pipeline.close()


def lacking(**replies: Any) -> FakeBot:
    """An implementation that has nothing else."""
    return FakeBot(unknown(), **replies)


async def no_such_file(place: Place) -> None:
    await place.ask(lacking(get_image={"file": str(place.folder / "pictures" / "a.png")}))


async def not_in_mapped_folder(place: Place) -> None:
    (place.folder / "shared").mkdir()
    path_map = {"/app/pictures": str(place.folder / "shared")}
    await place.ask(lacking(get_image={"file": "/app/pictures/a.png"}), path_map=path_map)


async def mapped_to_no_folder(place: Place) -> None:
    path_map = {"/app/pictures": str(place.folder / "nowhere")}
    await place.ask(lacking(get_image={"file": "/app/pictures/a.png"}), path_map=path_map)


async def no_permission(place: Place) -> None:
    picture = place.folder / "a.png"
    picture.write_bytes(PNG)
    picture.chmod(0)
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # who may read everything
            opened = os.open

            def refuse(path: Any, *arguments: Any) -> int:
                if Path(path) == picture:
                    raise PermissionError(13, "Permission denied")
                return opened(path, *arguments)

            patch.setattr(os, "open", refuse)
        await place.ask(lacking(get_image={"file": str(picture)}))


async def no_get_image(place: Place) -> None:
    place.server["/dead"] = reply(EXPIRED, "400 Bad Request")
    await place.ask(lacking(), url=place.server.url("/dead"))


async def too_large_for_the_connection(place: Place) -> None:
    bot = lacking(
        get_version_info={"app_name": "NapCat.Onebot", "app_version": "4.18.19"},
        get_image={"base64": base64.b64encode(PNG).decode()},
    )
    await place.ask(bot, size=1 << 20, frame_limit=1 << 16)


async def a_slow_implementation(place: Place) -> None:
    await place.ask(lacking(get_image=HANG), get_image_timeout=0.1)


async def a_dead_link(place: Place) -> None:
    place.server["/dead"] = reply(EXPIRED, "400 Bad Request")
    await place.ask(lacking(), url=place.server.url("/dead"))


async def a_slow_host(place: Place) -> None:
    async def hang(request: Request) -> None:
        await request.reader.read()

    place.server["/slow"] = hang
    await place.ask(lacking(), url=place.server.url("/slow"), download_timeout=0.2)


async def no_host(place: Place) -> None:
    await place.ask(lacking(), url="http://127.0.0.1:9/a.png")


async def a_private_address(place: Place) -> None:
    await place.ask(lacking(), url="http://127.0.0.1:9/a.png", trusted_hosts=[])


async def a_large_picture(place: Place) -> None:
    place.server["/large"] = reply(samples.png())
    await place.ask(lacking(), url=place.server.url("/large"), max_image_size=10)


async def a_login_page(place: Place) -> None:
    page = b"<!DOCTYPE html><html><title>Log in</title></html>"
    place.server["/a.png"] = reply(page, content_type="text/html")
    there = place.folder / "pictures" / "a.png"  # which is not the only thing that is wrong
    await place.ask(lacking(get_image={"file": str(there)}), url=place.server.url("/a.png"))


async def a_full_disk(place: Place) -> None:
    place.server["/a.png"] = reply(PNG)
    (place.folder / "store").write_text("a file, where the folder should be")
    await place.ask(lacking(), url=place.server.url("/a.png"))


PROVOKED: list[Callable[[Place], Awaitable[None]]] = [
    no_such_file,
    not_in_mapped_folder,
    mapped_to_no_folder,
    no_permission,
    no_get_image,
    too_large_for_the_connection,
    a_slow_implementation,
    a_dead_link,
    a_slow_host,
    no_host,
    a_private_address,
    a_large_picture,
    a_login_page,
    a_full_disk,
]
"""What to do for each row, in order."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with serving() as server:
        yield Place(server, tmp_path)


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[Language]:
    use(request.param)
    yield request.param
    use("en")


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lines.append, level="WARNING", format="{message}")
    yield lines
    logger.remove(handler)


@pytest.mark.skipif(sys.platform == "win32", reason="paths of the implementation are POSIX ones")
@pytest.mark.parametrize("row", range(len(PROVOKED)), ids=lambda row: PROVOKED[row].__name__)
async def test_the_log_has_these_words_and_the_hint_this_cure(
    row: int, language: Language, place: Place, log: list[str]
) -> None:
    listed = table(*PAGES[language])
    assert len(listed) == len(PROVOKED)
    words, cure = listed[row]
    await PROVOKED[row](place)
    line = next((line for line in log if _says(line, words)), "")
    assert line, f"{words!r} is not what the log says:\n{''.join(log)}"
    assert line.startswith("qqimage: ")
    hint = line.partition(HINTS[language])[2]
    assert hint, line
    assert set(_SETTING.findall(cure)) <= set(_SETTING.findall(hint))
    if language == "zh":
        assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", hint), hint


def _says(line: str, words: str) -> bool:
    """Whether a line says that, with anything where the words have an ellipsis."""
    return re.search(".*".join(map(re.escape, words.split(" … "))), line) is not None


@pytest.mark.parametrize("language", PAGES)
def test_the_readme_has_rows_of_that_table(language: Language) -> None:
    page = READMES[language]
    heading = PAGES[language][1]
    assert heading in [text for _, text in headings(page)]
    listed = {words for words, _ in table(*PAGES[language])}
    shown = [words for words, _ in table(page, heading)]
    assert len(shown) >= 5
    assert set(shown) <= listed
