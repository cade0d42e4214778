"""Asking for the page in a chat, and opening the link over a real socket."""

import re
from pathlib import Path

import anyio
import httpx
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from ..cli.conftest import module
from ..e2e.bots import PATIENCE, connected, started

SUPERUSER, MEMBER = 80001, 80002
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/qqimage/page)\?view=login#(\S+)")


async def answers(implementation: SimulatedImplementation, count: int) -> list[str]:
    return [(await implementation.next_sent(PATIENCE)).text for _ in range(count)]


@pytest.mark.parametrize("driver", ["~fastapi", "~quart"])
async def test_a_link_in_private(tmp_path: Path, driver: str) -> None:
    settings = {"SUPERUSERS": [str(SUPERUSER)], "DRIVER": driver, "QQIMAGE__LANGUAGE": "en"}
    async with (
        SimulatedCdn() as cdn,
        started(tmp_path / "bot", settings=settings) as bot,
        connected(SimulatedImplementation("napcat", cdn), bot) as implementation,
        httpx.AsyncClient() as client,
    ):
        bots = f"http://127.0.0.1:{bot.port}/qqimage/page"
        for query in ("", "?view=login", "?asset=page.js"):
            assert (await client.get(bots + query)).status_code == 404
        # who may not ask gets nothing, and in a group nobody does
        await implementation.send_private("/qqimage page", user_id=MEMBER)
        await implementation.send_group("/qqimage page", user_id=MEMBER)
        await implementation.send_group("图库", user_id=MEMBER)
        await implementation.send_group("图库", user_id=SUPERUSER)
        (refused,) = await answers(implementation, 1)
        assert "private chat" in refused
        assert (await client.get(bots)).status_code == 404
        for words in ("/qqimage page", "图库", "/图库"):
            await implementation.send_private(words, user_id=SUPERUSER)
            about, link = await answers(implementation, 2)
            assert "once" in about
            assert bots.partition("/qqimage")[0] in about  # tried, and it opens there
            match = LINK.fullmatch(link)
            assert match is not None, link
        base, path, token = match.groups()
        assert about.count(base) == 1
        # both servers have the page, with the same sessions
        form = {"action": "login", "token": token}
        response = await client.post(base + path, data=form, headers={"Origin": base})
        assert response.status_code == 303
        client.cookies.set(*response.headers["Set-Cookie"].partition(";")[0].split("=", 1))
        for place in (base + path, bots):
            assert "no picture" in (await client.get(place)).text.lower()
        # an end to it, by a command
        await implementation.send_private("/qqimage page close", user_id=SUPERUSER)
        (closed,) = await answers(implementation, 1)
        assert closed == "links and sessions of the page that were ended: 3"
        for place in (base + path, bots):
            assert (await client.get(place)).status_code == 404
        with anyio.move_on_after(0.5):
            raise AssertionError(await implementation.next_sent(PATIENCE))


async def test_a_driver_that_only_connects(tmp_path: Path) -> None:
    """It has no HTTP server, but we have one."""
    settings = {"DRIVER": "~httpx+~websockets", "QQIMAGE__LANGUAGE": "en"}
    async with started(tmp_path / "bot", settings=settings) as bot:
        with anyio.fail_after(PATIENCE):
            while '"url": null' in (done := await module(bot.folder, "page", "--json")).out:
                await anyio.sleep(0.3)
        match = LINK.fullmatch(done.json["url"])
        assert match is not None, done.out
        base, path, token = match.groups()
        async with httpx.AsyncClient() as client:
            form = {"action": "login", "token": token}
            response = await client.post(base + path, data=form, headers={"Origin": base})
            assert response.status_code == 303
