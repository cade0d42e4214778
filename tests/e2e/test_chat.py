"""What happens in a chat, as plugins and members see it."""

from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import (
    ANIMATION,
    PHOTO,
    STICKER,
    WEBP,
    noise_png,
    png,
)
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.http import HttpApi
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .conftest import PATIENCE, StartBot, told

FLAVOURS = ["luckylilliabot-8", "napcat", "lagrange"]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_reverse_websocket(start_bot: StartBot, cdn: SimulatedCdn, flavour: str) -> None:
    implementation = SimulatedImplementation(flavour, cdn)
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await _a_few_pictures(implementation)


@pytest.mark.parametrize("driver", ["~httpx+~websockets", "~aiohttp"])
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_forward_websocket(
    start_bot: StartBot, cdn: SimulatedCdn, flavour: str, driver: str
) -> None:
    implementation = SimulatedImplementation(flavour, cdn)
    async with ForwardWebSocket(implementation) as server:
        settings = {"DRIVER": driver, "ONEBOT_WS_URLS": [server.url]}
        async with start_bot(settings=settings):
            await implementation.connected(1, PATIENCE)
            await _a_few_pictures(implementation)


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_http(start_bot: StartBot, cdn: SimulatedCdn, flavour: str) -> None:
    implementation = SimulatedImplementation(flavour, cdn)
    async with HttpApi(implementation) as api:
        settings = {"DRIVER": "~fastapi+~httpx", "ONEBOT_API_ROOTS": {"10001": api.url}}
        async with (
            start_bot(settings=settings) as bot,
            HttpApi(implementation, post_url=bot.http_url),
        ):
            await _a_few_pictures(implementation)


async def _a_few_pictures(implementation: SimulatedImplementation) -> None:
    for data in (png(), PHOTO, ANIMATION, WEBP):
        await implementation.send_private(implementation.picture(data, kind="private"))
        answer = await told(implementation)
        assert answer["size"] == len(data), answer
    await implementation.send_group(
        [implementation.picture(STICKER, sticker=True), implementation.picture(png(seed=1))]
    )
    assert [(await told(implementation))["mime"] for _ in range(2)] == ["image/gif", "image/png"]


async def test_many_plugins_cause_one_fetch(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    implementation.behaviour.delays["get_image"] = 0.3
    async with start_bot("crowd") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        once, twice = implementation.picture(png()), implementation.picture(png(seed=1))
        await implementation.send_group([once, twice, twice])
        answers = [(await implementation.next_sent(PATIENCE)).text for _ in range(8)]
        assert answers.count("crowd 15 2") == 5
        assert len(implementation.calls_of("get_image")) == 2
        assert cdn.fetches(once.hosted) == cdn.fetches(twice.hosted) == 1


async def test_a_known_picture_needs_nobody(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    picture = png()
    for restart in range(2):
        implementation = SimulatedImplementation("napcat", cdn)
        async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            first = implementation.picture(picture)
            await implementation.send_group(first)
            assert (await told(implementation))["source"] == ["url in the answer", "store"][restart]
            calls, fetches = len(implementation.calls_of("get_image")), len(cdn.requests)
            await implementation.send_private(implementation.picture(picture, kind="private"))
            assert (await told(implementation))["source"] == "store"
            assert (len(implementation.calls_of("get_image")), len(cdn.requests)) == (
                calls,
                fetches,
            )


async def test_quoted_after_the_link_died(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("luckylilliabot-8", cdn)
    async with start_bot("echo") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        # a name that says nothing about the content: only its message knows what it is
        old, fresh = (
            implementation.picture(png(), name="image.jpg"),
            implementation.picture(png(seed=1)),
        )
        quoted = await implementation.send_group(old)
        assert (await told(implementation))["source"] == "url in the answer"
        cdn.faults.set(Fault.EXPIRED, fileid=old.hosted.fileid)
        await implementation.send_group(
            [*implementation.message("group", "/echo").parts, fresh], quote=quoted
        )
        sent = [await implementation.next_sent(PATIENCE) for _ in range(5)]
        assert sorted(len(one.pictures) for one in sent) == [0, 0, 0, 1, 1]
        assert [one.pictures[0] for one in sent if one.pictures] == [png(seed=1), png()]
        texts = [one.text for one in sent if not one.pictures]
        assert "1 own, 1 quoted" in texts
        assert cdn.fetches(old.hosted, inside=False) == 1


async def test_a_forged_name_does_not_show_another_picture(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        forged = implementation.picture(png(seed=2), name=implementation.picture(png(seed=1)).name)
        await implementation.send_group(forged)
        assert (await told(implementation))["md5"].upper() != forged.name[:32]
        honest = implementation.picture(png(seed=1))
        await implementation.send_group(honest)
        assert (await told(implementation))["md5"].upper() == honest.name[:32]


async def test_two_pictures_of_one_name(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    """The implementation's get_image gives the newest of that name, whichever was meant."""
    implementation = SimulatedImplementation("napcat", cdn, inline_base64=True)
    first = implementation.message("group", implementation.picture(png(seed=1), name="image.jpg"))
    second = implementation.message("group", implementation.picture(png(seed=2), name="image.jpg"))
    frames = []
    for message in (first, second):
        implementation.remember(message)
        frames.append(implementation.flavour.event(message))
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for frame, seed in zip(frames, (1, 2), strict=True):
            await implementation.push(frame)
            assert (await told(implementation))["size"] == len(png(seed=seed))


async def test_files_behind_a_path_map(
    start_bot: StartBot, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    implementation = SimulatedImplementation(
        "luckylilliabot-8", cdn, file_dir=shared, reported_dir="/app/llbot/data"
    )
    cdn.faults.abroad = "reset"
    settings = {"QQIMAGE__PATH_MAP": {"/app/llbot/data": str(shared)}}
    async with start_bot(settings=settings) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.picture(png()))
        assert (await told(implementation))["source"] == "file in the answer"


async def test_without_a_path_map_the_hint_names_it(
    start_bot: StartBot, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    implementation = SimulatedImplementation(
        "luckylilliabot-8", cdn, file_dir=tmp_path / "x", reported_dir="/app/llbot/data"
    )
    cdn.faults.abroad = "reset"
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        picture = implementation.picture(png())
        await implementation.send_group(picture)
        failure = await told(implementation)
        assert failure["error"] == "ImageUnavailable"
        assert picture.name in failure["text"]
        assert "file in the answer unreadable" in failure["text"]
        assert "QQIMAGE__PATH_MAP" in failure["text"]


async def test_keys_are_masked_everywhere(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("luckylilliabot-8", cdn)
    cdn.faults.set(Fault.NOT_FOUND)  # LuckyLilliaBot then repeats the whole URL in its answer
    async with start_bot(settings={"LOG_LEVEL": "INFO"}) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            await implementation.send_group(implementation.picture(png()))
            failure = await told(implementation)
        assert failure["error"] == "ImageNotFound"
        assert "rkey=***" in failure["text"]
        key = cdn.keys.current("group").value
        ours = [line for line in bot.log.splitlines() if "qqimage: " in line]
        assert ours
        assert not any(f"={key}" in text for text in [*ours, failure["text"]])


async def test_a_picture_larger_than_allowed(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    settings = {"QQIMAGE__MAX_IMAGE_SIZE": 100_000}
    async with start_bot(settings=settings) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.picture(noise_png(200_000)))
        failure = await told(implementation)
        assert failure["error"] == "ImageRejected"
        assert "QQIMAGE__MAX_IMAGE_SIZE" in failure["text"]


async def test_the_store_keeps_to_its_bounds(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    settings = {"QQIMAGE__MAX_STORE_SIZE": 1_000_000}
    async with start_bot(settings=settings) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for seed in range(10):
            await implementation.send_group(implementation.picture(noise_png(300_000, seed)))
            assert "sha256" in await told(implementation)
        assert sum(file.stat().st_size for file in bot.store.rglob("*.png")) <= 1_000_000


async def test_an_animation_longer_than_allowed(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot(settings={"QQIMAGE__MAX_FRAMES": 7}) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            await implementation.send_group(implementation.picture(ANIMATION))
            failure = await told(implementation)
            assert failure["error"] == "ImageRejected"
            assert "8 frames" in failure["text"]
            assert "QQIMAGE__MAX_FRAMES" in failure["text"]


async def test_another_host_is_asked_for_links_alone(
    start_bot: StartBot, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    """LuckyLilliaBot would keep each downloaded file for ever, where nobody can read it."""
    implementation = SimulatedImplementation(
        "luckylilliabot-8",
        cdn,
        file_dir=tmp_path / "implementation",
        reported_dir="/app/llbot/data",
    )
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for seed in range(4):
            await implementation.send_group(implementation.picture(png(seed=seed)))
            assert (await told(implementation))["source"] == "url in the answer"
        asked = [call.params.get("download", True) for call in implementation.calls_of("get_image")]
        assert asked == [True, True, False, False]
        assert len(list((tmp_path / "implementation").rglob("*.png"))) == 2
