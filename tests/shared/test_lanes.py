"""What waits is sent by two connections, and what belongs together by one of them, in its order."""

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.local.outbox import Entry
from nonebot_plugin_qqimage.store.shared.lanes import lanes

from ..store.pictures import Picture
from .hosts import Hosts, until
from .server import Server

_FEW = st.sampled_from("abcdefgh")


@st.composite
def _entries(draw: st.DrawFn) -> list[Entry]:
    made: list[Entry] = []
    for number in range(draw(st.integers(1, 20))):
        message, key = draw(_FEW), draw(_FEW | st.just(""))
        sha256 = draw(_FEW)
        kind = draw(st.sampled_from(("image", "sighting", "shows")))
        if kind == "image":
            body: list[object] = [draw(st.lists(_FEW, max_size=2)), "test"]
        elif kind == "sighting":
            sha256 = draw(st.just("") | st.just(sha256))
            body = [message, "1", 0, "group:1", "7", 1.0, sha256, key, "{}", "", 1.0]
        else:
            body = [[key] * bool(key), message, "1", "0"]
        made.append(Entry(number, kind, sha256, "", "", 1.0, body))
    return made


def _share(one: Entry, other: Entry) -> bool:
    """Whether they say something of the same image, name, segment or message."""

    def names(entry: Entry) -> set[str]:
        return {*entry.body[0]} if entry.kind == "image" else set()

    def keys(entry: Entry) -> set[str]:
        if entry.kind == "sighting":
            return {entry.body[7]} - {""}
        return {*entry.body[0]} if entry.kind == "shows" else set()

    def messages(entry: Entry) -> set[str]:
        at = {"sighting": 0, "shows": 1}
        return {entry.body[at[entry.kind]]} if entry.kind in at else set()

    same_image = bool(one.sha256) and one.sha256 == other.sha256
    return same_image or any(each(one) & each(other) for each in (names, keys, messages))


@given(_entries(), st.dictionaries(_FEW, st.integers(1, 9)))
def test_what_belongs_together_stays_together(entries: list[Entry], sizes: dict[str, int]) -> None:
    parts = lanes(entries, sizes)

    assert 1 <= len(parts) <= 2
    assert all(parts)
    assert sorted((each for part in parts for each in part), key=lambda e: e.id) == entries
    for part in parts:
        assert part == sorted(part, key=lambda each: each.id)
    if len(parts) == 2:
        assert not any(_share(one, other) for one, other in product(*parts))


def test_both_send_as_much() -> None:
    entries = [Entry(n, "image", f"{n}", "", "", 1.0, [[], "test"]) for n in range(100)]
    one, other = lanes(entries, {f"{number}": 100_000 for number in range(100)})
    assert len(one) == len(other)


async def test_a_backlog_means_the_same_elsewhere(hosts: Hosts, server: Server) -> None:
    away = hosts.store("away")
    pictures = [Picture(number, filler=100_000) for number in range(60)]
    for number, picture in enumerate(pictures):
        if number % 3 == 0:  # seen before it came
            away.saw(Sighting(picture.reference, "group:1", "7", 1.0))
            await away.sightings(limit=1)
        named = replace(picture.reference, file=f"{number % 10}.image", message_id=f"name {number}")
        await away.put(named, picture.info, picture.data, "test")
        away.is_image(picture.reference, picture.info)
        away.saw(Sighting(named, "group:1", "7", 1.0, picture.info.sha256))
    await away.sightings(limit=1)

    hosts.run(away)
    await until(lambda: away.tier and away.tier.breaker.closed)
    assert away.tier is not None
    assert await away.tier.sent(20)

    name = hosts.database.rpartition("/")[2]
    assert server.sql("SELECT count(*) FROM qqimage.image", name) == "60"
    assert server.sql("SELECT count(*) FROM qqimage.sighting WHERE sha256 = ''", name) == "0"
    other = await hosts.start("other")
    here, there = await away.sightings(limit=200), await other.sightings(limit=200)
    assert len(here) == 80
    assert sorted(each.sha256 for each in here) == sorted(each.sha256 for each in there)
