"""What is learned of an implementation: fast, of the right one, and forgotten in time."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.implementation_files import FileFault
from nonebot_plugin_qqimage.simulator.pictures import noise_png
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from ..cli.conftest import module
from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    accounts,
    connected,
    new_png,
    seeds,
    sha256,
    started,
    stored,
    told,
    watched,
)

LARGE = 1_500_000
"""Bytes of a picture that does not fit a frame of NoneBot's ``~websockets`` as base64."""
SHARED = "/shared"
SOON = 8.0
"""Seconds: whoever waits for what never answers waits longer."""


@pytest.fixture(scope="module")
async def patient_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[SharedBot]:
    """A bot with all timeouts as they are by default."""
    folder = tmp_path_factory.mktemp("patient")
    settings = {
        "QQIMAGE__PATH_MAP": {SHARED: str(folder / "shared")},
        "QQIMAGE__REWRITE_URL": ["group:20009"],
        "SUPERUSERS": ["30001"],
    }
    async with started(folder / "bot", "other_ways", "forwards", settings=settings) as bot:
        yield bot


@pytest.fixture
def patient(patient_process: SharedBot) -> Iterator[SharedBot]:
    yield from watched(patient_process)


async def soon(implementation: SimulatedImplementation) -> dict[str, Any]:
    return await told(implementation, SOON)


# Trouble that says nothing about the rest


async def test_forwarded_pictures_that_never_answer_say_nothing_about_others(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    cdn.faults.set(Fault.RESET)
    async with connected(simulate("napcat", file_dir=tmp_path), patient) as implementation:
        for _ in range(3):
            await implementation.send_group(
                implementation.forward([implementation.picture(new_png())])
            )
            assert "error" in await soon(implementation)
        asked = len(implementation.calls_of("get_image"))
        assert asked == 1  # and from then on nobody waits for what is known not to work
        cdn.faults.set(Fault.HANG)
        began = time.monotonic()
        await implementation.send_group(implementation.picture(new_png()))
        assert (await soon(implementation))["source"] == "file in the answer"
        assert time.monotonic() - began < 2
        await implementation.send_group("/qqimage doctor", user_id=30001)
        assert "get_image does not answer" not in (await implementation.next_sent(PATIENCE)).text


async def test_forwarded_pictures_that_are_found_are_waited_for(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    cdn.faults.abroad = "reset"
    async with connected(
        simulate("luckylilliabot-8", file_dir=tmp_path), patient
    ) as implementation:
        for slow in (0.0, 4.0):
            implementation.behaviour.delays["get_image"] = slow
            data = new_png()
            await implementation.send_group(implementation.forward([implementation.picture(data)]))
            assert (await soon(implementation)).get("sha256") == sha256(data)


async def test_who_has_a_better_way_does_not_wait_for_a_worse_one(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with connected(simulate("napcat", file_dir=tmp_path), patient) as implementation:
        data = new_png()
        forwarded, good = implementation.picture(data), implementation.picture(data)
        cdn.faults.set(Fault.HANG, fileid=forwarded.hosted.fileid)
        await implementation.send_group(implementation.forward([forwarded]))
        with anyio.fail_after(PATIENCE):
            while not cdn.fetches(forwarded.hosted):
                await anyio.sleep(0.02)
        began = time.monotonic()
        await implementation.send_group(good)
        assert (await soon(implementation))["sha256"] == sha256(data)
        assert time.monotonic() - began < 2


async def test_nor_for_another_bot_whose_implementation_hangs(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    hanging, good = simulate("napcat"), simulate("napcat", file_dir=tmp_path)
    hanging.behaviour.hanging.add("get_image")
    cdn.faults.set(Fault.HANG)
    async with connected(hanging, patient), connected(good, patient):
        data = new_png()
        await hanging.send_group(hanging.picture(data))
        await hanging.called("get_image", 1, PATIENCE)
        began = time.monotonic()
        await good.send_group(good.picture(data))
        assert (await soon(good))["sha256"] == sha256(data)
        assert time.monotonic() - began < 4


# A folder that is shared later


async def test_a_folder_that_is_shared_later_is_noticed(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    folder = patient.folder.parent / "shared" / "later"
    async with connected(
        simulate("luckylilliabot-8", file_dir=folder, reported_dir=f"{SHARED}/later"), patient
    ) as implementation:
        await implementation.files.hide()
        for source in ["url in the answer"] * 4:
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation))["source"] == source
        assert implementation.calls_of("get_image")[-1].params.get("download") is False
        await implementation.files.show()
        cdn.faults.abroad = "reset"
        for _ in range(2):
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation)).get("source") == "file in the answer"


async def test_its_files_are_the_last_way_when_all_links_fail(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    """The folder is another one by now, so the files of before are not there to be looked for."""
    implementation = simulate(
        "luckylilliabot-8", file_dir=tmp_path / "x", reported_dir=str(tmp_path / "y")
    )
    async with connected(implementation, patient):
        for _ in range(3):
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation))["source"] == "url in the answer"
        (tmp_path / "y").symlink_to(tmp_path / "moved")
        (tmp_path / "x").rename(tmp_path / "old")
        (tmp_path / "moved").mkdir()
        (tmp_path / "x").symlink_to(tmp_path / "moved")
        cdn.faults.abroad = "reset"
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation)).get("source") == "file in the answer"


# Frames


@contextlib.asynccontextmanager
async def forward(
    folder: Path, implementation: SimulatedImplementation, **settings: Any
) -> AsyncIterator[SharedBot]:
    """A bot that connects by ``~websockets``, whose frames hold 1 MiB."""
    async with ForwardWebSocket(implementation) as server:
        all_settings = {
            "DRIVER": "~httpx+~websockets",
            "ONEBOT_WS_URLS": [server.url],
            **settings,
        }
        count = len(implementation.links.ever)
        async with started(folder, settings=all_settings) as bot:
            await implementation.connected(count + 1, PATIENCE)
            yield bot


async def test_an_implementation_that_does_not_inline_is_asked_for_large_pictures(
    cdn: SimulatedCdn, tmp_path: Path
) -> None:
    implementation = SimulatedImplementation(
        "napcat", cdn, self_id=next(accounts), file_dir=tmp_path / "files"
    )
    large = implementation.picture(noise_png(LARGE, next(seeds)))
    async with forward(tmp_path / "bot", implementation) as bot:
        cdn.faults.abroad = "reset"
        await implementation.send_group(large)
        failure = await told(implementation)
        assert "get_image skipped" in failure["text"]  # it may inline, for all that is known
        (warning,) = [line for line in bot.log.splitlines() if "1048576 bytes would" in line]
        assert "not known yet" in warning
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation))["source"] == "file in the answer"
        for _ in range(2):  # over the next connection, too
            await implementation.send_group(implementation.picture(noise_png(LARGE, next(seeds))))
            assert (await told(implementation)).get("source") == "file in the answer"
            count = len(implementation.links.ever)
            await implementation.away()
            await implementation.connected(count + 1, PATIENCE)


async def test_a_picture_of_unknown_size_is_asked_for_as_the_last_way(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat", inline_base64=True), patient) as implementation:
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation))["source"] == "base64 in the answer"
        cdn.faults.abroad = "reset"
        data = new_png()
        picture = implementation.picture(data)
        message = implementation.message("group", picture)
        implementation.remember(message)
        frame = implementation.flavour.event(message)
        for segment in frame["message"]:
            segment["data"].pop("file_size")
            segment["data"]["url"] = f"{cdn.base_url}/gchatpic_new/0/0-0-{'0' * 32}/0"
        await implementation.push(frame)
        answer = await told(implementation)
        assert (answer.get("source"), answer.get("sha256")) == (
            "base64 in the answer",
            sha256(data),
        ), answer


async def test_what_broke_a_connection_is_remembered_across_restarts(
    cdn: SimulatedCdn, tmp_path: Path
) -> None:
    implementation = SimulatedImplementation(
        "napcat", cdn, self_id=next(accounts), inline_base64=True
    )
    picture = implementation.picture(noise_png(LARGE, next(seeds)))
    settings = {"QQIMAGE__FRAME_LIMIT": 1 << 26, "QQIMAGE__MAX_AGE": 1}  # a mistaken operator
    async with forward(tmp_path / "bot", implementation, **settings) as bot:
        await implementation.send_group(picture)
        await implementation.called("get_image", 1, PATIENCE)
        await implementation.connected(2, PATIENCE)
        await stored(bot, picture.hosted.data)
    for file in (bot.store / "images").rglob("*.png"):
        file.unlink()
    async with forward(tmp_path / "bot", implementation, **settings) as bot:
        for again in (picture, implementation.picture(noise_png(LARGE, next(seeds)))):
            await implementation.send_group(again)
            # the store has it where it came before the handler asked
            assert (await told(implementation)).get("source") in ("url of the segment", "store")
        assert len(implementation.calls_of("get_image")) == 1
        assert len(implementation.links.ever) == 3


# Restarts


async def test_a_picture_under_way_when_the_implementation_restarts(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    cdn.faults.abroad = "reset"
    implementation = simulate("luckylilliabot-8", file_dir=tmp_path)
    async with connected(implementation, patient):
        implementation.behaviour.hanging.add("get_image")
        data = new_png()
        await implementation.send_group(implementation.picture(data))
        await implementation.called("get_image", 1, PATIENCE)
        implementation.behaviour.hanging.clear()
        await implementation.away(2)
        with anyio.fail_after(SOON):
            await stored(patient, data)


async def test_a_reconnect_clears_failures_of_the_connection(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    cdn.faults.abroad = "reset"
    implementation = simulate("luckylilliabot-8", file_dir=tmp_path)
    async with connected(implementation, patient):
        implementation.behaviour.missing.add("get_msg")
        implementation.behaviour.hanging.add("get_image")
        await implementation.send_group(["/url", implementation.picture(new_png())], group_id=20009)
        url = (await implementation.next_sent(PATIENCE)).text[::-1]
        began = time.monotonic()
        await implementation.away(7)  # longer than anybody waits for it
        await implementation.connected(2, PATIENCE)
        implementation.behaviour.hanging.clear()
        async with aiohttp.ClientSession() as session:
            statuses = []
            with anyio.fail_after(SOON):
                while not statuses or statuses[-1] != 200:
                    async with session.get(url) as response:
                        statuses.append(response.status)
                    await anyio.sleep(0.2)
        assert time.monotonic() - began < 20


async def test_a_fresher_link_is_not_held_against_an_older_one(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("lagrange"), patient) as implementation:
        implementation.behaviour.missing.add("get_rkey")
        data = new_png()
        message = implementation.message("group", implementation.picture(data))
        implementation.remember(message)
        dead = implementation.flavour.event(message)
        cdn.expire_keys()
        await implementation.push(dead)
        assert "error" in await told(implementation)
        await implementation.push(
            implementation.flavour.event(
                implementation.message("group", implementation.picture(data))
            )
        )
        assert (await told(implementation)).get("sha256") == sha256(data)


# Which came last


@pytest.mark.parametrize("ahead", [-10.0, 10.0])
async def test_the_latest_picture_is_the_one_that_came_last(
    patient: SharedBot, simulate: Simulate, ahead: float
) -> None:
    implementation = simulate("napcat")
    implementation.clock_ahead = ahead
    async with connected(implementation, patient):
        for _ in range(3):
            await implementation.send_group("/send")
            sent = (await implementation.next_sent(PATIENCE)).pictures
            await implementation.send_group("/latest")
            assert (await implementation.next_sent(PATIENCE)).text == sha256(sent[0])
            data = new_png()
            await implementation.send_group(implementation.picture(data))
            assert (await told(implementation))["sha256"] == sha256(data)
            await implementation.send_group("/latest")
            assert (await implementation.next_sent(PATIENCE)).text == sha256(data)


# Other plugins


@pytest.mark.parametrize("fault", [FileFault.HTML, FileFault.MISSING, FileFault.NO_PATH])
async def test_worthless_answers_are_repaired_for_other_plugins(
    patient: SharedBot,
    simulate: Simulate,
    cdn: SimulatedCdn,
    tmp_path: Path,
    fault: FileFault,
) -> None:
    implementation = simulate("napcat", file_dir=tmp_path)
    async with connected(implementation, patient):
        data = new_png()
        picture = implementation.picture(data)
        await implementation.send_group(picture)
        assert (await told(implementation))["sha256"] == sha256(data)
        implementation.files.fault = fault
        cdn.faults.set(Fault.NOT_FOUND)
        await implementation.send_group(f"/file {picture.name}")
        assert (await implementation.next_sent(PATIENCE)).text == sha256(data)


# Hints


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat"])
@pytest.mark.parametrize("place", ["same", "other"])
@pytest.mark.parametrize(
    ("fault", "says", "omits"),
    [
        (Fault.NOT_FOUND, "image host does not have", ("PATH_MAP", "forgotten", "PROXY")),
        (Fault.HTML, "a web page came", ("PATH_MAP", "forgotten")),
        (Fault.TRUNCATED, "cut short", ("PATH_MAP", "cannot be reached", "400")),
    ],
)
async def test_the_hint_names_the_true_cause(
    patient: SharedBot,
    simulate: Simulate,
    cdn: SimulatedCdn,
    tmp_path: Path,
    flavour: str,
    place: str,
    fault: Fault,
    says: str,
    omits: tuple[str, ...],
) -> None:
    if flavour == "napcat" and place == "same":
        pytest.skip("it has the image by QQ's own ways")
    file_dir = tmp_path if place == "same" else None
    async with connected(simulate(flavour, file_dir=file_dir), patient) as implementation:
        cdn.faults.set(fault)
        await implementation.send_group(implementation.picture(new_png()))
        text = (await told(implementation))["text"]
        hint = text.partition("Hint: ")[2]
        assert says in hint, text
        assert not any(word in hint for word in omits), text
        assert "400, message" not in text


# The doctor


async def test_the_doctor_after_a_healthy_picture(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    implementation = simulate("luckylilliabot-8")
    async with connected(implementation, patient):
        for _ in range(2):
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation))["source"] == "url in the answer"
        await implementation.called("get_version_info", 1, PATIENCE)
        picture = implementation.picture(new_png())
        await implementation.send_group(["/qqimage doctor", picture])
        texts = [(await implementation.next_sent(PATIENCE)).text]
        with contextlib.suppress(Exception):
            texts.append((await implementation.next_sent(1)).text)
        report = "\n".join(texts)
        assert "LLOneBot 8.1.7" in report
        assert "the store has it" in report
        assert "enableLocalFile2Url" not in report
        assert "last hour" in report


async def test_the_doctor_says_that_all_pictures_fail(
    simulate: Simulate, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with started(tmp_path, settings={"SUPERUSERS": ["30001"]}) as bot:
        async with connected(simulate("luckylilliabot-8"), bot) as implementation:
            cdn.faults.set(Fault.NOT_FOUND)
            for _ in range(2):
                await implementation.send_group(implementation.picture(new_png()))
                assert "error" in await told(implementation)
            await implementation.send_group("/qqimage doctor")
            report = (await implementation.next_sent(PATIENCE)).text
            assert "✗ last hour: 2 images failed: 2 not found; 0 came" in report
            said = ""
            with anyio.fail_after(PATIENCE):
                while "2 images failed: 2 not found; 0 came" not in said:
                    said = (await module(bot.folder, "doctor")).out
            assert "FAILED  last hour" in said


async def test_nobody_is_asked_what_it_is_without_need(
    patient: SharedBot, simulate: Simulate
) -> None:
    async with connected(simulate("napcat"), patient) as implementation:
        await implementation.send_group("no picture")
        await anyio.sleep(2)
        assert not implementation.calls_of("get_version_info")
        await implementation.send_group(implementation.picture(new_png()))
        assert "sha256" in await told(implementation)
        await implementation.called("get_version_info", 1, PATIENCE)
        assert len(implementation.calls_of("get_image")) == 1


# Settings that change while it runs


async def test_base64_that_is_switched_on_later(
    patient: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with (
        connected(simulate("napcat"), patient) as implementation,
        ReverseWebSocket(implementation, patient.ws_url),
    ):
        await implementation.send_group(implementation.picture(new_png()))
        await told(implementation)
        implementation.set_up(inline_base64=True)
        cdn.faults.abroad = "reset"
        for _ in range(2):
            await implementation.send_group(implementation.picture(new_png()))
            assert (await told(implementation)).get("source") == "base64 in the answer"
