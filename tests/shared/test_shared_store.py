"""One store for bots on many hosts: what one knows, the others know, too."""

import asyncio
import contextlib
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import Hosts, until
from .server import Server


async def put(store: ImageStore, picture: Picture, reference: ImageReference | None = None) -> None:
    await store.put(reference or picture.reference, picture.info, picture.data, "test")
    assert store.tier is not None
    assert await store.tier.sent(5)


def elsewhere(picture: Picture, message: str = "elsewhere") -> ImageReference:
    """A reference to the same picture, as another bot receives it."""
    return replace(picture.reference, self_id="2", message_id=message)


async def test_what_one_host_has_put_another_finds(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)

    found = await other.find(elsewhere(picture))

    assert found == picture.info
    assert await other.read(found) == picture.data
    assert other.path(found).read_bytes() == picture.data
    assert other.looks.next_new() == picture.info  # it is found by what it looks like, too


async def test_every_claim_must_fit(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)

    assert await other.find(replace(elsewhere(picture), size=picture.info.size + 1)) is None
    assert await other.find(replace(elsewhere(picture), file="", message_id="new")) is None
    assert await other.find(replace(elsewhere(picture), size=picture.info.size)) == picture.info


async def test_what_is_known_by_its_name_or_its_place_alone(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    face = ImageReference(self_id="1", message_id="5", face_id="f\0ace")
    nameless = ImageReference(self_id="1", message_id="6", file="a.png", chat="group:1")
    for reference in (face, nameless):
        await put(one, picture, reference)

    assert await other.find(replace(face, self_id="2", message_id="9")) == picture.info
    assert await other.find(nameless) == picture.info
    assert await other.find(replace(nameless, message_id="7")) is None


async def test_damaged_bytes_in_the_database_are_never_taken(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    name = hosts.database.rpartition("/")[2]
    server.sql("UPDATE qqimage.image SET data = set_byte(data, 60, 7)", name)

    assert await other.find(elsewhere(picture)) is None
    assert server.sql("SELECT count(*) FROM qqimage.image", name) == "0"


async def test_what_a_killed_host_had_not_sent_is_sent_after_its_restart(
    hosts: Hosts, picture: Picture
) -> None:
    away = hosts.store("away")
    await away.put(picture.reference, picture.info, picture.data, "test")
    away.saw(Sighting(picture.reference, "group:1", "7", 1.0))
    await away.sightings(limit=1)  # written down

    await hosts.start("away")
    other = await hosts.start("other")

    await asyncio.sleep(0.5)
    assert await other.find(elsewhere(picture)) == picture.info
    assert [each.user for each in await other.sightings(chat="group:1", limit=9)] == ["7"]


async def test_what_waits_is_sent_in_parts_that_are_not_too_large(
    hosts: Hosts, server: Server
) -> None:
    away = hosts.store("away")
    pictures = [Picture(number, filler=1_500_000) for number in range(7)]
    for picture in pictures:
        await away.put(picture.reference, picture.info, picture.data, "test")
        away.saw(Sighting(picture.reference, "group:1", "7", 1.0, picture.info.sha256))
        await away.sightings(limit=1)  # written down
    away.path(pictures[1].info).unlink()  # somebody has removed it

    hosts.run(away)
    assert away.tier is not None
    await until(lambda: away.tier and away.tier.breaker.closed)
    assert await away.tier.sent(10)

    name = hosts.database.rpartition("/")[2]
    assert server.sql("SELECT count(*) FROM qqimage.image", name) == "6"
    assert server.sql("SELECT count(*) FROM qqimage.sighting", name) == "7"
    assert await away.catalog.outbox() == {}
    other = await hosts.start("other")
    found = await asyncio.gather(*(other.find(elsewhere(picture)) for picture in pictures))
    assert found == [None if n == 1 else each.info for n, each in enumerate(pictures)]


async def test_sightings_of_all_hosts_by_the_clock_of_the_database(hosts: Hosts) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    for number in range(6):
        store = (one, other)[number % 2]
        picture = Picture(number)
        reference = replace(picture.reference, message_id=f"{number}", self_id=f"{number % 2}")
        store.saw(Sighting(reference, "group:1", "u", 1000.0 - number))
        assert len(await store.sightings(limit=9)) >= 1  # there at once for who has seen it
        await asyncio.sleep(0.1)  # more than what their clocks can be compared by
    for store in (one, other):
        assert store.tier is not None
        assert await store.tier.sent(5)

    for store in (one, other):
        seen = await store.sightings(chat="group:1", limit=4)
        assert [each.reference.message_id for each in seen] == ["5", "4", "3", "2"]
    assert await one.sightings(limit=9) == await other.sightings(limit=9)


async def test_who_asks_only_for_what_came_before_gets_no_more(hosts: Hosts) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    first, second = (Picture(number).reference for number in (1, 2))
    one.saw(Sighting(first, "group:1", "u", 1.0))
    await one.sightings(limit=9)
    await asyncio.sleep(0.2)
    between = time.time()
    await asyncio.sleep(0.2)
    one.saw(Sighting(second, "group:1", "u", 1.0))
    await one.sightings(limit=9)
    assert one.tier is not None
    assert await one.tier.sent(5)

    seen = await other.sightings(chat="group:1", arrived_by=between, limit=9)
    assert [each.reference for each in seen] == [first]


async def test_what_a_sighting_shows_is_known_everywhere(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0))
    await put(one, picture)
    one.is_image(picture.reference, picture.info)
    await one.sightings(limit=1)
    assert one.tier is not None
    assert await one.tier.sent(5)

    (seen,) = await other.sightings(chat="group:1", limit=9)
    assert seen.sha256 == picture.info.sha256
    assert await other.sightings(sha256=picture.info.sha256, limit=9) == [seen]


@pytest.mark.parametrize("who", ["chat", "user"])
async def test_forget_reaches_every_host(hosts: Hosts, picture: Picture, who: str) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0))
    await put(one, picture)
    one.is_image(picture.reference, picture.info)
    await one.sightings(limit=1)
    found = await other.find(elsewhere(picture))
    assert found is not None

    gone = await one.forgetting.forget(**({"chat": "group:1"} if who == "chat" else {"user": "u"}))
    await asyncio.sleep(2)

    assert gone == (1, 1)
    for store in (one, other):
        assert store.known(elsewhere(picture)) is None
        assert await store.find(elsewhere(picture)) is None
        assert not store.path(found).exists()
        assert store.at_hand(found) is None
        assert await store.sightings(chat="group:1", limit=9) == []
        assert await store.forgetting.is_forgotten(picture.reference)


async def test_a_host_that_was_away_forgets_when_it_is_back(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one, away = await hosts.start("one"), await hosts.start("away")
    await hosts.stop(away)
    away.saw(Sighting(picture.reference, "group:1", "u", 1.0))
    await away.put(picture.reference, picture.info, picture.data, "test")
    away.is_image(picture.reference, picture.info)
    await away.sightings(limit=1)

    await one.forgetting.forget(chat="group:1")
    hosts.run(away)
    await asyncio.sleep(1)

    name = hosts.database.rpartition("/")[2]
    assert server.sql("SELECT count(*) FROM qqimage.image", name) == "0"
    assert server.sql("SELECT count(*) FROM qqimage.sighting", name) == "0"
    assert await away.find(elsewhere(picture)) is None
    assert not away.path(picture.info).exists()


async def test_what_another_chat_refers_to_stays(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
    await put(one, picture)
    other.saw(Sighting(elsewhere(picture), "group:2", "u", 1.0, picture.info.sha256))
    await other.sightings(limit=1)
    assert other.tier is not None
    assert await other.tier.sent(5)

    await one.forgetting.forget(chat="group:1")
    await asyncio.sleep(1.5)

    assert await other.find(elsewhere(picture)) == picture.info
    assert await one.find(elsewhere(picture)) == picture.info


async def test_a_change_that_makes_no_sense_stops_no_later_one(
    hosts: Hosts, picture: Picture, server: Server
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    assert await other.find(elsewhere(picture))
    server.sql(
        "UPDATE qqimage.counter SET number = number + 1; INSERT INTO qqimage.change "
        "(number, kind, body) SELECT number, 'forget', '{\"marks\": 7}' FROM qqimage.counter",
        hosts.database.rpartition("/")[2],
    )
    await one.forgetting.forget_picture(picture.info.sha256)
    await asyncio.sleep(2)
    assert other.known(elsewhere(picture)) is None
    assert await other.find(elsewhere(picture)) is None


async def test_pins_count_over_all_hosts(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    assert await other.find(elsewhere(picture))
    assert await one.pins.add(picture.info.sha256, "me")
    assert await other.pins.add(picture.info.sha256, "me")
    assert await one.pins.of("me") == await other.pins.of("me") == [picture.info.sha256]

    await other.pins.remove(picture.info.sha256, "me")
    assert await other.pins.of("me") == [picture.info.sha256]  # once it has been told
    assert await one.pins.of("me") == [picture.info.sha256]
    await one.pins.remove(picture.info.sha256, "me")
    assert await one.pins.of("me") == []
    assert await other.pins.of("me") == []


async def test_the_least_recently_used_go_but_what_is_pinned(hosts: Hosts, server: Server) -> None:
    pictures = [Picture(number, filler=1000) for number in range(10)]
    size = sum(picture.info.size for picture in pictures[:5])
    store = await hosts.start("one", max_shared_size=size)
    for picture in pictures:
        await put(store, picture)
    assert await store.pins.add(pictures[0].info.sha256, "me")
    assert await store.pins.of("me")
    assert store.tier is not None
    while (await store.tier.shared.collect(2))[0]:
        pass

    left = server.sql("SELECT sha256 FROM qqimage.image", hosts.database.rpartition("/")[2]).split()
    kept = [pictures[0], *pictures[-4:]]
    assert sorted(left) == sorted(picture.info.sha256 for picture in kept)


async def test_strange_text_is_stored_all_the_same(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    wild = "\0 中" + "x" * 5000
    reference = replace(picture.reference, message_id=wild, url="http://a/\ud83d")
    one.saw(Sighting(reference, f"group:{wild}", wild, 1.0))
    await put(one, picture, reference)
    await one.sightings(limit=1)
    assert one.tier is not None
    assert await one.tier.sent(5)

    assert await other.find(elsewhere(picture)) == picture.info
    assert len(await other.sightings(user=wild, limit=9)) == 1
    assert len(await other.sightings(chat=f"group:{wild}", message_id=wild, limit=9)) == 1


async def test_one_picture_is_forgotten_everywhere(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    for store, reference in ((one, picture.reference), (other, elsewhere(picture))):
        store.saw(Sighting(reference, "group:1", "u", 1.0, picture.info.sha256))
        await put(store, picture, reference)
        await store.sightings(limit=1)
        assert store.tier is not None
        assert await store.tier.sent(5)

    await one.forgetting.forget_picture(picture.info.sha256)
    await asyncio.sleep(1.5)

    name = hosts.database.rpartition("/")[2]
    assert server.sql("SELECT count(*) FROM qqimage.image", name) == "0"
    assert server.sql("SELECT count(*) FROM qqimage.sighting", name) == "0"
    for store in (one, other):
        assert await store.find(elsewhere(picture)) is None
        assert not store.path(picture.info).exists()
        assert await store.forgetting.is_forgotten(elsewhere(picture))


async def test_what_another_host_has_seen_again_may_be_fetched(
    hosts: Hosts, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
    await put(one, picture)
    await one.sightings(limit=1)
    assert one.tier is not None
    assert await one.tier.sent(5)
    await one.forgetting.forget(chat="group:1")
    await asyncio.sleep(1.5)
    again = replace(picture.reference, message_id="again")
    assert await other.forgetting.is_forgotten(again)

    one.saw(Sighting(again, "group:1", "u", 2.0))
    await one.sightings(limit=1)
    assert await one.tier.sent(5)
    assert not await one.forgetting.is_forgotten(again)
    assert not await other.forgetting.is_forgotten(again)
    assert await other.forgetting.is_forgotten(
        elsewhere(picture)
    )  # of a message that nobody has seen again


def damage(index: Path) -> None:
    """Damage one page, from which everything else can be read."""
    with contextlib.closing(sqlite3.connect(index)) as database:
        ((root, size),) = database.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
            "WHERE name = 'images_by_use'"
        )
    with index.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)


async def test_orders_are_obeyed_after_a_damaged_index_was_replaced(
    hosts: Hosts, picture: Picture
) -> None:
    one = await hosts.start("one")
    await put(one, picture)
    for _ in range(2):
        await one.pins.add(picture.info.sha256, "me")
        await one.pins.remove(picture.info.sha256, "me")
    assert await one.pins.of("me") == []
    await hosts.stop(one)
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    assert one.tier is not None
    await one.tier.synchronise()
    await one.annotations.put(picture.info.sha256, "me", "a dog")
    await one.close()
    await asyncio.to_thread(damage, one.folder / "index.sqlite3")

    again = hosts.store("one")
    with pytest.raises(StoreError, match="a new one is made"):
        await again.upkeep.steps()
    hosts.run(again)
    assert again.tier is not None
    await until(lambda: again.tier and again.tier.breaker.closed)
    assert await again.tier.sent(5)
    for number in range(5):
        assert await again.pins.add(picture.info.sha256, f"{number}")
    for number in range(5):
        assert await again.pins.of(f"{number}") == [picture.info.sha256]
    other = await hosts.start("other")
    assert [each.text for each in await other.annotations.of(picture.info.sha256)] == ["a dog"]
