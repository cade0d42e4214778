"""What plugins know about pictures, on all hosts: written on one, found on the others."""

import asyncio
import time
from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.shared.postgresql import schema

from ..store.pictures import Picture
from .hosts import Hosts, until
from .proxy import Proxy
from .server import Server

TEXTS = {
    0: "一只橘猫坐在椅子上",
    1: "A Cat, 100% asleep_on a mat\\",
    2: 'say "NEAR(cat dog)" \' AND * É',
    3: "猫" * 5000,
}


def reference(picture: Picture, bot: str = "2") -> object:
    return replace(picture.reference, self_id=bot, message_id=f"on {bot}")


async def put(store: ImageStore, picture: Picture, chat: str = "group:1") -> None:
    """A picture that has been seen in a chat."""
    store.saw(Sighting(picture.reference, chat, "u", 1.0, picture.info.sha256))
    await store.put(picture.reference, picture.info, picture.data, "test")
    await store.sightings(limit=1)


async def sent(*stores: ImageStore) -> None:
    for store in stores:
        assert store.tier is not None
        assert await store.tier.sent(5)


async def said(store: ImageStore, picture: Picture) -> dict[str, str]:
    return {each.owner: each.text for each in await store.annotations.of(picture.info.sha256)}


async def found(store: ImageStore, text: str, **more: object) -> list[str]:
    given = {"owner": None, "chat": None, "limit": 100, **more}
    return [each.text for each in await store.annotations.search(text, **given)]  # type: ignore[arg-type]


async def test_search_finds_the_same_on_every_host(hosts: Hosts) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    for number, text in TEXTS.items():
        await put(one, Picture(number))
        assert await one.annotations.put(Picture(number).info.sha256, "tests", text)
    await sent(one)

    for text in (
        *(
            "猫",
            "橘猫",
            "坐在椅子",
            "椅子 猫",
            "狗",
            "cat",
            "CAT asleep",
            "100%",
            "%",
            "p_o",
            "___",
        ),
        *("_", '"', "'", "NEAR(cat", "*", "cat*", "\\", "", "\x00", "\ud83d", "é", "É", "猫" * 200),
    ):
        here = await found(one, text)
        assert await found(other, text) == here, text
        assert await found(other, text, limit=1) == here[:1]
        assert await found(other, text, chat="group:1") == here
        assert await found(other, text, owner="tests", chat="group:1") == here
        assert await found(other, text, owner="another") == []
        assert await found(other, text, chat="group:2") == []
    assert len(await found(other, "")) == 4
    assert len(await found(other, "猫")) == 2


async def test_a_chat_is_that_of_all_hosts(hosts: Hosts, picture: Picture) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture, "group:1")
    await one.annotations.put(picture.info.sha256, "tests", "a cat")
    await sent(one)
    assert await found(other, "cat", chat="group:2") == []

    seen = Sighting(picture.reference, "group:2", "u", 2.0, picture.info.sha256)
    other.saw(replace(seen, reference=replace(picture.reference, self_id="2")))
    assert await found(other, "cat", chat="group:2") == ["a cat"]  # at once for who has seen it
    assert await found(one, "cat", chat="group:2") == ["a cat"]


async def test_what_is_said_last_counts_also_where_it_is_taken_back(
    hosts: Hosts, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    await put(other, picture)
    sha256 = picture.info.sha256
    for number, store in enumerate((one, other, one)):
        await store.annotations.put(sha256, "me", f"text {number}")
        assert await said(store, picture) == {"me": f"text {number}"}  # at once for who says it
        await sent(store)
        for each in (one, other):
            assert await said(each, picture) == {"me": f"text {number}"}
            assert await found(each, "text") == [f"text {number}"]
            assert not await found(each, f"text {number - 1}")

    await one.annotations.put(sha256, "another", "stays")
    await other.annotations.put(sha256, "me", "")
    assert "me" not in await said(other, picture)
    assert not await found(other, "text")
    await sent(one, other)
    for each in (one, other):
        assert await said(each, picture) == {"another": "stays"}
        assert not await found(each, "text")
    await one.annotations.put(sha256, "me", "text again")
    await sent(one)
    assert await said(other, picture) == {"me": "text again", "another": "stays"}


async def test_what_many_owners_have_taken_back_leaves_room_for_others(
    hosts: Hosts, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    for begin in range(0, 48, 16):
        for text in ("a vote", ""):
            for number in range(begin, begin + 16):
                await one.annotations.put(picture.info.sha256, f"user {number}", text)
            await sent(one)
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    await sent(one)
    assert await said(other, picture) == {"me": "a cat"}


async def test_an_older_text_from_an_archive_replaces_nothing(
    hosts: Hosts, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    await put(one, picture)
    await put(other, picture)
    await one.annotations.put(picture.info.sha256, "me", "newer")
    await sent(one)
    await other.annotations.put(picture.info.sha256, "me", "older", when=1000.0)
    await sent(other)
    for each in (one, other):
        assert await said(each, picture) == {"me": "newer"}


async def test_it_survives_its_host_and_strange_text(hosts: Hosts, picture: Picture) -> None:
    one = await hosts.start("one")
    await put(one, picture)
    await one.annotations.put(picture.info.sha256, "own\x00er\ud83d", "a\x00b\ud83d\n喵")
    await sent(one)
    await hosts.stop(one)
    await one.close()

    third = await hosts.start("third")
    assert await third.find(reference(picture)) == picture.info  # type: ignore[arg-type]
    assert await said(third, picture) == {"own er?": "a b?\n喵"}
    assert await found(third, "a b?", owner="own er?") == ["a b?\n喵"]


async def test_what_a_killed_host_had_not_sent_is_sent_after_its_restart(
    hosts: Hosts, picture: Picture
) -> None:
    away = hosts.store("away")
    await put(away, picture)
    await away.annotations.put(picture.info.sha256, "me", "a cat")
    assert (await away.catalog.outbox())["annotation"] == 1

    again = await hosts.start("away")
    await sent(again)
    assert "annotation" not in await again.catalog.outbox()
    assert await said(await hosts.start("other"), picture) == {"me": "a cat"}


async def test_what_is_said_of_a_picture_at_once_follows_it(hosts: Hosts) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")

    async def come(number: int) -> None:
        await asyncio.sleep(number * 0.004)
        picture = Picture(number)
        await one.put(picture.reference, picture.info, picture.data, "test")
        await one.annotations.put(picture.info.sha256, "me", f"text {number}")

    await asyncio.gather(*map(come, range(250)))
    await sent(one)
    assert len(await found(other, "text", limit=500)) == 250


@pytest.mark.parametrize("who", ["chat", "picture"])
async def test_it_is_forgotten_everywhere(
    hosts: Hosts, server: Server, picture: Picture, who: str
) -> None:
    one, other, away = [await hosts.start(name) for name in ("one", "other", "away")]
    for number, store in enumerate((one, other, away)):
        await put(store, replace_bot(picture, f"{number}"))
        await sent(store)
    await hosts.stop(away)
    for store in (one, other, away):
        await store.annotations.put(picture.info.sha256, f"{id(store)}", "a cat")
    await sent(one, other)

    if who == "chat":
        await one.forgetting.forget(chat="group:1")
    else:
        await one.forgetting.forget_picture(picture.info.sha256)
    assert await said(one, picture) == {}
    assert await found(one, "cat") == []
    hosts.run(away)
    await asyncio.sleep(2)
    await sent(one, other, away)

    name = hosts.database.rpartition("/")[2]
    assert server.sql("SELECT count(*) FROM qqimage.annotation", name) == "0"
    for store in (one, other, away):
        assert await said(store, picture) == {}
        assert await found(store, "cat") == []
        assert "annotation" not in await store.catalog.outbox()


def replace_bot(picture: Picture, bot: str) -> Picture:
    made = Picture(1)
    made.reference = replace(picture.reference, self_id=bot, message_id=f"on {bot}")
    return made


async def test_it_goes_with_the_shared_picture_and_stays_with_a_pin(
    hosts: Hosts, server: Server
) -> None:
    pictures = [Picture(number, filler=1000) for number in range(6)]
    size = sum(picture.info.size for picture in pictures[:3])
    one = await hosts.start("one", max_shared_size=size)
    for number, picture in enumerate(pictures):
        await put(one, picture)
        await one.annotations.put(picture.info.sha256, "me", f"text {number}")
        await sent(one)
    assert await one.pins.add(pictures[0].info.sha256, "me")
    assert await one.pins.of("me")
    assert one.tier is not None
    while (await one.tier.shared.collect(2))[0]:
        pass

    other = await hosts.start("other")
    assert sorted(await found(other, "text")) == ["text 0", "text 4", "text 5"]
    name = hosts.database.rpartition("/")[2]
    server.sql("DELETE FROM qqimage.image", name)  # as a host with an earlier release does
    assert await found(other, "text") == ["text 0"]
    await one.pins.remove(pictures[0].info.sha256, "me")
    assert await one.pins.of("me") == []
    assert await found(other, "text") == []
    # who knows a picture that is gone there tells of it again
    await one.annotations.put(pictures[2].info.sha256, "me", "text 2, again")
    await sent(one)
    assert await found(other, "text") == ["text 2, again"]
    assert await other.find(reference(pictures[2])) == pictures[2].info  # type: ignore[arg-type]


async def test_a_search_waits_no_longer_than_anything_else(
    hosts: Hosts, proxy: Proxy, picture: Picture
) -> None:
    cut_off = await hosts.start("cut off", url=hosts.through(proxy.port))
    await put(cut_off, picture)
    await cut_off.annotations.put(picture.info.sha256, "me", "a cat")
    await sent(cut_off)
    proxy.be_silent()
    begun = time.monotonic()
    assert await found(cut_off, "cat", chat="group:1") == ["a cat"]
    assert time.monotonic() - begun < 2.3
    proxy.forward()
    await hosts.stop(cut_off)
    await cut_off.close()


@pytest.mark.parametrize("how", ["silent", "refused"])
async def test_where_the_database_is_away_this_host_answers(
    hosts: Hosts, proxy: Proxy, picture: Picture, how: str
) -> None:
    cut_off = await hosts.start("cut off", url=hosts.through(proxy.port))
    other = await hosts.start("other")
    try:
        await put(cut_off, picture)
        await sent(cut_off)
        if how == "silent":
            proxy.be_silent()
        else:
            await proxy.refuse()
        begun = time.monotonic()
        for number in range(3):
            await cut_off.annotations.put(picture.info.sha256, "me", f"text {number}")
        assert time.monotonic() - begun < 1
        assert await said(cut_off, picture) == {"me": "text 2"}
        assert await found(cut_off, "text", chat="group:1") == ["text 2"]
        assert time.monotonic() - begun < 6
        begun = time.monotonic()
        assert await found(cut_off, "text 2") == ["text 2"]
        assert await said(cut_off, picture) == {"me": "text 2"}
        assert time.monotonic() - begun < 0.5
        assert await said(other, picture) == {}
    finally:
        proxy.forward()
        if how == "refused":
            await proxy.start()
    await until(lambda: cut_off.tier and cut_off.tier.breaker.closed, 15)
    await sent(cut_off)
    assert await said(other, picture) == {"me": "text 2"}
    await hosts.stop(cut_off)
    await cut_off.close()


async def test_the_tables_of_an_earlier_release_are_added_to(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    name = hosts.database.rpartition("/")[2]
    earlier = (
        "CREATE SCHEMA qqimage;",
        f"COMMENT ON SCHEMA qqimage IS '{schema.MARK}';",
        "CREATE TABLE qqimage.meta (name text PRIMARY KEY, value text NOT NULL);",
        "INSERT INTO qqimage.meta VALUES ('version', '3');",
        *schema.MIGRATIONS[:3],
    )
    server.sql("\n".join(earlier), name)
    stores = await asyncio.gather(*(hosts.start(f"{number}") for number in range(4)))
    await put(stores[0], picture)
    await stores[0].annotations.put(picture.info.sha256, "me", "a cat")
    await sent(stores[0])
    assert await said(stores[3], picture) == {"me": "a cat"}
    # by which the earlier release goes on
    assert server.sql("SELECT value FROM qqimage.meta WHERE name = 'version'", name) == "3"
