"""Where images were seen, which are kept for whom, and what is forgotten."""

from typing import Any

import pytest
from nonebot.adapters.onebot.v11 import MessageSegment
from nonebot.adapters.onebot.v11.event import Event

from nonebot_plugin_qqimage.errors import ImageExpired, ImageNotFound, StoreError
from nonebot_plugin_qqimage.intake import Intake
from nonebot_plugin_qqimage.resolver import ImageResolver

from .store.pictures import Picture
from .test_finding import message, parse, sent_event
from .world import OTHER, PICTURE, Make, World, make, resolver, world

__all__ = ["make", "resolver", "world"]  # fixtures


def picture(url: str, number: int = 1, *, file: str = "", **fields: Any) -> Event:
    """A message with a picture."""
    segment = MessageSegment("image", {"file": file, "url": f"http://{url}"})
    return message([{"type": "image", "data": segment.data}], message_id=number, **fields)


def named(picture: Picture) -> str:
    return f"{picture.info.md5.upper()}.png"


@pytest.fixture(autouse=True)
def links(world: World) -> None:
    world.data = {"http://good": PICTURE.data, "http://other": OTHER.data}


def take_in(resolver: ImageResolver, event: Event) -> None:
    Intake(resolver.config, resolver).received(event)


async def handled(resolver: ImageResolver, *events: Event) -> None:
    """Let these events happen, and their images be fetched."""
    for event in events:
        take_in(resolver, event)
        for image in await resolver.images(event):
            await image


async def test_an_image_is_found_by_what_is_known_of_it(resolver: ImageResolver) -> None:
    await handled(
        resolver,
        picture("good", 1, time=1_600_000_000),
        picture("other", 2, time=1_600_000_100, user_id=30002, group_id=20002),
    )
    first, second = sorted(await resolver.find(), key=lambda each: each.time)
    assert (first.sha256, second.sha256) == (PICTURE.info.sha256, OTHER.info.sha256)
    assert (second.chat, second.user, second.time) == ("group:20002", "30002", 1_600_000_100)
    assert second.reference.message_id == "2"
    assert await resolver.find(sha256=PICTURE.info.sha256) == [first]
    assert await resolver.find(chat="group:20002") == [second]
    assert await resolver.find(user="30001") == [first]
    assert await resolver.find(message_id="2") == [second]
    assert await resolver.find(since=1_600_000_050) == [second]
    assert await resolver.find(bot="10001", limit=1) == [second]
    assert await resolver.find(bot="10002") == []
    assert await resolver.image(first).read() == PICTURE.data


class Nameless:
    def __str__(self) -> str:
        raise ZeroDivisionError


async def test_an_event_that_another_plugin_has_spoilt_harms_no_other(
    resolver: ImageResolver,
) -> None:
    intake = Intake(resolver.config, resolver)
    for number in range(1, 202):
        event = picture("good", number)
        if number % 2:
            object.__setattr__(event, "user_id", Nameless())
        intake.received(event)
    seen = {int(sighting.reference.message_id) for sighting in await resolver.find(limit=500)}
    assert seen == set(range(2, 202, 2))


async def test_a_later_bot_remembers(make: Make) -> None:
    before = make()
    await handled(before, picture("good"))
    await before.close()
    (sighting,) = await make().find()
    assert sighting.sha256 == PICTURE.info.sha256


async def test_what_all_messages_with_a_picture_show_is_known(
    resolver: ImageResolver, world: World
) -> None:
    world.open.clear()
    for number in range(5):
        take_in(resolver, picture("good", number, file=named(PICTURE)))
    image = resolver.image((await resolver.find(limit=1))[0])
    world.open.set()
    await image.read()
    assert len(await resolver.find(sha256=PICTURE.info.sha256)) == 5


async def test_a_name_that_lies_speaks_for_its_own_message_alone(
    resolver: ImageResolver,
) -> None:
    await handled(resolver, picture("other", 1, file=named(PICTURE)))
    take_in(resolver, picture("good", 2, file=named(PICTURE)))
    assert [
        each.reference.message_id for each in await resolver.find(sha256=OTHER.info.sha256)
    ] == ["1"]


async def test_do_it_to_the_last_picture(resolver: ImageResolver) -> None:
    await handled(resolver, picture("good", 1, time=1_600_000_000))
    await handled(resolver, picture("other", 2, time=1_600_000_001))
    await handled(resolver, picture("good", 3, group_id=5))
    command = message([{"type": "text", "data": {"text": "grey"}}], message_id=4)
    (image,) = await resolver.latest(command)
    assert await image.read() == OTHER.data
    two = await resolver.latest(command, 2)
    assert [await image.read() for image in two] == [OTHER.data, PICTURE.data]
    assert await resolver.latest(parse({"time": 0, "self_id": 1, "post_type": "meta_event"})) == []


async def test_the_last_picture_may_still_be_on_its_way(
    resolver: ImageResolver, world: World
) -> None:
    world.open.clear()
    take_in(resolver, picture("good"))
    (image,) = await resolver.latest(picture("good"))
    world.open.set()
    assert await image.read() == PICTURE.data
    assert len(world.fetched) == 1


async def test_of_one_message_the_last_picture_comes_first(resolver: ImageResolver) -> None:
    both = [{"type": "image", "data": {"url": f"http://{url}"}} for url in ("good", "other")]
    await handled(resolver, message(both))
    (image,) = await resolver.latest(message(both))
    assert await image.read() == OTHER.data


async def test_what_the_account_sent_counts_too(resolver: ImageResolver, world: World) -> None:
    data = MessageSegment.image(PICTURE.data).data
    world.data[data["file"]] = PICTURE.data
    event = sent_event([{"type": "image", "data": data}], group_id=7)
    take_in(resolver, event)
    (image,) = await resolver.latest(message([], group_id=7))
    assert await image.read() == PICTURE.data


async def test_sightings_can_be_switched_off(make: Make) -> None:
    resolver = make(sightings=False)
    await handled(resolver, picture("good"))
    assert await resolver.find() == []
    assert await resolver.latest(picture("good")) == []


async def test_a_uri_of_a_lost_image_is_fetched_where_it_was_seen(
    resolver: ImageResolver, world: World
) -> None:
    await handled(resolver, picture("good"))
    resolver.store.path(PICTURE.info).write_bytes(b"damaged")
    assert await resolver.image(PICTURE.info.uri).read() == PICTURE.data
    assert world.fetched[-1].message_id == "1"


async def test_another_image_is_not_taken_for_it(resolver: ImageResolver, world: World) -> None:
    await handled(resolver, picture("good"))
    resolver.store.path(PICTURE.info).unlink()
    world.data.clear()
    with pytest.raises(ImageExpired):
        await resolver.image(PICTURE.info.uri).read()
    with pytest.raises(ImageNotFound):
        await resolver.image(OTHER.info.uri).read()


# Pins


async def test_a_pinned_image_outlives_the_bounds(make: Make) -> None:
    resolver = make(max_store_size=1)
    await handled(resolver, picture("good", 1))
    image = (await resolver.images(picture("good", 1)))[0]
    await resolver.pin(image, "album")
    await resolver.pin(PICTURE.info.uri, "other album")
    await handled(resolver, picture("other", 2))
    await resolver.store.evict()
    await resolver.unpin(image, "album")
    await resolver.unpin(image, "album")  # there is none left: nothing happens
    await resolver.store.evict()
    assert await resolver.image(PICTURE.info.uri).read() == PICTURE.data
    await resolver.unpin(PICTURE.info.uri, "other album")
    await resolver.store.evict()
    assert (await resolver.store.totals()).images == 0


async def test_pins_are_counted(make: Make) -> None:
    resolver = make(max_store_size=1)
    await handled(resolver, picture("good"))
    for _ in range(2):
        await resolver.pin(PICTURE.info.uri, "album")
    await resolver.unpin(PICTURE.info.uri, "album")
    await resolver.store.evict()
    assert (await resolver.store.totals()).images == 1


async def test_pinning_fetches_what_is_not_there(resolver: ImageResolver) -> None:
    await resolver.pin((await resolver.images(picture("good")))[0], "album")
    assert (await resolver.store.totals()).images == 1


async def test_what_nobody_has_cannot_be_pinned(resolver: ImageResolver) -> None:
    with pytest.raises(ImageNotFound):
        await resolver.pin(PICTURE.info.uri, "album")


# Forgetting


async def test_who_is_forgotten_leaves_nothing_that_was_theirs_alone(
    resolver: ImageResolver,
) -> None:
    await handled(resolver, picture("good", 1), picture("other", 2))
    await handled(resolver, picture("other", 3, user_id=30002))
    assert await resolver.forget(user="30001") == (2, 1)
    assert [each.user for each in await resolver.find()] == ["30002"]
    assert (await resolver.store.totals()).images == 1
    with pytest.raises(ImageNotFound):
        await resolver.image(PICTURE.info.uri).read()
    assert await resolver.image(OTHER.info.uri).read() == OTHER.data


async def test_a_chat_of_a_user_is_forgotten(resolver: ImageResolver) -> None:
    await handled(resolver, picture("good", 1), picture("good", 2, group_id=5))
    assert await resolver.forget(user="30001", chat="group:5") == (1, 0)
    assert await resolver.forget(chat="group:5") == (0, 0)


async def test_a_pinned_image_is_not_forgotten(resolver: ImageResolver) -> None:
    await handled(resolver, picture("good"))
    await resolver.pin(PICTURE.info.uri, "album")
    assert await resolver.forget(user="30001") == (1, 0)
    assert await resolver.image(PICTURE.info.uri).read() == PICTURE.data


async def test_somebody_must_be_named(resolver: ImageResolver) -> None:
    with pytest.raises(ValueError, match="whose"):
        await resolver.forget()


async def test_a_closed_resolver_says_so(make: Make) -> None:
    resolver = make()
    await resolver.close()
    with pytest.raises(StoreError, match="closed"):
        await resolver.find()
