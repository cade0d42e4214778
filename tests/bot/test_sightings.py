"""Where images were seen, which are kept for whom, and what is forgotten."""

import contextlib
import time
from typing import Any

import pytest
from nonebot.adapters.onebot.v11 import MessageSegment
from nonebot.adapters.onebot.v11.event import Event

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.errors import ImageExpired, ImageNotFound, StoreError

from ..messages.test_events import message, parse, sent_event
from ..store.pictures import Picture
from ..world import OTHER, PICTURE, Make, World, make, services, world

__all__ = ["make", "services", "world"]  # fixtures


def picture(url: str, number: int = 1, *, file: str = "", **fields: Any) -> Event:
    """A message with a picture."""
    segment = MessageSegment("image", {"file": file, "url": f"http://{url}"})
    return message([{"type": "image", "data": segment.data}], message_id=number, **fields)


def named(picture: Picture) -> str:
    return f"{picture.info.md5.upper()}.png"


@pytest.fixture(autouse=True)
def links(world: World) -> None:
    world.data = {"http://good": PICTURE.data, "http://other": OTHER.data}


def take_in(services: Services, event: Event) -> None:
    Intake(services).received(event)


async def handled(services: Services, *events: Event) -> None:
    """Let these events happen, and their images be fetched."""
    for event in events:
        take_in(services, event)
        for image in await services.resolver.images(event):
            await image


async def test_an_image_is_found_by_what_is_known_of_it(services: Services) -> None:
    await handled(
        services,
        picture("good", 1, time=1_600_000_000),
        picture("other", 2, time=1_600_000_100, user_id=30002, group_id=20002),
    )
    first, second = sorted(await services.resolver.find(), key=lambda each: each.time)
    assert (first.sha256, second.sha256) == (PICTURE.info.sha256, OTHER.info.sha256)
    assert (second.chat, second.user, second.time) == ("group:20002", "30002", 1_600_000_100)
    assert second.reference.message_id == "2"
    assert await services.resolver.find(sha256=PICTURE.info.sha256) == [first]
    assert await services.resolver.find(chat="group:20002") == [second]
    assert await services.resolver.find(user="30001") == [first]
    assert await services.resolver.find(message_id="2") == [second]
    assert await services.resolver.find(since=1_600_000_050) == [second]
    assert await services.resolver.find(bot="10001", limit=1) == [second]
    assert await services.resolver.find(bot="10002") == []
    assert await services.resolver.image(first).read() == PICTURE.data


class Nameless:
    def __str__(self) -> str:
        raise ZeroDivisionError


async def test_an_event_that_another_plugin_has_spoilt_harms_no_other(
    services: Services,
) -> None:
    intake = Intake(services)
    for number in range(1, 202):
        event = picture("good", number)
        if number % 2:
            object.__setattr__(event, "user_id", Nameless())
        with contextlib.suppress(ZeroDivisionError):  # which the hook logs
            intake.received(event)
    seen = {
        int(sighting.reference.message_id) for sighting in await services.resolver.find(limit=500)
    }
    assert seen == set(range(2, 202, 2))


async def test_what_a_handler_does_to_its_event_changes_nothing_that_was_seen(
    services: Services,
) -> None:
    event = picture("good", 1)
    take_in(services, event)
    event.message[0].data["url"] = "http://127.0.0.1:1/other"  # type: ignore[attr-defined]
    event.message.clear()  # type: ignore[attr-defined]
    object.__setattr__(event, "group_id", 20009)
    object.__setattr__(event, "user_id", 30009)
    (sighting,) = await services.resolver.find()
    assert (sighting.chat, sighting.user) == ("group:20001", "30001")
    assert await services.resolver.image(sighting).read() == PICTURE.data


async def test_what_came_just_before_the_bot_ended_is_remembered(make: Make) -> None:
    before = make()
    take_in(before, picture("good"))
    await before.pipeline.close()
    assert len(await make().resolver.find()) == 1


async def test_a_later_bot_remembers(make: Make) -> None:
    before = make()
    await handled(before, picture("good"))
    await before.pipeline.close()
    (sighting,) = await make().resolver.find()
    assert sighting.sha256 == PICTURE.info.sha256


async def test_what_all_messages_with_a_picture_show_is_known(
    services: Services, world: World
) -> None:
    world.open.clear()
    for number in range(5):
        take_in(services, picture("good", number, file=named(PICTURE)))
    image = services.resolver.image((await services.resolver.find(limit=1))[0])
    world.open.set()
    await image.read()
    assert len(await services.resolver.find(sha256=PICTURE.info.sha256)) == 5


async def test_a_name_that_lies_speaks_for_its_own_message_alone(
    services: Services,
) -> None:
    await handled(services, picture("other", 1, file=named(PICTURE)))
    take_in(services, picture("good", 2, file=named(PICTURE)))
    assert [
        each.reference.message_id for each in await services.resolver.find(sha256=OTHER.info.sha256)
    ] == ["1"]


async def test_do_it_to_the_last_picture(services: Services) -> None:
    await handled(services, picture("good", 1, time=1_600_000_000))
    await handled(services, picture("other", 2, time=1_600_000_001))
    await handled(services, picture("good", 3, group_id=5))
    command = message([{"type": "text", "data": {"text": "grey"}}], message_id=4)
    (image,) = await services.resolver.latest(command)
    assert await image.read() == OTHER.data
    two = await services.resolver.latest(command, 2)
    assert [await image.read() for image in two] == [OTHER.data, PICTURE.data]
    assert (
        await services.resolver.latest(parse({"time": 0, "self_id": 1, "post_type": "meta_event"}))
        == []
    )


async def test_the_last_picture_may_still_be_on_its_way(services: Services, world: World) -> None:
    world.open.clear()
    take_in(services, picture("good"))
    (image,) = await services.resolver.latest(picture("good"))
    world.open.set()
    assert await image.read() == PICTURE.data
    assert len(world.fetched) == 1


async def test_of_one_message_the_last_picture_comes_first(services: Services) -> None:
    both = [{"type": "image", "data": {"url": f"http://{url}"}} for url in ("good", "other")]
    await handled(services, message(both))
    (image,) = await services.resolver.latest(message(both))
    assert await image.read() == OTHER.data


async def test_what_the_account_sent_counts_too(services: Services, world: World) -> None:
    data = MessageSegment.image(PICTURE.data).data
    world.data[data["file"]] = PICTURE.data
    event = sent_event([{"type": "image", "data": data}], group_id=7)
    take_in(services, event)
    (image,) = await services.resolver.latest(message([], group_id=7))
    assert await image.read() == PICTURE.data


async def test_sightings_can_be_switched_off(make: Make) -> None:
    services = make(sightings=False)
    await handled(services, picture("good"))
    assert await services.resolver.find() == []
    assert await services.resolver.latest(picture("good")) == []


async def test_a_uri_of_a_lost_image_is_fetched_where_it_was_seen(
    services: Services, world: World
) -> None:
    await handled(services, picture("good"))
    services.store.path(PICTURE.info).write_bytes(b"damaged")
    assert await services.resolver.image(PICTURE.info.uri).read() == PICTURE.data
    assert world.fetched[-1].message_id == "1"


async def test_another_image_is_not_taken_for_it(services: Services, world: World) -> None:
    await handled(services, picture("good"))
    services.store.path(PICTURE.info).unlink()
    world.data.clear()
    with pytest.raises(ImageExpired):
        await services.resolver.image(PICTURE.info.uri).read()
    with pytest.raises(ImageNotFound):
        await services.resolver.image(OTHER.info.uri).read()


# Pins


async def test_a_pinned_image_outlives_the_bounds(make: Make) -> None:
    services = make(max_store_size=1)
    await handled(services, picture("good", 1))
    image = (await services.resolver.images(picture("good", 1)))[0]
    await services.resolver.pin(image, "album")
    await services.resolver.pin(PICTURE.info.uri, "other album")
    await handled(services, picture("other", 2))
    await services.store.upkeep.evict()
    await services.resolver.unpin(image, "album")
    await services.resolver.unpin(image, "album")  # there is none left: nothing happens
    await services.store.upkeep.evict()
    assert await services.resolver.image(PICTURE.info.uri).read() == PICTURE.data
    await services.resolver.unpin(PICTURE.info.uri, "other album")
    await services.store.upkeep.evict()
    assert (await services.store.totals()).images == 0


async def test_what_an_owner_has_pinned(services: Services) -> None:
    await handled(services, picture("good", 1), picture("other", 2))
    first, second = reversed(await services.resolver.find())
    await services.resolver.pin(first, "album")
    await services.resolver.pin(first, "album")
    await services.resolver.pin(second, "album")
    await services.resolver.pin(second, "other album")
    pinned = await services.resolver.pins("album")
    assert [await image.read() for image in pinned] == [OTHER.data, PICTURE.data]
    await services.resolver.unpin(second, "album")
    assert [image.reference.sha256 for image in await services.resolver.pins("album")] == [
        PICTURE.info.sha256
    ]
    assert await services.resolver.pins("nobody") == []


async def test_the_newest_sightings_of_a_pinned_image_stay(make: Make) -> None:
    services = make(max_age=86400)
    await handled(services, picture("other", 1, time=1), picture("good", 2, time=1))
    for number in range(3, 250):
        take_in(services, picture("good", number, time=number, file=named(PICTURE)))
    await services.resolver.pin(PICTURE.info.uri, "album")
    await services.store.upkeep.evict()
    seen = await services.resolver.find(limit=500)
    assert [int(each.reference.message_id) for each in seen] == [*range(249, 149, -1)]
    assert await services.resolver.forget(chat="group:20001") == (100, 0)
    assert await services.resolver.find() == []
    assert await services.resolver.image(PICTURE.info.uri).read() == PICTURE.data


async def test_nothing_that_came_after_the_message(services: Services, world: World) -> None:
    await handled(services, picture("good", 1))
    command = message([{"type": "text", "data": {"text": "grey"}}], message_id=2)
    take_in(services, command)
    await handled(services, picture("other", 3))
    (image,) = await services.resolver.latest(command, 5, before=True)
    assert await image.read() == PICTURE.data
    assert len(await services.resolver.latest(command, 5)) == 2
    unnoted = message([], message_id=4, time=int(time.time()))
    assert len(await services.resolver.latest(unnoted, 5, before=True)) == 2
    assert await services.resolver.latest(command, 0) == []


async def test_pins_are_counted(make: Make) -> None:
    services = make(max_store_size=1)
    await handled(services, picture("good"))
    for _ in range(2):
        await services.resolver.pin(PICTURE.info.uri, "album")
    await services.resolver.unpin(PICTURE.info.uri, "album")
    await services.store.upkeep.evict()
    assert (await services.store.totals()).images == 1


async def test_pinning_fetches_what_is_not_there(services: Services) -> None:
    await services.resolver.pin((await services.resolver.images(picture("good")))[0], "album")
    assert (await services.store.totals()).images == 1


async def test_what_nobody_has_cannot_be_pinned(services: Services) -> None:
    with pytest.raises(ImageNotFound):
        await services.resolver.pin(PICTURE.info.uri, "album")


# Forgetting


async def test_who_is_forgotten_leaves_nothing_that_was_theirs_alone(
    services: Services,
) -> None:
    await handled(services, picture("good", 1), picture("other", 2))
    await handled(services, picture("other", 3, user_id=30002))
    assert await services.resolver.forget(user="30001") == (2, 1)
    assert [each.user for each in await services.resolver.find()] == ["30002"]
    assert (await services.store.totals()).images == 1
    with pytest.raises(ImageNotFound):
        await services.resolver.image(PICTURE.info.uri).read()
    assert await services.resolver.image(OTHER.info.uri).read() == OTHER.data


async def test_a_chat_of_a_user_is_forgotten(services: Services) -> None:
    await handled(services, picture("good", 1), picture("good", 2, group_id=5))
    assert await services.resolver.forget(user="30001", chat="group:5") == (1, 0)
    assert await services.resolver.forget(chat="group:5") == (0, 0)


async def test_a_pinned_image_is_not_forgotten(services: Services) -> None:
    await handled(services, picture("good"))
    await services.resolver.pin(PICTURE.info.uri, "album")
    assert await services.resolver.forget(user="30001") == (1, 0)
    assert await services.resolver.image(PICTURE.info.uri).read() == PICTURE.data


async def test_somebody_must_be_named(services: Services) -> None:
    with pytest.raises(ValueError, match="whose"):
        await services.resolver.forget()


async def test_a_closed_resolver_says_so(make: Make) -> None:
    services = make()
    await services.pipeline.close()
    with pytest.raises(StoreError, match="closed"):
        await services.resolver.find()
