"""One picture is forgotten: also where a host has seen it, and never learned what it saw."""

import asyncio
import time
from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid, unreadable_fileid
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.outbox import Entry

from ..store.pictures import Picture
from .hosts import Hosts
from .server import Server

PICTURE = Picture(1)
LINK = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={}&rkey=k"
UNREADABLE = LINK.format(unreadable_fileid())
NAME, SIZE = PICTURE.reference.file, PICTURE.info.size
SEEN = {
    "name": {"file": NAME},
    "name and size": {"file": NAME, "size": SIZE},
    "link": {"file": "image.png", "url": LINK.format(new_fileid(PICTURE.data))},
    "all": {"file": NAME, "size": SIZE, "url": LINK.format(new_fileid(PICTURE.data))},
    "face": {"face_id": "face"},
    "unreadable link": {"file": "image.png", "url": UNREADABLE},
    "unreadable link and name": {"file": NAME, "url": UNREADABLE},
    "digest": {"sha256": PICTURE.info.sha256},
}
"""What a segment says, by which it is known to show the picture."""


def seen(message: str = "seen", **says: object) -> Sighting:
    """A sighting of which nobody has said what it shows, as a bot on another host has it."""
    reference = ImageReference(self_id="2", message_id=message, chat="group:1", **says)  # type: ignore[arg-type]
    return Sighting(reference, "group:1", "u", 1.0)


async def put(store: ImageStore) -> None:
    """The picture, by its digests and by the names that stand for it."""
    for number, says in enumerate(({"file": NAME}, {"face_id": "face"}, {"url": UNREADABLE})):
        reference = ImageReference(self_id="1", message_id=f"{number}", **says)  # type: ignore[arg-type]
        by_link = "url" in says
        await store.put(reference, PICTURE.info, PICTURE.data, "test", by_link=by_link)
        store.saw(Sighting(reference, "group:2", "u", 1.0, PICTURE.info.sha256))
    await written_down(store)
    await sent(store)


async def written_down(store: ImageStore) -> None:
    await store.sightings(limit=1)


async def sent(*stores: ImageStore) -> None:
    for store in stores:
        assert store.tier is not None
        assert await store.tier.sent(5)


async def left(hosts: Hosts, server: Server, *stores: ImageStore) -> list[set[str]]:
    """The messages that are known to have shown something: in the database, and on each host."""
    rows = server.sql("SELECT message FROM qqimage.sighting", hosts.database.rpartition("/")[2])
    local = [await store.catalog.outbox() for store in stores]
    assert not any(local)
    found = [{*rows.split()}]
    for store in stores:
        tier, store.tier = store.tier, None  # what it knows by itself
        here = await store.sightings(limit=100)
        store.tier = tier
        found.append({each.reference.message_id for each in here})
    return found


@pytest.mark.parametrize("when", ["sent", "away"])
@pytest.mark.parametrize("says", SEEN.values(), ids=SEEN)
async def test_a_sighting_that_nobody_resolved_goes_with_its_picture(
    hosts: Hosts, server: Server, says: dict[str, object], when: str
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one)
    if when == "away":
        await hosts.stop(other)
    other.saw(seen(**says))
    another = Picture(2)
    other.saw(seen("another", file=another.reference.file, size=another.info.size))
    other.saw(seen("larger", file=NAME, size=SIZE + 1))
    await written_down(other)
    if when == "sent":
        await sent(other)

    await one.forgetting.forget_picture(PICTURE.info.sha256)
    if when == "away":
        hosts.run(other)
    await asyncio.sleep(1.5)
    await sent(one, other)

    stay = {"another", "larger"}
    assert await left(hosts, server, one, other) == [stay, set(), stay]


async def test_also_where_the_database_has_lost_the_picture_before(
    hosts: Hosts, server: Server
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one)
    for number, says in enumerate(SEEN.values()):
        other.saw(seen(f"{number}", **says))
    await written_down(other)
    await sent(other)
    server.sql("DELETE FROM qqimage.image", hosts.database.rpartition("/")[2])

    await one.forgetting.forget_picture(PICTURE.info.sha256)
    await asyncio.sleep(1.5)
    assert await left(hosts, server, one, other) == [set(), set(), set()]


@pytest.mark.parametrize("when", ["sent", "unsent"])
async def test_a_place_that_showed_it_whatever_it_claims(
    hosts: Hosts, server: Server, when: str
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    says = seen("5", file=f"{'0' * 32}.png")  # both have the same bot, one after the other
    other.saw(says)
    await written_down(other)
    if when == "unsent":
        await hosts.stop(other)
    else:
        await sent(other)
    one.saw(says)
    one.saw(seen("6", file=f"{'0' * 32}.png"))  # the same false name says nothing of others
    await one.put(says.reference, PICTURE.info, PICTURE.data, "test")
    one.is_image(says.reference, PICTURE.info)
    await written_down(one)
    await sent(one)

    await one.forgetting.forget_picture(PICTURE.info.sha256)
    if when == "unsent":
        hosts.run(other)
    await asyncio.sleep(1.5)
    await sent(one, other)
    assert await left(hosts, server, one, other) == [{"6"}, {"6"}, set()]


async def test_what_waits_here_goes_with_its_picture(hosts: Hosts, server: Server) -> None:
    one = await hosts.start("one")
    await hosts.stop(one)
    says = seen("5", file=f"{'0' * 32}.png")
    one.saw(says)
    one.saw(seen("6", file=NAME))
    await written_down(one)
    await one.put(says.reference, PICTURE.info, PICTURE.data, "test")
    one.is_image(says.reference, PICTURE.info)
    await written_down(one)

    assert await one.forgetting.forget_picture(PICTURE.info.sha256) == 2
    hosts.run(one)
    await sent(one)
    assert await left(hosts, server, one) == [set(), set()]


async def test_what_was_seen_again_since_stays(hosts: Hosts, server: Server) -> None:
    one, away = await hosts.start("one"), await hosts.start("away")
    await put(one)
    await hosts.stop(away)
    away.saw(seen("before", file=NAME))
    await written_down(away)
    await asyncio.sleep(0.3)
    await one.forgetting.forget_picture(PICTURE.info.sha256)
    await sent(one)
    await asyncio.sleep(0.3)
    away.saw(seen("since", file=NAME))
    await written_down(away)
    hosts.run(away)
    await asyncio.sleep(0.5)
    await sent(away)
    assert await left(hosts, server, one, away) == [{"since"}, set(), {"since"}]


async def test_a_host_with_an_earlier_release_orders_without_keys(
    hosts: Hosts, server: Server
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one)
    other.saw(seen("6", file=NAME))
    await written_down(other)
    await sent(other)
    order = Entry(1, "forget", PICTURE.info.sha256, "", "", time.time(), [])
    assert one.tier is not None
    await one.tier.shared.order(order, "of an earlier release", ahead=0.0)
    await asyncio.sleep(1.5)
    await sent(one, other)
    assert await left(hosts, server, one, other) == [set(), set(), set()]


async def test_what_a_host_has_just_seen_is_no_exception(hosts: Hosts, server: Server) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one)
    await hosts.stop(other)
    other.saw(seen("6", file=NAME))  # not written down yet
    other.saw(replace(seen("7", file=NAME), sha256=PICTURE.info.sha256))
    await one.forgetting.forget_picture(PICTURE.info.sha256)
    await sent(one)
    assert other.tier is not None
    await other.tier.synchronise()
    assert await left(hosts, server, one, other) == [set(), set(), set()]


async def test_who_imports_what_a_host_has_does_first_what_others_have_done(
    hosts: Hosts, server: Server
) -> None:
    one, away = await hosts.start("one"), await hosts.start("away")
    for store in (one, away):
        await put(store)
    another = Picture(2)
    await away.put(another.reference, another.info, another.data, "test")
    await away.annotations.put(another.info.sha256, "me", "a cat")
    await sent(away)
    await hosts.stop(away)
    await one.forgetting.forget_picture(PICTURE.info.sha256)
    assert await one.find(another.reference)
    await one.annotations.put(another.info.sha256, "me", "")
    await sent(one)
    name = hosts.database.rpartition("/")[2]
    await asyncio.to_thread(server.sql, "DELETE FROM qqimage.image", name)

    assert away.tier is not None
    async for _ in away.import_into(away.tier.shared):
        pass
    assert server.sql("SELECT sha256 FROM qqimage.image", name) == another.info.sha256
    assert server.sql("SELECT count(*) FROM qqimage.sighting", name) == "0"
    assert server.sql("SELECT count(*) FROM qqimage.annotation", name) == "0"
