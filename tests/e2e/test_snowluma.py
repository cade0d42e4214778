"""SnowLuma, whose answers are links: each is taken as what it is."""

from collections.abc import AsyncIterator

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.messages import Message

from .bots import PATIENCE, SharedBot, Simulate, connected, new_png, sha256, told


@pytest.fixture
async def snowluma(common: SharedBot, simulate: Simulate) -> AsyncIterator[SimulatedImplementation]:
    async with connected(simulate("snowluma"), common) as implementation:
        yield implementation


def two_of_one_name(implementation: SimulatedImplementation) -> tuple[bytes, Message]:
    """A picture and its message, after which another picture came under the same name."""
    first = new_png()
    message = implementation.message("group", implementation.picture(first, name="image.png"))
    implementation.remember(message)
    other = implementation.picture(new_png(), name="image.png")
    implementation.remember(implementation.message("group", other))
    return first, message


async def test_a_link_in_the_place_of_a_path(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    data = new_png()
    message = snowluma.message("group", snowluma.picture(data))
    snowluma.remember(message)
    frame = snowluma.flavour.event(message)
    cdn.expire_keys()
    await snowluma.push(frame)
    answer = await told(snowluma)
    assert (answer["source"], answer["sha256"]) == ("url in the answer", sha256(data))


@pytest.mark.parametrize(
    ("missing", "source"),
    [((), "url in the answer"), (("get_image",), "url in get_msg")],
)
async def test_the_newest_picture_of_a_name_is_not_taken_for_an_older_one(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn, missing: tuple[str, ...], source: str
) -> None:
    snowluma.behaviour.missing |= {*missing, *(("get_rkey",) if missing else ())}
    snowluma.flavour.gives_keys = not missing
    first, message = two_of_one_name(snowluma)
    frame = snowluma.flavour.event(message)
    cdn.expire_keys()
    await snowluma.push(frame)
    answer = await told(snowluma)
    assert (answer.get("source"), answer.get("sha256")) == (source, sha256(first)), answer


async def test_the_same_picture_sent_again_is_taken_where_the_first_is_gone(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    data = new_png()
    gone, again = snowluma.picture(data), snowluma.picture(data)
    message = snowluma.message("group", gone)
    snowluma.remember(message)
    snowluma.remember(snowluma.message("group", again))
    cdn.faults.set(Fault.NOT_FOUND, fileid=gone.hosted.fileid)
    await snowluma.push(snowluma.flavour.event(message))
    answer = await told(snowluma)
    assert (answer["source"], answer["sha256"]) == ("url in the answer", sha256(data))


async def test_a_link_without_a_key(snowluma: SimulatedImplementation, cdn: SimulatedCdn) -> None:
    snowluma.flavour.unsigned_links = True
    data, private = new_png(), new_png()
    await snowluma.send_group(snowluma.picture(data))
    answer = await told(snowluma)
    assert (answer["source"], answer["sha256"]) == ("url with a fresh key", sha256(data))
    await snowluma.send_private(snowluma.picture(private, kind="private"))
    assert (await told(snowluma))["sha256"] == sha256(private)
    record = snowluma.forward([snowluma.picture(new_png())])
    await snowluma.send_group(record)
    assert (await told(snowluma))["source"] == "url with a fresh key"
    assert all("rkey=" in request.path for request in cdn.requests)


async def test_ok_without_any_key(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn, common: SharedBot
) -> None:
    snowluma.flavour.unsigned_links, snowluma.flavour.gives_keys = True, False
    await snowluma.send_group(snowluma.picture(new_png()))
    failure = await told(snowluma)
    assert failure["error"] == "ImageExpired"
    assert "no download rkey available" in failure["text"] or "without a key" in failure["text"]
    snowluma.flavour.gives_keys = True
    data = new_png()
    await snowluma.send_group(snowluma.picture(data))
    assert (await told(snowluma))["sha256"] == sha256(data)


async def test_a_refusal_with_nothing_but_a_wording(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    cdn.faults.set(Fault.NOT_FOUND)
    # what is in a forwarded record is not in its cache, and will not come there
    await snowluma.send_group(snowluma.forward([snowluma.picture(new_png())]))
    failure = await told(snowluma)
    assert "retcode 100: image not found in cache" in failure["text"]
    assert len(snowluma.calls_of("get_image")) == 1


async def test_a_quoted_message_with_a_negative_id(snowluma: SimulatedImplementation) -> None:
    data = new_png()
    snowluma.next_message_id = -1_234_567_890
    quoted = snowluma.message("group", snowluma.picture(data))
    snowluma.remember(quoted)
    snowluma.behaviour.missing.add("get_image")
    await snowluma.send_group("what is that?", quote=quoted.message_id)
    answer = await told(snowluma)
    assert answer["sha256"] == sha256(data)


async def test_pictures_that_say_nothing_break_nothing(
    snowluma: SimulatedImplementation,
) -> None:
    snowluma.flavour.blank_in_forwards = "url and file"
    data = new_png()
    await snowluma.send_group(snowluma.forward([snowluma.picture(new_png())]))
    assert "error" in await told(snowluma)
    await snowluma.send_group(snowluma.picture(data))
    assert (await told(snowluma))["sha256"] == sha256(data)


async def test_cq_codes(common: SharedBot, simulate: Simulate) -> None:
    """In these a picture has a name and a link, in which ``&`` is escaped."""
    async with connected(simulate("snowluma", message_format="string"), common) as implementation:
        data = new_png()
        await implementation.send_group(["what is ", implementation.picture(data, sticker=True)])
        assert (await told(implementation))["sha256"] == sha256(data)


async def test_a_call_that_it_cannot_read(snowluma: SimulatedImplementation) -> None:
    """Its refusal has no echo, so nobody waits for it; the connection goes on."""
    for link in snowluma.links.open:
        await link.send_event(snowluma.refusal("bad JSON"))
    data = new_png()
    await snowluma.send_group(snowluma.picture(data))
    assert (await told(snowluma, PATIENCE))["sha256"] == sha256(data)
