"""Plugins that know nothing of us: they download, send again, keep and ask as they always did."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import PHOTO

from .bots import (
    PATIENCE,
    SharedBot,
    accounts,
    connected,
    fresh,
    new_png,
    sha256,
    started,
    told,
)

FLAVOURS = ["luckylilliabot-8", "napcat", "snowluma", "lagrange"]
OTHER_GROUP = 20002
"""Where URLs are not rewritten."""


async def say(
    implementation: SimulatedImplementation,
    command: str,
    *pictures: bytes,
    quote: int | None = None,
    group: int = 20001,
) -> int:
    """Send a command with pictures behind it."""
    parts = [command, *map(implementation.picture, pictures)]
    return await implementation.send_group(parts, quote=quote, group_id=group)


async def text(implementation: SimulatedImplementation) -> str:
    return (await implementation.next_sent(PATIENCE)).text


@asynccontextmanager
async def rewriting(folder: Path) -> AsyncIterator[SharedBot]:
    settings = {
        "QQIMAGE__REWRITE_URL": ["group:20001"],
        "QQIMAGE__REWRITE_EXCLUDE": ["remote_vision"],
    }
    async with started(folder, "unknowing", "remote_vision", settings=settings) as bot:
        yield bot


async def test_with_dead_links(tmp_path: Path) -> None:
    pictures = {flavour: new_png() for flavour in FLAVOURS}
    async with rewriting(tmp_path / "bot") as bot:
        port = bot.port
        for flavour, data in pictures.items():
            await _dead_links(flavour, data, bot)
        async with SimulatedCdn() as cdn:
            await _in_some_chats_and_not_for_all(cdn, bot)
    # on another port, with nobody to ask
    async with rewriting(tmp_path / "bot") as bot, SimulatedCdn() as cdn:
        assert bot.port != port
        for flavour, data in pictures.items():
            implementation = SimulatedImplementation(flavour, cdn, self_id=next(accounts))
            cdn.faults.set(Fault.NOT_FOUND)
            async with connected(implementation, bot):
                await say(implementation, f"/recall {flavour}")
                sent = [(await implementation.next_sent(PATIENCE)).pictures for _ in range(2)]
                assert sent == [[data]] * 2
                if flavour != "lagrange":  # whose file is no name
                    await implementation.send_group(implementation.picture(data))
                    assert (await told(implementation))["source"] == "store"
                    assert not implementation.calls_of("get_image")


async def _dead_links(flavour: str, data: bytes, bot: SharedBot) -> None:
    async with SimulatedCdn() as cdn:
        implementation = SimulatedImplementation(flavour, cdn, self_id=next(accounts))
        async with connected(implementation, bot):
            photo = implementation.picture(fresh(PHOTO))
            first = await implementation.send_group(photo)
            assert (await told(implementation))["sha256"] == sha256(photo.hosted.data)
            await implementation.send_group(implementation.picture(data))
            assert (await told(implementation))["sha256"] == sha256(data)
            # Lagrange names no picture, so what is in the store does not help a new message
            dead = photo.hosted.fileid if flavour == "lagrange" else None
            cdn.faults.set(Fault.EXPIRED, fileid=dead)
            implementation.behaviour.hanging |= {"get_image", "get_rkey"}

            await say(implementation, "/fetch", data, quote=first)
            fetched = json.loads(await text(implementation))
            assert fetched == [[sha256(data)]] * 2 + [[sha256(photo.hosted.data)]]
            if flavour != "lagrange":  # whose file is no name
                await say(implementation, "/ask", data)
                assert json.loads(await text(implementation)) == [sha256(data)] * 3
            for command in ("/again", "/node"):
                await say(implementation, command, data)
                sent = await implementation.next_sent(PATIENCE)
                assert sent.pictures == [data]
                assert "http" not in json.dumps(sent.params)
            await say(implementation, f"/save {flavour}", data)
            assert await text(implementation) == "saved"


async def _in_some_chats_and_not_for_all(cdn: SimulatedCdn, bot: SharedBot) -> None:
    implementation = SimulatedImplementation("napcat", cdn, self_id=next(accounts))
    async with connected(implementation, bot):
        ours = f"{bot.served_at}/qqimage/download?"
        for group_id, start in ((20001, ours), (OTHER_GROUP, cdn.base_url)):
            picture = implementation.picture(new_png())
            await implementation.send_group(["/see", picture], group_id=group_id)
            answers = dict([(await text(implementation)).split(" ", 1) for _ in range(3)][:2])
            seen, said = answers["here"].split(" said ")
            assert seen[::-1].startswith(start)
            assert said == cdn.url(picture.hosted, spec=False)  # others can do nothing with ours
            assert answers["far"] == cdn.url(picture.hosted, spec=False)
        # a call that has failed is repaired there, too: nothing can be lost
        implementation.answers["get_image"] = implementation.refusal("file not found")
        data = picture.hosted.data
        await say(implementation, "/ask", data, group=OTHER_GROUP)
        assert json.loads(await text(implementation)) == [sha256(data)] * 3
