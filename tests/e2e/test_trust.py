"""Whether QQ's links are believed: after they have told the truth, and while they mostly do."""

import secrets
from collections.abc import AsyncIterator

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .bots import SharedBot, Simulate, connected, new_png, sha256, stored, told
from .stages import NEW, UPGRADED, Stage, asked, by_hand, said, staged, traffic, written


@pytest.fixture(params=[NEW, UPGRADED])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A bot that has not yet downloaded anything."""
    async with staged(tmp_path_factory.mktemp("trust") / "bot", request.param) as stage:
        yield stage


@pytest.fixture
async def implementation(
    stage: Stage, simulate: Simulate
) -> AsyncIterator[SimulatedImplementation]:
    async with connected(simulate("lagrange"), stage.bot) as implementation:
        yield implementation


async def trust(bot: SharedBot) -> tuple[int, int]:
    store = ImageStore(bot.store, max_size=1 << 40, max_age=1 << 40)
    try:
        return tuple(await store.catalog.trust_in_links())
    finally:
        await store.close()


async def believes(implementation: SimulatedImplementation, known: bytes) -> bool:
    """Whether a stored picture is found by its link under another's name, and nobody asked."""
    before = traffic(implementation)
    url = f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={new_fileid(known)}"
    await written(implementation, by_hand(file=url, filename=f"{secrets.token_hex(16)}.jpg"))
    answer = await told(implementation)
    assert answer.get("sha256", sha256(known)) == sha256(known)
    return answer.get("source") == "store" and traffic(implementation) == before


async def send(
    stage: Stage, implementation: SimulatedImplementation, *, honest: bool = True, times: int = 1
) -> bytes:
    """A picture whose link says its SHA-1, or another one."""
    data = new_png()
    fileid = None if honest else new_fileid(data, sha1=secrets.token_bytes(20))
    picture = implementation.picture(data, fileid=fileid)
    for _ in range(times):
        await implementation.send_group(picture)
        assert (await told(implementation)).get("sha256") == sha256(data)
    await stored(stage.bot, data)
    return data


async def test_links_are_believed_as_long_as_they_tell_the_truth(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    assert await trust(stage.bot) == (0, 0)
    liar = await send(stage, implementation, honest=False)
    assert await trust(stage.bot) == (0, 1)
    assert not await believes(implementation, liar)
    honest = await send(stage, implementation, times=3)
    assert await trust(stage.bot) == (1, 1)
    assert not await believes(implementation, honest)
    for _ in range(18):
        await send(stage, implementation)
    assert await trust(stage.bot) == (19, 1)
    assert not await believes(implementation, honest)
    await send(stage, implementation)
    assert await trust(stage.bot) == (20, 1)
    assert await believes(implementation, honest)
    await send(stage, implementation, honest=False)
    assert not await believes(implementation, honest)


async def test_one_link_that_tells_the_truth_is_enough(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    known = next(stage.left, b"") or await send(stage, implementation)
    if await trust(stage.bot) == (0, 0):
        assert not await believes(implementation, known)
        await send(stage, implementation)
    assert await believes(implementation, known)


async def test_a_link_counts_once_for_each_implementation(
    stage: Stage, implementation: SimulatedImplementation, simulate: Simulate
) -> None:
    async with connected(simulate("luckylilliabot-8"), stage.bot) as other:
        data = new_png()
        picture = implementation.picture(data)
        await implementation.send_group(picture)
        assert (await told(implementation))["sha256"] == sha256(data)
        await asked(implementation, "/forget group:20001")
        await other.send_group(picture)
        assert (await told(other))["sha256"] == sha256(data)
        await asked(other, "/forget group:20001")
        await other.send_group(picture)
        assert (await told(other))["sha256"] == sha256(data)
        assert await trust(stage.bot) == (2, 0)


async def test_bytes_that_contradict_a_believed_link_are_second_best(
    stage: Stage, implementation: SimulatedImplementation, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    """The link brings another picture than it says; `get_image` has the right one."""
    await send(stage, implementation)
    async with connected(simulate("napcat", inline_base64=True), stage.bot) as napcat:
        right, wrong = new_png(), new_png()
        picture = napcat.picture(right)
        message = napcat.message("group", picture)
        napcat.remember(message)
        liar = napcat.picture(wrong, declared=right)
        segment = by_hand(file=picture.name, url=napcat.flavour.signed_url(liar))
        napcat.answers["get_image"] = napcat.refusal("file not found")
        await written(napcat, segment)
        assert (await told(napcat))["sha256"] == sha256(wrong)  # as nobody brings the right one
        for _ in range(20):  # and links are believed again
            await send(stage, implementation)
        right2, wrong2 = new_png(), new_png()
        picture = napcat.picture(right2)
        napcat.remember(napcat.message("group", picture))
        liar = napcat.picture(wrong2, declared=right2)
        answer = {"file": "", "url": napcat.flavour.signed_url(picture), "file_size": "0"}
        napcat.answers["get_image"] = lambda params: napcat.flavour.ok(answer)
        await written(napcat, by_hand(file=liar.name, url=napcat.flavour.signed_url(liar)))
        assert (await told(napcat))["sha256"] == sha256(right2)


async def test_who_must_be_sure_reads_what_the_link_brings(
    stage: Stage, implementation: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    """A stored picture's MD5 as the name, or its SHA-1 declared by a client of one's own."""
    known = await send(stage, implementation)
    for declared in (known, None):
        true = new_png()
        picture = implementation.picture(true, declared=declared)
        url = implementation.flavour.signed_url(picture)
        name = implementation.picture(known).name
        await written(implementation, "/fresh ", by_hand(file=url, url=url, filename=name))
        assert await said(implementation) == [sha256(true)]
    cdn.faults.set(Fault.NOT_FOUND)
    await implementation.send_group(["/fresh ", implementation.picture(known)])
    assert (await said(implementation))["error"] == "ImageNotFound"
