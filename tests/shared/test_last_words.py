"""What was said of a picture and then replaced, or taken back, on another host never returns."""

import asyncio
import time

import pytest

from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import Hosts
from .server import Server
from .test_annotations import found, put, said, sent


async def evict(hosts: Hosts, server: Server) -> None:
    """Remove every picture from the database, as its bounds do."""
    name = hosts.database.rpartition("/")[2]
    await asyncio.to_thread(server.sql, "DELETE FROM qqimage.image", name)
    assert await asyncio.to_thread(server.sql, "SELECT * FROM qqimage.annotation", name) == ""


async def send_anew(store: ImageStore, picture: Picture) -> None:
    """Send a picture once more: somebody else says something of it there."""
    await store.annotations.put(picture.info.sha256, "somebody", "else")
    await sent(store)


@pytest.fixture
async def both(hosts: Hosts, picture: Picture) -> tuple[ImageStore, ImageStore]:
    """Two hosts that have stored the picture."""
    one, other = await hosts.start("one"), await hosts.start("other")
    for store in (one, other):
        await put(store, picture)
    return one, other


@pytest.mark.parametrize("then", ["", "a dog"], ids=["taken back", "replaced"])
@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
async def test_the_host_that_wrote_it_forgets_it(
    hosts: Hosts,
    server: Server,
    picture: Picture,
    both: tuple[ImageStore, ImageStore],
    then: str,
    away: bool,
) -> None:
    one, other = both
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    await sent(one)
    if away:
        await hosts.stop(one)
    await other.annotations.put(picture.info.sha256, "me", then)
    await sent(other)
    if not away:
        await asyncio.sleep(1.5)
    await evict(hosts, server)
    if away:
        hosts.run(one)
        await asyncio.sleep(0.5)

    assert "me" not in await said(one, picture)
    await send_anew(one, picture)
    for store in (one, other):
        assert (await said(store, picture)).get("me") != "a cat"
        assert await found(store, "cat") == []


async def test_an_earlier_word_that_comes_late_counts_for_nothing(
    hosts: Hosts, server: Server, picture: Picture, both: tuple[ImageStore, ImageStore]
) -> None:
    late, other = both
    await sent(late, other)
    await hosts.stop(late)
    await late.annotations.put(picture.info.sha256, "me", "a cat")
    await late.annotations.put(picture.info.sha256, "you", "a mouse")
    await asyncio.sleep(0.1)  # more than what their clocks can be compared by
    await other.annotations.put(picture.info.sha256, "me", "")
    await sent(other)

    hosts.run(late)
    await sent(late)
    await asyncio.sleep(1.5)
    await evict(hosts, server)
    assert await said(late, picture) == {"you": "a mouse"}
    await send_anew(late, picture)
    assert await said(other, picture) == {"somebody": "else"}


async def test_a_later_word_stays_where_it_was_said(
    hosts: Hosts, server: Server, picture: Picture, both: tuple[ImageStore, ImageStore]
) -> None:
    one, other = both
    for text in ("a cat", "", "a dog", "a dog and a cat"):
        await one.annotations.put(picture.info.sha256, "me", text)
        await sent(one)
    await other.annotations.put(picture.info.sha256, "you", "a mouse")
    await sent(other)
    await one.annotations.put(picture.info.sha256, "you", "a mouse")
    await sent(one)
    await asyncio.sleep(1.5)
    await evict(hosts, server)
    assert await said(one, picture) == {"me": "a dog and a cat", "you": "a mouse"}
    assert await said(other, picture) == {"you": "a mouse"}


async def test_it_is_taken_back_although_the_picture_has_gone_from_both_meanwhile(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other", max_size=1)
    for store in (one, other):
        await put(store, picture)
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    await sent(one, other)
    await hosts.stop(other)
    await other.annotations.put(picture.info.sha256, "me", "")
    await evict(hosts, server)
    another = Picture(2)
    await other.put(another.reference, another.info, another.data, "test")
    assert await other.find(picture.reference, here=True) is None

    hosts.run(other)
    await sent(other)
    await asyncio.sleep(1.5)
    assert await said(one, picture) == {}
    await send_anew(one, picture)
    assert await said(other, picture) == {"somebody": "else"}


async def test_two_hosts_that_say_something_at_one_moment_agree(
    hosts: Hosts, server: Server
) -> None:
    stores = [await hosts.start(f"{number}") for number in range(3)]
    pictures = [Picture(number) for number in range(8)]
    for store in stores:
        for picture in pictures:
            await put(store, picture)
    await sent(*stores)
    for turn in range(4):
        await asyncio.gather(
            *(
                store.annotations.put(each.info.sha256, "me", f"{turn} {number}" * (turn != 2))
                for each in pictures
                for number, store in enumerate(stores)
            )
        )
    await sent(*stores)
    await asyncio.sleep(1.5)
    last = [await said(stores[0], picture) for picture in pictures]
    for store in stores:
        assert [await said(store, picture) for picture in pictures] == last
    await evict(hosts, server)
    for picture, text in zip(pictures, last, strict=True):
        left = [await said(store, picture) for store in stores]
        assert [each for each in left if each] == [text]  # the one host that said it


@pytest.mark.parametrize("hours", [-5, 5])
async def test_it_is_the_last_word_also_where_a_clock_is_wrong(
    hosts: Hosts, server: Server, picture: Picture, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = hosts.store("wrong"), hosts.store("right")
    clock = time.time
    for number, store in enumerate((wrong, right, wrong, right)):
        shift = 3600 * hours * (store is wrong)
        monkeypatch.setattr(time, "time", lambda shift=shift: clock() + shift)
        assert store.tier is not None
        await store.tier.synchronise()  # it learns how far its clock is from the database's
        if number < 2:
            await put(store, picture)
        await store.annotations.put(picture.info.sha256, "me", f"text {number}" * (number < 3))
        await store.tier.synchronise()
        assert await store.catalog.outbox() == {}
        await asyncio.sleep(0.1)
    monkeypatch.setattr(time, "time", clock)
    for store in (wrong, right):
        assert store.tier is not None
        await store.tier.synchronise()
    await evict(hosts, server)
    for store in (wrong, right):
        assert await said(store, picture) == {}


async def test_what_one_host_says_again_and_again_is_no_news_for_others(
    hosts: Hosts, server: Server, picture: Picture, both: tuple[ImageStore, ImageStore]
) -> None:
    one, other = both
    changes = "SELECT count(*) FROM qqimage.change"
    name = hosts.database.rpartition("/")[2]
    for number in range(5):
        await one.annotations.put(picture.info.sha256, "me", f"seen {number} times")
        await sent(one)
    assert await asyncio.to_thread(server.sql, changes, name) == "0"
    for store, text in ((other, "seen 4 times"), (one, "seen 5 times"), (other, "often")):
        await store.annotations.put(picture.info.sha256, "me", text)
        await sent(store)
    await asyncio.sleep(1.5)
    await evict(hosts, server)
    assert await said(one, picture) == {}
    assert await said(other, picture) == {"me": "often"}


async def test_the_tables_of_a_release_that_told_nobody_are_added_to(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    await hosts.stop(await hosts.start("before"))
    name = hosts.database.rpartition("/")[2]
    await asyncio.to_thread(server.sql, "ALTER TABLE qqimage.annotation DROP COLUMN store", name)
    one, other = await asyncio.gather(hosts.start("one"), hosts.start("other"))
    await put(one, picture)
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    await sent(one)
    insert = "UPDATE qqimage.annotation SET text = 'a dog', store = DEFAULT"
    await asyncio.to_thread(server.sql, insert, name)  # as that release does
    assert await said(other, picture) == {"me": "a dog"}
    await put(other, picture)
    await other.annotations.put(picture.info.sha256, "me", "a mouse")
    await sent(other)
    await asyncio.sleep(1.5)
    await evict(hosts, server)
    assert await said(one, picture) == {}
