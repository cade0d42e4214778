"""Which picture of which message: where ids come twice, segments go, and names say nothing."""

import json
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.image_host.fileid import unreadable_fileid
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.messages import Other, Picture

from .bots import Simulate, connected, new_png, sha256, told
from .stages import Stage, asked, by_hand, written

EARLIER = json.loads(
    (Path(__file__).parents[1] / "store" / "fixtures" / "earlier.json").read_text("utf-8")
)


def unnamed(implementation: SimulatedImplementation, form: str) -> tuple[bytes, Other]:
    """A picture of which the segment says nothing that names its content."""
    data = new_png()
    picture = implementation.picture(data, fileid=unreadable_fileid(), name="image.png")
    implementation.remember(implementation.message("group", picture))
    url = implementation.flavour.signed_url(picture)
    if form == "no url":  # then get_image alone can bring it
        return data, by_hand(file=f"{data[-24:-12].hex()}.bin", url="")
    return data, by_hand(file=url if form == "url" else "image.png", url=url)


FORMS = ("name", "url")


@pytest.mark.parametrize("flavour", ["napcat", "lagrange", "luckylilliabot-8"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", ["cut", "turn"])
async def test_a_plugin_that_changes_the_message(
    stage: Stage, simulate: Simulate, flavour: str, form: str, change: str
) -> None:
    async with connected(simulate(flavour), stage.bot) as implementation:
        (first, one), (second, other) = (unnamed(implementation, form) for _ in range(2))
        await written(implementation, one, other)
        assert [(await told(implementation))["sha256"] for _ in range(2)] == [
            sha256(first),
            sha256(second),
        ]
        await written(implementation, change, one, other)
        assert (await told(implementation))["sha256"] == sha256(second)
        if change == "turn":
            assert (await told(implementation))["sha256"] == sha256(first)


@pytest.mark.parametrize("form", FORMS)
async def test_a_message_id_that_comes_again(
    stage: Stage, simulate: Simulate, cdn: SimulatedCdn, form: str
) -> None:
    async with connected(simulate("lagrange"), stage.bot) as implementation:
        pictures = [unnamed(implementation, form) for _ in range(3)]
        for data, segment in pictures:
            await written(implementation, segment, message_id=4711)
            assert (await told(implementation))["sha256"] == sha256(data)
        newest = [sha256(data) for data, _ in reversed(pictures)]
        assert await asked(implementation, "/last 3") == newest
        cdn.faults.set(Fault.NOT_FOUND)
        for data, segment in pictures:  # the very same message told again, as by another event
            await written(implementation, segment, message_id=4711)
            assert (await told(implementation))["sha256"] == sha256(data)


async def test_the_id_of_what_the_bot_sent_comes_again(
    stage: Stage, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat"), stage.bot) as implementation:
        own = new_png()
        implementation.next_message_id = 100
        await implementation.send_private(["/mine ", implementation.picture(own, kind="private")])
        number = (await implementation.next_sent()).message_id
        new, segment = unnamed(implementation, "name")
        await written(implementation, segment, message_id=number, user_id=30002)
        assert (await told(implementation))["sha256"] == sha256(new)
        _, lost = unnamed(implementation, "url")
        cdn.faults.set(Fault.NOT_FOUND)
        await written(implementation, lost, message_id=number, user_id=30002)
        assert "error" in await told(implementation)


async def test_an_id_that_an_earlier_version_knew(
    stage: Stage, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    """The store of 0.1.0 knows them as another's, and must not give its pictures for them."""
    async with connected(simulate("napcat", self_id=10001), stage.bot) as implementation:
        for number in (-24, 17, 18, 19, 20, 22):
            new, segment = unnamed(implementation, "name")
            await written(implementation, segment, message_id=number, group_id=20003)
            assert (await told(implementation))["sha256"] == sha256(new)


async def test_a_place_that_an_earlier_version_knew(stage: Stage, simulate: Simulate) -> None:
    if not (stage.bot.store / "index.sqlite3").exists() or not next(stage.left, b""):
        pytest.skip("of an upgraded store")
    async with connected(simulate("napcat", self_id=10001), stage.bot) as implementation:
        known = {each["reference"].get("message_id"): each for each in EARLIER["references"]}
        for number, kind in ((17, "group"), (20, "group")):
            said = known[str(number)]["reference"]
            segment = by_hand(file=said["file"], url=said["url"])
            await written(implementation, segment, message_id=number)
            answer = await told(implementation)
            assert answer.get("sha256") == known[str(number)]["sha256"], (kind, answer)


@pytest.mark.parametrize("link", ["dead", "fine"])
async def test_two_pictures_of_one_name_without_sizes(
    stage: Stage, simulate: Simulate, cdn: SimulatedCdn, link: str
) -> None:
    """The implementation gives the same one for both, whichever is asked for."""
    implementation = simulate("napcat")
    async with connected(implementation, stage.bot):
        (first, one), (second, other) = (unnamed(implementation, "name") for _ in range(2))
        wrong = implementation.picture(first, name="image.png")
        implementation.flavour.picture(wrong, implementation.message("group", wrong))
        if link == "dead":
            cdn.faults.set(Fault.NOT_FOUND)
        encoded = {"file": "", "url": "", "base64": _base64(first)}
        implementation.answers["get_image"] = lambda params: implementation.flavour.ok(encoded)
        await written(implementation, one, other)
        answers = [await told(implementation) for _ in range(2)]
        assert answers[1].get("sha256") == (sha256(second) if link == "fine" else None), answers


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


async def test_every_picture_with_the_link_of_the_first(stage: Stage, simulate: Simulate) -> None:
    """LLOneBot 3.24.0 repeats it; its get_image downloads that very link."""
    implementation = simulate("luckylilliabot-3.24", version="3.24.0")
    async with connected(implementation, stage.bot):
        pictures = [implementation.picture(new_png()) for _ in range(3)]
        await implementation.send_group(pictures)
        answers = [await told(implementation) for _ in range(3)]
        assert answers[0]["sha256"] == sha256(pictures[0].hosted.data)
        for answer in answers[1:]:
            assert answer.get("sha256") != sha256(pictures[0].hosted.data), answer


async def test_two_bots_in_a_group_see_one_picture(
    stage: Stage, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    """Each has a link of its own; the first one's is dead."""
    one, other = simulate("lagrange"), simulate("napcat")
    async with connected(one, stage.bot), connected(other, stage.bot):
        other.behaviour.missing.add("get_image")
        data = new_png()
        dead: Picture = one.picture(data)
        cdn.faults.set(Fault.NOT_FOUND, fileid=dead.hosted.fileid)
        await one.send_group(dead)
        await other.send_group(other.picture(data))
        assert (await told(other))["sha256"] == sha256(data)
        await told(one)  # which may have had to give up before
        await one.send_group(dead)
        assert (await told(one))["sha256"] == sha256(data)


async def test_two_bots_under_one_message_id(stage: Stage, simulate: Simulate) -> None:
    one, other = simulate("lagrange"), simulate("lagrange")
    async with connected(one, stage.bot), connected(other, stage.bot):
        (first, seen), (second, shown) = unnamed(one, "url"), unnamed(other, "url")
        await written(one, seen, message_id=77)
        await written(other, shown, message_id=77)
        assert (await told(one))["sha256"] == sha256(first)
        assert (await told(other))["sha256"] == sha256(second)
