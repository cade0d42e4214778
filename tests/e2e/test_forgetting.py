"""What is forgotten is gone: files, copies, memory of all processes, URLs, what is on its way."""

import asyncio
import sqlite3
from contextlib import closing

import aiohttp
import anyio
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.fileid import unreadable_fileid
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from ..cli.conftest import module
from .bots import PATIENCE, Simulate, connected, files, new_png, sha256, stored, told
from .stages import NEW, Stage, asked, by_hand, said, staged, written

CHAT = 20031


async def forget_by_command(stage: Stage, chat: str) -> None:
    done = await module(stage.bot.folder, "forget", "--chat", chat, "--yes")
    assert done.status == 0, done.err


async def statuses(url: str) -> list[int]:
    """Of a GET, a HEAD, one for a part, and one by somebody who has the picture already."""
    async with aiohttp.ClientSession() as session:
        found: list[int] = []
        for method, headers in (
            ("GET", {}),
            ("HEAD", {}),
            ("GET", {"Range": "bytes=0-9"}),
            ("GET", {"If-None-Match": "*"}),
        ):
            async with session.request(method, url, headers=headers) as response:
                found.append(response.status)
        return found


async def test_pictures_of_forwarded_records(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    pictures = [implementation.picture(new_png()) for _ in range(3)]
    record = implementation.forward([pictures[:2], implementation.forward([pictures[2]])])
    await implementation.send_group(["/record ", record], group_id=CHAT)
    assert await said(implementation) == [sha256(each.hosted.data) for each in pictures]
    for each in pictures:
        await stored(stage.bot, each.hosted.data)
    sightings, images = await asked(implementation, f"/forget group:{CHAT}")
    assert (sightings, images) == (3, 3)
    assert not any(files(stage.bot, each.hosted.data) for each in pictures)


async def test_a_picture_on_its_way(
    stage: Stage, implementation: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    data = new_png()
    implementation.behaviour.missing.add("get_image")
    picture = implementation.picture(data)
    cdn.faults.delays[picture.hosted.fileid] = 1.0
    await implementation.send_group(picture, group_id=CHAT)
    await anyio.sleep(0.4)
    assert (await asked(implementation, f"/forget group:{CHAT}"))[0] == 1
    assert (await told(implementation))["sha256"] == sha256(data)  # who waited has it
    await anyio.sleep(0.7)
    assert not files(stage.bot, data)
    assert await asked(implementation, "/last", group_id=CHAT) == []
    before = cdn.fetches(picture.hosted)
    await implementation.send_group(picture, group_id=CHAT)
    assert (await told(implementation))["sha256"] == sha256(data)
    assert cdn.fetches(picture.hosted) == before + 1


async def test_a_damaged_copy_that_was_put_aside(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    data = new_png()
    await implementation.send_group(implementation.picture(data), group_id=CHAT)
    await told(implementation)
    await stored(stage.bot, data)
    (file,) = files(stage.bot, data)
    file.write_bytes(data[:-1] + b"!")
    done = await module(stage.bot.folder, "verify", "--repair")
    assert list((stage.bot.store / "quarantine").glob(f"*{sha256(data)}*")), done
    await forget_by_command(stage, f"group:{CHAT}")
    assert not list((stage.bot.store / "quarantine").glob(f"*{sha256(data)}*"))


@pytest.mark.parametrize("by", ["command line", "handler"])
@pytest.mark.parametrize("form", ["MD5", "link", "filename", "unreadable"])
async def test_a_running_bot_serves_it_no_more(
    stage: Stage, implementation: SimulatedImplementation, cdn: SimulatedCdn, by: str, form: str
) -> None:
    data = new_png()
    fileid = unreadable_fileid() if form in ("unreadable", "filename") else None
    picture = implementation.picture(data, fileid=fileid)
    url = implementation.flavour.signed_url(picture)
    said_of_it = {
        "MD5": {"file": picture.name, "url": url, "file_size": str(len(data))},
        "link": {"file": url, "url": url},
        "filename": {"file": url, "url": url, "filename": picture.name},
        "unreadable": {"file": "image.png", "url": url},
    }[form]
    implementation.behaviour.missing.add("get_image")
    await written(implementation, "/url ", by_hand(**said_of_it), group_id=CHAT)
    served = (await said(implementation))[0][::-1]
    assert await statuses(served) == [200, 200, 206, 304]
    await stored(stage.bot, data)
    if by == "handler":
        await asked(implementation, f"/forget group:{CHAT}")
    else:
        await forget_by_command(stage, f"group:{CHAT}")
        await anyio.sleep(1)
    fetches = len(cdn.requests)
    assert await statuses(served) == [410] * 4
    assert len(cdn.requests) == fetches
    assert await asked(implementation, "/last", group_id=CHAT) == []
    assert not files(stage.bot, data)
    await written(implementation, by_hand(**said_of_it), group_id=CHAT)
    assert (await told(implementation))["sha256"] == sha256(data)
    if form != "filename":
        assert await statuses(served) == [200, 200, 206, 304]


async def test_after_a_restart_its_url_is_gone_as_well(
    simulate: Simulate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("restart") / "bot"
    async with staged(folder, NEW) as stage, connected(simulate("lagrange"), stage.bot) as one:
        await one.send_group(["/url ", one.picture(new_png())], group_id=CHAT)
        served = (await said(one))[0][::-1]
        assert (await statuses(served))[0] == 200
        await asked(one, f"/forget group:{CHAT}")
    async with staged(folder, NEW) as stage, connected(simulate("lagrange"), stage.bot):
        token = served.partition("/qqimage")[2] or served.partition("?")[2]
        assert token
        port = f"127.0.0.1:{stage.bot.port}"
        old = served.split("/")[2]
        assert await statuses(served.replace(old, port)) == [410] * 4
        assert await statuses(served) == [410] * 4


async def test_what_others_have_seen_stays(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    data = new_png()
    for group in (CHAT, 20032):
        await implementation.send_group(implementation.picture(data), group_id=group)
        assert (await told(implementation))["sha256"] == sha256(data)
    await stored(stage.bot, data)
    await asked(implementation, f"/forget group:{CHAT}")
    assert files(stage.bot, data)
    assert await asked(implementation, "/last", group_id=20032) == [sha256(data)]


@pytest.mark.parametrize("report_own", [False, True])
@pytest.mark.parametrize("flavour", ["napcat", "luckylilliabot-8", "gocqhttp", "snowluma"])
async def test_what_the_bot_sent_there(
    stage: Stage, simulate: Simulate, flavour: str, report_own: bool
) -> None:
    async with connected(simulate(flavour, report_own=report_own), stage.bot) as implementation:
        data = new_png()
        content = ["/mine ", implementation.picture(data, kind="private")]
        await implementation.send_private(content, user_id=30031)
        await implementation.next_sent(PATIENCE)
        await stored(stage.bot, data)
        await anyio.sleep(0.5)
        await asked(implementation, "/forget private:30031")
        assert not files(stage.bot, data)
        assert sha256(data) not in await asked(
            implementation, f"/find private:{implementation.settings.self_id}"
        )


@pytest.mark.parametrize("way", ["received", "sent", "unnamed"])
async def test_one_picture_sent_thousands_of_times_leaves_no_rows(
    simulate: Simulate, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    folder = tmp_path_factory.mktemp("many") / "bot"
    async with staged(folder, NEW) as stage:
        async with connected(simulate("napcat"), stage.bot) as implementation:
            data, times = new_png(), 200
            picture = implementation.picture(data)
            if way == "sent":
                await implementation.send_group(["/often ", picture], group_id=CHAT)
            for _ in range(times if way != "sent" else 0):
                name = "image.png" if way == "unnamed" else picture.name
                fileid = unreadable_fileid() if way == "unnamed" else None
                picture = implementation.picture(data, name=name, fileid=fileid)
                await implementation.send_group(picture, group_id=CHAT)
            for _ in range(times):
                await implementation.next_sent(PATIENCE)
            with anyio.fail_after(PATIENCE):
                while len(await asked(implementation, f"/find group:{CHAT}")) < 100:
                    await anyio.sleep(0.2)
            await asked(implementation, f"/forget group:{CHAT}")
        await asyncio.sleep(0.5)
        with closing(sqlite3.connect(stage.bot.store / "index.sqlite3")) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
            rows = {
                name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                for name in ("sightings", "names", "images", "forgotten")
                if name in tables
            }
    assert rows["sightings"] == rows["names"] == rows["images"] == 0
    assert rows["forgotten"] < 100
