"""What happens in a chat, as plugins and members see it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.pictures import ANIMATION, PHOTO, noise_png

from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    connected,
    files,
    fresh,
    new_png,
    pngs,
    seeds,
    started,
    told,
    watched,
)

LARGEST = 400_000
MOST_BYTES = 1_000_000


async def test_many_plugins_cause_one_fetch(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    implementation = simulate("napcat")
    implementation.behaviour.delays["get_image"] = 0.3
    async with connected(implementation, common):
        once, twice = implementation.picture(new_png()), implementation.picture(new_png())
        await implementation.send_group(["/crowd", once, twice, twice])
        answers = [(await implementation.next_sent(PATIENCE)).text for _ in range(8)]
        assert answers.count("crowd 15 2") == 5
        assert len(implementation.calls_of("get_image")) == 2
        assert cdn.fetches(once.hosted) == cdn.fetches(twice.hosted) == 1


async def test_a_known_picture_needs_nobody(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat"), common) as implementation:
        data = new_png()
        await implementation.send_group(implementation.picture(data))
        assert (await told(implementation))["source"] == "url in the answer"
        calls, fetches = len(implementation.calls_of("get_image")), len(cdn.requests)
        await implementation.send_private(implementation.picture(data, kind="private"))
        assert (await told(implementation))["source"] == "store"
        assert len(implementation.calls_of("get_image")) == calls
        assert len(cdn.requests) == fetches


async def test_quoted_after_the_link_died(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("luckylilliabot-8"), common) as implementation:
        # a name that says nothing about the content: only its message knows what it is
        old = implementation.picture(new_png(), name="image.jpg")
        new = implementation.picture(new_png())
        quoted = await implementation.send_group(old)
        assert (await told(implementation))["source"] == "url in the answer"
        cdn.faults.set(Fault.EXPIRED, fileid=old.hosted.fileid)
        await implementation.send_group(["/echo", new], quote=quoted)
        sent = [await implementation.next_sent(PATIENCE) for _ in range(5)]
        assert sorted(len(one.pictures) for one in sent) == [0, 0, 0, 1, 1]
        pictures = [one.pictures[0] for one in sent if one.pictures]
        assert pictures == [new.hosted.data, old.hosted.data]
        texts = [one.text for one in sent if not one.pictures]
        assert "1 own, 1 quoted" in texts
        assert cdn.fetches(old.hosted, inside=False) == 1


async def test_a_forged_name_does_not_show_another_picture(
    common: SharedBot, simulate: Simulate
) -> None:
    async with connected(simulate("napcat"), common) as implementation:
        honest = implementation.picture(new_png())
        forged = implementation.picture(new_png(), name=honest.name)
        await implementation.send_group(forged)
        assert (await told(implementation))["md5"].upper() != forged.name[:32]
        await implementation.send_group(honest)
        assert (await told(implementation))["md5"].upper() == honest.name[:32]


async def test_two_pictures_of_one_name(common: SharedBot, simulate: Simulate) -> None:
    """The implementation's get_image gives the newest of that name, whichever was meant."""
    implementation = simulate("napcat", inline_base64=True)
    pictures = [new_png(), new_png()]
    frames = []
    for data in pictures:
        picture = implementation.picture(data, name="image.jpg")
        message = implementation.message("group", picture)
        implementation.remember(message)
        frames.append(implementation.flavour.event(message))
    async with connected(implementation, common):
        for frame, data in zip(frames, pictures, strict=True):
            await implementation.push(frame)
            assert (await told(implementation))["size"] == len(data)


async def test_without_a_path_map_the_hint_names_it(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    cdn.faults.abroad = "reset"
    implementation = simulate(
        "luckylilliabot-8", file_dir=tmp_path / "x", reported_dir="/app/llbot/data"
    )
    async with connected(implementation, common):
        picture = implementation.picture(new_png())
        await implementation.send_group(picture)
        failure = await told(implementation)
        assert failure["error"] == "ImageUnavailable"
        assert picture.name in failure["text"]
        assert "file in the answer unreadable" in failure["text"]
        assert "QQIMAGE__PATH_MAP" in failure["text"]


async def test_keys_are_masked_everywhere(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    cdn.faults.set(Fault.NOT_FOUND)  # LuckyLilliaBot then repeats the whole URL in its answer
    async with connected(simulate("luckylilliabot-8"), common) as implementation:
        await implementation.send_group(implementation.picture(new_png()))
        failure = await told(implementation)
        assert failure["error"] == "ImageNotFound"
        assert "rkey=***" in failure["text"]
        key = cdn.keys.current("group").value
        await common.wait_for_log("qqimage: image")
        ours = [line for line in common.log.splitlines() if "qqimage: " in line]
        assert not any(f"={key}" in text for text in [*ours, failure["text"]])


async def test_another_host_is_asked_for_links_alone(
    common: SharedBot, simulate: Simulate, tmp_path: Path
) -> None:
    """LuckyLilliaBot would keep each downloaded file for ever, where nobody can read it."""
    implementation = simulate("luckylilliabot-8", file_dir=tmp_path, reported_dir="/app/llbot/data")
    async with connected(implementation, common):
        for _ in range(4):
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation))["source"] == "url in the answer"
        asked = [call.params.get("download", True) for call in implementation.calls_of("get_image")]
        assert asked == [True, True, False, False]
        assert len(pngs(tmp_path)) == 2


@dataclass(frozen=True)
class Restricted:
    """A bot whose operator has set what it may keep and where files are."""

    bot: SharedBot
    shared: Path
    """The folder that the implementation calls ``/app/llbot/data``."""


@pytest.fixture(scope="module")
async def restricted_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Restricted]:
    folder = tmp_path_factory.mktemp("restricted")
    settings = {
        "QQIMAGE__MAX_IMAGE_SIZE": LARGEST,
        "QQIMAGE__MAX_STORE_SIZE": MOST_BYTES,
        "QQIMAGE__MAX_FRAMES": 7,
        "QQIMAGE__OWN_IMAGES": False,
        "QQIMAGE__PATH_MAP": {"/app/llbot/data": str(folder / "shared")},
    }
    async with started(folder / "bot", "speak", settings=settings) as bot:
        yield Restricted(bot, folder / "shared")


@pytest.fixture
def restricted(restricted_process: Restricted) -> Iterator[Restricted]:
    for _ in watched(restricted_process.bot):
        yield restricted_process


async def test_files_behind_a_path_map(
    restricted: Restricted, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    cdn.faults.abroad = "reset"
    implementation = simulate(
        "luckylilliabot-8", file_dir=restricted.shared, reported_dir="/app/llbot/data"
    )
    async with connected(implementation, restricted.bot):
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation))["source"] == "file in the answer"


async def test_a_picture_larger_than_allowed(restricted: Restricted, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), restricted.bot) as implementation:
        await implementation.send_group(implementation.picture(noise_png(LARGEST + 1)))
        failure = await told(implementation)
        assert failure["error"] == "ImageRejected"
        assert "QQIMAGE__MAX_IMAGE_SIZE" in failure["text"]


async def test_an_animation_longer_than_allowed(restricted: Restricted, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), restricted.bot) as implementation:
        await implementation.send_group(implementation.picture(ANIMATION))
        failure = await told(implementation)
        assert failure["error"] == "ImageRejected"
        assert "8 frames" in failure["text"]
        assert "QQIMAGE__MAX_FRAMES" in failure["text"]


async def test_the_store_keeps_to_its_bounds(restricted: Restricted, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), restricted.bot) as implementation:
        for _ in range(10):
            await implementation.send_group(implementation.picture(noise_png(300_000, next(seeds))))
            assert "sha256" in await told(implementation)
        kept = pngs(restricted.bot.store)
        assert sum(file.stat().st_size for file in kept) <= MOST_BYTES


async def test_own_pictures_can_be_left_alone(restricted: Restricted, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), restricted.bot) as implementation:
        own, others = new_png(), fresh(PHOTO)
        (restricted.bot.folder / "to_send.png").write_bytes(own)
        await implementation.send_group("/speak bytes")
        assert (await implementation.next_sent(PATIENCE)).pictures == [own]
        await implementation.send_group(implementation.picture(others))
        assert "sha256" in await told(implementation)
        assert not files(restricted.bot, own)
