"""What authors ask for, in a real bot: quoted pictures, any target, the latest, a question."""

import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from nonebot_plugin_qqimage.simulator.behaviour import MessageFault
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from .bots import SharedBot, Simulate, connected, new_png, sha256, started, stored, watched

PATIENCE = 10.0
SETTINGS = {"QQIMAGE__GET_IMAGE_TIMEOUT": 2, "API_TIMEOUT": 2, "QQIMAGE__LANGUAGE": "en"}


@pytest.fixture(scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SharedBot]:
    folder = tmp_path_factory.mktemp("authors") / "bot"
    async with started(folder, "author", "speak", "ping", settings=SETTINGS) as bot:
        yield bot


@pytest.fixture
def bot(process: SharedBot) -> Iterator[SharedBot]:
    yield from watched(process)


async def said(implementation: SimulatedImplementation) -> str:
    """What the bot says next; what the example of the demo says of each picture is left out."""
    while (text := (await implementation.next_sent(PATIENCE)).text).startswith("{"):
        continue
    return text


_SENT = "base64 in the segment"


def is_(data: bytes, by: str = "store") -> str:
    return f"{sha256(data)[:8]} by {by}"


# Quoted pictures


async def settled(implementation: SimulatedImplementation) -> None:
    """Wait until the demo's plugin has told of a picture, which is in the store then."""
    assert "sha256" in (await implementation.next_sent(PATIENCE)).text


@pytest.mark.parametrize("fault", MessageFault)
@pytest.mark.parametrize("flavour", ["napcat", "luckylilliabot-8"])
async def test_quoted_whatever_get_msg_answers(
    bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn, fault: MessageFault, flavour: str
) -> None:
    async with connected(simulate(flavour), bot) as implementation:
        data = [new_png(), new_png()]
        pictures = [implementation.picture(each, name="image.png") for each in data]
        message = await implementation.send_group(pictures)
        await settled(implementation)
        await settled(implementation)
        cdn.faults.set(Fault.EXPIRED)
        implementation.behaviour.message_fault = fault
        await implementation.send_group("/look", quote=message)
        assert await said(implementation) == f"2: {is_(data[0])}; {is_(data[1])}"


async def test_quoted_but_not_stored_is_fetched_by_every_way(
    bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        cdn.faults.abroad = "reset"
        message = await implementation.send_group(implementation.picture(data))
        assert "error" in (await implementation.next_sent(PATIENCE)).text
        cdn.faults.clear()
        implementation.behaviour.message_fault = MessageFault.REFUSED
        await implementation.send_group("/look", quote=message)
        # that it failed a moment ago is remembered, as in the event itself
        assert (await said(implementation)).startswith("1: ")


@pytest.mark.parametrize("flavour", ["napcat", "luckylilliabot-8", "lagrange", "snowluma"])
async def test_the_bots_own_picture_after_a_restart(
    bot: SharedBot, simulate: Simulate, flavour: str
) -> None:
    async with connected(simulate(flavour), bot) as implementation:
        data = new_png()
        (bot.folder / "to_send.png").write_bytes(data)
        await implementation.send_group("/speak bytes")
        sent = await implementation.next_sent(PATIENCE)
        await implementation.away(0.1, forget=True)
        await implementation.connected(2, PATIENCE)
        await implementation.send_group("/look", quote=sent.message_id)
        # stored, or about to be, and out of the segment that the bot has sent
        assert await said(implementation) in (f"1: {is_(data)}", f"1: {is_(data, _SENT)}")


async def test_after_a_restart_of_the_bot(
    tmp_path_factory: pytest.TempPathFactory, simulate: Simulate
) -> None:
    folder = tmp_path_factory.mktemp("restarted") / "bot"
    implementation, data = simulate("napcat"), new_png()
    async with started(folder, "author", settings=SETTINGS) as bot:
        async with connected(implementation, bot):
            message = await implementation.send_group(implementation.picture(data, name="a.png"))
            await settled(implementation)
        again = len(implementation.links.ever) + 1
    implementation.behaviour.message_fault = MessageFault.REFUSED
    async with started(folder, "author", settings=SETTINGS) as bot:
        async with connected(implementation, bot):
            await implementation.connected(again, PATIENCE)
            await implementation.send_group("/look", quote=message)
            assert await said(implementation) == f"1: {is_(data)}"


async def test_a_quoted_message_without_pictures_and_one_of_another_chat(
    bot: SharedBot, simulate: Simulate
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        private = await implementation.send_private(
            implementation.picture(new_png(), kind="private")
        )
        await settled(implementation)
        text = await implementation.send_group("hello")
        implementation.behaviour.message_fault = MessageFault.REFUSED
        for quoted in (text, private, 12345):
            await implementation.send_group("/look", quote=quoted)
            assert await said(implementation) == "0: "


async def test_of_two_messages_with_one_id_the_later_one_is_quoted(
    bot: SharedBot, simulate: Simulate
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = [new_png() for _ in range(3)]
        first, second, third = (implementation.picture(each) for each in data)
        for pictures in ([first, second], [third]):
            implementation.next_message_id = 777
            await implementation.send_group(pictures)
            for _ in pictures:
                await settled(implementation)
        implementation.behaviour.message_fault = MessageFault.REFUSED
        await implementation.send_group("/look", quote=777)
        assert await said(implementation) == f"1: {is_(data[2])}"


# Any target


async def test_segments_of_a_history(bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn) -> None:
    implementation = simulate("napcat")
    async with connected(implementation, bot):
        data = new_png()
        message = implementation.message("group", implementation.picture(data, name="b.png"))
        implementation.remember(message)  # from before the bot connected
        cdn.rotate_keys()
        await implementation.send_group("/history")
        assert is_(data, "url in the answer") in await said(implementation)
        assert implementation.calls_of("get_image")


async def test_an_image_of_alconna_a_code_and_a_link(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        await implementation.send_group(["/uni ", implementation.picture(data)])
        assert (await said(implementation)).startswith(f"1: {sha256(data)[:8]} by")
        await implementation.send_group(["/code ", implementation.picture(data)])
        assert await said(implementation) == f"2: {is_(data)}; {is_(data)}"


async def test_the_only_bot_is_asked_or_nobody(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        await implementation.send_group("/job")
        assert "get_image" in await said(implementation)
        assert implementation.calls_of("get_image")
        asked = len(implementation.calls_of("get_image"))
        async with connected(simulate("napcat"), bot):
            await implementation.send_group("/job")
            assert "nobody said which bot to ask" in await said(implementation)
            assert len(implementation.calls_of("get_image")) == asked


# The latest


async def test_the_latest_with_conditions(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data, mine = [new_png(), new_png()], new_png()
        one, two = (implementation.picture(each) for each in data)
        for picture in (one, two, one):
            await implementation.send_group(picture)
            await settled(implementation)
        (bot.folder / "to_send.png").write_bytes(mine)
        await implementation.send_group("/speak bytes")
        await implementation.next_sent(PATIENCE)
        await stored(bot, mine)
        await implementation.send_group("/newest")
        every = [is_(each) for each in (mine, data[0], data[1], data[0])]
        assert [each[:8] for each in (await said(implementation))[3:].split("; ")] == [
            each[:8] for each in every
        ]
        await implementation.send_group("/newest own")
        assert await said(implementation) == f"3: {'; '.join(every[1:])}"
        await implementation.send_group("/newest own distinct")
        assert await said(implementation) == f"2: {'; '.join(every[1:3])}"
        await implementation.send_group(["/newest own distinct before", two])
        assert await said(implementation) == f"2: {'; '.join(every[1:3])}"
        await implementation.send_group(["/newest own distinct", two])
        assert await said(implementation) == f"2: {'; '.join(every[2:0:-1])}"


# A question


@pytest.mark.parametrize("command", ["blue", "red"])
async def test_asked_and_answered(bot: SharedBot, simulate: Simulate, command: str) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        await implementation.send_group(f"/{command}")
        assert await said(implementation) == "Please send an image."
        other = implementation.picture(new_png())
        await implementation.send_group(other, user_id=30002)  # of somebody else
        await implementation.send_private(other)  # elsewhere
        await implementation.send_group("well")
        await implementation.send_group("ping")
        assert await said(implementation) == "pong"
        await implementation.send_group(["/code ", other])
        assert (await said(implementation)).startswith("2: ")
        await implementation.send_group(["this one: ", implementation.picture(data)])
        assert (await said(implementation)).startswith(f"{command} 1: {sha256(data)[:8]} by")


async def test_attached_or_quoted_nobody_is_asked(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        await implementation.send_group(["/blue", implementation.picture(data)])
        assert (await said(implementation)).startswith(f"blue 1: {sha256(data)[:8]}")
        message = await implementation.send_group(implementation.picture(data))
        await settled(implementation)
        implementation.behaviour.message_fault = MessageFault.REFUSED
        await implementation.send_group("/blue", quote=message)
        assert await said(implementation) == f"blue 1: {is_(data)}"
        await implementation.send_group("/blue")
        assert await said(implementation) == "Please send an image."
        await implementation.send_group("that one", quote=message)
        assert await said(implementation) == f"blue 1: {is_(data)}"


async def test_cancelled_too_late_and_replaced(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        await implementation.send_group("/blue")
        assert await said(implementation) == "Please send an image."
        await implementation.send_group("取消")
        assert await said(implementation) == "Cancelled."
        await implementation.send_group("/grey")
        assert await said(implementation) == "Please send one."
        assert await said(implementation) == "No image came in time."
        data = new_png()
        await implementation.send_group("/grey")
        assert await said(implementation) == "Please send one."
        await implementation.send_group("/blue")
        assert await said(implementation) == "Please send an image."
        await implementation.send_group(implementation.picture(data))
        assert (await said(implementation)).startswith(f"blue 1: {sha256(data)[:8]}")
        await implementation.send_group("/newest")
        assert (await said(implementation)).startswith("1: ")  # and nothing of the first question


async def test_asked_after_a_notice(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        await implementation.push(
            {
                "time": implementation.now(),
                "self_id": implementation.settings.self_id,
                "post_type": "notice",
                "notice_type": "notify",
                "sub_type": "poke",
                "user_id": 30001,
                "group_id": 20001,
                "target_id": implementation.settings.self_id,
            }
        )
        assert await said(implementation) == "Please send an image."
        await implementation.send_group(implementation.picture(data))
        assert (await said(implementation)).startswith(f"poked 1: {sha256(data)[:8]} by")


# A received segment that is sent again


async def test_a_word_bank_heals_dead_links_alone(
    bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    implementation = simulate("napcat")
    async with connected(implementation, bot):
        data = new_png()
        await implementation.send_group(["/keep ", implementation.picture(data)])
        assert await said(implementation) == "kept"
        await stored(bot, data)
        await implementation.send_group("/repeat")
        await implementation.called("send_msg", 2)
        alive = implementation.calls_of("send_msg")[-1].params["message"][0]["data"]
        assert alive["file"].endswith(".png")
        assert "rkey=" in alive["url"]
        # from here on a new picture shows that the key is dead
        implementation.behaviour.missing |= {"get_image", "get_rkey", "get_rkey_server", "get_msg"}
        picture = implementation.picture(new_png())
        message = implementation.message("group", picture)
        implementation.remember(message)
        frame = implementation.flavour.event(message)
        cdn.rotate_keys()
        await implementation.push(frame)
        assert "ImageExpired" in (await implementation.next_sent(PATIENCE)).text
        await implementation.send_group("/repeat")
        for _ in range(2):
            assert (await implementation.next_sent(PATIENCE)).pictures == [data]


# Two references of one picture


async def test_the_second_link_is_tried_where_the_first_is_dead(
    bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    implementation = simulate("napcat")
    implementation.behaviour.missing |= {"get_image", "get_rkey", "get_rkey_server", "get_msg"}
    async with connected(implementation, bot):
        data = new_png()
        dead, fine = (implementation.picture(data) for _ in range(2))
        assert dead.hosted.fileid != fine.hosted.fileid
        cdn.faults.set(Fault.EXPIRED, fileid=dead.hosted.fileid)
        await implementation.send_group([dead, fine])
        await stored(bot, data)


# Hints


@pytest.mark.parametrize(
    ("age", "says"),
    [(40, "QQ kept this group picture until"), (1, "so a fresh key opens it")],
)
async def test_until_when_qq_keeps_it(
    bot: SharedBot, simulate: Simulate, cdn: SimulatedCdn, age: int, says: str
) -> None:
    implementation = simulate("napcat")
    implementation.behaviour.missing |= {"get_image", "get_rkey", "get_rkey_server", "get_msg"}
    async with connected(implementation, bot):
        data = new_png()
        fileid = new_fileid(data, "group", uploaded_at=time.time() - age * 86400)
        cdn.faults.set(Fault.EXPIRED, fileid=fileid)
        await implementation.send_group(implementation.picture(data, fileid=fileid))
        failure = json.loads((await implementation.next_sent(PATIENCE)).text)
        assert failure["error"] == "ImageExpired"
        assert says in failure["text"]
