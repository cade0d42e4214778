"""From a reference to verified bytes: one fetch for all who want them, and none too many."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blockbuster import BlockBuster
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.errors import ImageExpired, ImageNotFound, ImageUnavailable, StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.segments import from_segment
from nonebot_plugin_qqimage.pipeline import failures, pause
from nonebot_plugin_qqimage.store.image_store import ImageStore

from . import samples
from .store.pictures import Clock, Picture
from .world import OTHER, PICTURE, Make, World, make, services, world

__all__ = ["make", "services", "world"]  # fixtures


@pytest.fixture
def log() -> Any:
    lines: list[str] = []
    handler = logger.add(lines.append, level="WARNING", format="{level} {message}")
    yield lines
    logger.remove(handler)


def reference(url: str = "good", message: int = 1, **fields: Any) -> ImageReference:
    return ImageReference(self_id="1", message_id=str(message), url=url, **fields)


def named(picture: Picture = PICTURE) -> str:
    return f"{picture.info.md5.upper()}.png"


async def read(services: Services, wanted: ImageReference) -> bytes:
    """The bytes, once the store has them, too."""
    image = services.resolver.image(wanted)
    data = await asyncio.wait_for(image.read(), 60)
    await asyncio.wait_for(image, 60)
    return data


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come about")


# One flight for all


async def test_all_who_want_an_image_cause_one_fetch(services: Services, world: World) -> None:
    world.open.clear()
    wanted = reference()
    reads = [asyncio.create_task(read(services, wanted)) for _ in range(50)]
    await until(lambda: world.fetched)
    assert services.pipeline.state(wanted) == "resolving"
    world.open.set()
    assert set(await asyncio.gather(*reads)) == {PICTURE.data}
    assert len(world.fetched) == 1
    assert services.pipeline.state(wanted) == "stored"


async def test_the_same_picture_in_many_messages_is_fetched_once(
    services: Services, world: World
) -> None:
    world.open.clear()
    wanted = [reference(message=n, file=named()) for n in range(20)]
    reads = [asyncio.create_task(read(services, one)) for one in wanted]
    await until(lambda: world.fetched)
    world.open.set()
    assert set(await asyncio.gather(*reads)) == {PICTURE.data}
    assert len(world.fetched) == 1


async def test_a_known_picture_is_not_fetched(make: Make, world: World) -> None:
    assert await read(make(), reference(file=named())) == PICTURE.data
    again = make()
    stored = await again.resolver.image(reference("dead", 2, file=named()))
    assert stored.source == "store"
    assert len(world.fetched) == 1


async def test_who_stops_waiting_stops_nobody_else(services: Services, world: World) -> None:
    world.open.clear()
    impatient = asyncio.create_task(read(services, reference()))
    patient = asyncio.create_task(read(services, reference()))
    await until(lambda: world.fetched)
    impatient.cancel()
    await asyncio.wait([impatient])
    world.open.set()
    assert await patient == PICTURE.data
    assert not world.cancelled


async def test_prefetching_and_asking_are_one_fetch(services: Services, world: World) -> None:
    services.resolver.image(reference()).prefetch()
    assert await read(services, reference()) == PICTURE.data
    services.pipeline.prefetch(reference())
    assert len(world.fetched) == 1


async def test_what_comes_while_the_index_is_slow_waits_for_no_other_message(
    services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()
    find_here = ImageStore.find_here

    async def slow(store: ImageStore, *wanted: Any) -> Any:
        asked.set()
        await answered.wait()
        return await find_here(store, *wanted)

    monkeypatch.setattr(ImageStore, "find_here", slow)
    services.pipeline.prefetch(reference())
    await asyncio.wait_for(asked.wait(), 20)
    services.pipeline.prefetch(reference(message=2))
    await asyncio.sleep(0.3)  # the pause after it is over
    answered.set()
    await until(lambda: len(world.fetched) == 2)


async def test_who_reads_the_first_image_of_a_message_has_the_others_under_way(
    services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pause, "_PAUSE", 60.0)
    monkeypatch.setattr(pause, "_MAX_PAUSE", 60.0)
    wanted = [reference(position=position) for position in range(5)]
    for each in wanted:
        services.pipeline.prefetch(each)
    await asyncio.sleep(0.1)
    assert not world.fetched  # whoever answers the message goes first
    world.open.clear()
    reading = asyncio.create_task(read(services, wanted[0]))
    await until(lambda: len(world.fetched) == len(wanted))
    world.open.set()
    assert await reading == PICTURE.data


# Names


@pytest.mark.parametrize("first", ["dead", "good"])
async def test_who_has_a_fresher_link_is_not_told_no(
    services: Services, world: World, first: str
) -> None:
    """Two messages with one picture; the link in one of them has died."""
    world.open.clear()
    links = [first, "good" if first == "dead" else "dead"]
    reads = [
        asyncio.create_task(read(services, reference(link, n, file=named())))
        for n, link in enumerate(links)
    ]
    await until(lambda: world.fetched)
    world.open.set()
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert outcomes[links.index("good")] == PICTURE.data
    if first == "dead":
        assert isinstance(outcomes[0], ImageExpired)
    else:
        assert outcomes[1] == PICTURE.data


async def test_many_followers_of_a_failure_try_each_their_own(
    services: Services, world: World
) -> None:
    world.open.clear()
    links = ["dead", *["good"] * 10]
    reads = [
        asyncio.create_task(read(services, reference(link, n, file=named())))
        for n, link in enumerate(links)
    ]
    await until(lambda: world.fetched)
    world.open.set()
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert outcomes[1:] == [PICTURE.data] * 10


async def test_a_forged_name_shows_nobody_else_s_picture(services: Services, world: World) -> None:
    world.open.clear()
    forged = reference("other", 1, file=named())
    honest = reference("good", 2, file=named())
    reads = [asyncio.create_task(read(services, one)) for one in (forged, honest)]
    await until(lambda: world.fetched)
    world.open.set()
    assert await asyncio.gather(*reads) == [OTHER.data, PICTURE.data]


async def test_nor_later(make: Make) -> None:
    forged = reference("other", 1, file=named())
    assert await read(make(), forged) == OTHER.data
    assert await read(make(), reference("good", 2, file=named())) == PICTURE.data
    # and from then on, the name means what it says, even there
    assert await read(make(), reference("dead", 3, file=named())) == PICTURE.data


async def test_a_reference_by_digest(make: Make, world: World) -> None:
    services = make()
    uri = await services.resolver.image(reference()).uri()
    assert await make().resolver.image(uri).read() == PICTURE.data
    unknown = f"qqimage:{'0' * 64}"
    with pytest.raises(ImageNotFound):
        await make().resolver.image(unknown).read()
    assert len(world.fetched) == 1


# Failures


async def test_a_failure_says_what_was_tried_and_is_logged_once(
    services: Services, log: list[str]
) -> None:
    for _ in range(5):
        with pytest.raises(ImageExpired, match="url of the segment expired"):
            await read(services, reference("dead", file="a.png"))
    (line,) = log
    assert line.startswith("WARNING")
    for word in ("qqimage: ", "a.png", "message 1", "expired"):
        assert word in line


async def test_a_failure_is_remembered_for_a_moment(
    services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(failures, "time", SimpleNamespace(monotonic=clock))
    wanted = reference("late")
    for _ in range(3):
        with pytest.raises(ImageExpired):
            await services.pipeline.resolve(wanted)
    assert services.pipeline.state(wanted) == "failed"
    services.pipeline.prefetch(wanted)
    assert len(world.fetched) == 1
    world.data["late"] = PICTURE.data
    clock.now += 31
    assert services.pipeline.state(wanted) == "new"
    assert await read(services, wanted) == PICTURE.data


async def test_another_reference_is_not_told_of_that_failure(
    services: Services,
) -> None:
    with pytest.raises(ImageExpired):
        await read(services, reference("dead", 1, file=named()))
    assert await read(services, reference("good", 2, file=named())) == PICTURE.data


async def test_what_has_come_another_way_since(services: Services) -> None:
    with pytest.raises(ImageExpired):
        await read(services, reference("dead", 1, file=named()))
    await read(services, reference("good", 2, file=named()))
    assert await read(services, reference("dead", 1, file=named())) == PICTURE.data


async def test_each_waiter_gets_an_error_of_its_own(services: Services, world: World) -> None:
    world.open.clear()
    wanted = reference("dead")
    reads = [asyncio.create_task(read(services, wanted)) for _ in range(5)]
    await until(lambda: world.fetched)
    world.open.set()
    errors = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(error, ImageExpired) for error in errors)
    assert len({id(error) for error in errors}) == 5


async def test_a_bug_is_reported_and_told_as_unavailable(
    services: Services, world: World, log: list[str], detect_blocking: BlockBuster
) -> None:
    detect_blocking.deactivate()  # writing a traceback reads source files
    world.data["bug"] = RuntimeError("rkey=SECRET&x")
    with pytest.raises(ImageUnavailable) as caught:
        await read(services, reference("bug"))
    assert "RuntimeError" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    (line,) = log
    assert line.startswith("ERROR qqimage: ")
    assert "unexpected error, please report it" in line
    assert "RuntimeError" in line


# Bounds


async def test_only_so_many_at_once(make: Make, world: World) -> None:
    services = make(concurrency=3)
    world.open.clear()
    for number in range(10):
        services.pipeline.prefetch(reference(message=number))
    await until(lambda: len(world.fetched) == 3)
    await asyncio.sleep(0.05)
    assert len(world.fetched) == 3
    world.open.set()
    await until(lambda: len(world.fetched) == 10)


async def test_only_so_many_bytes_at_once(make: Make, world: World) -> None:
    services = make(max_bytes_in_flight=1000)
    world.open.clear()
    for number in range(10):
        services.pipeline.prefetch(
            reference(message=number, size=90)
        )  # and its base64, in three copies
    await until(lambda: len(world.fetched) == 2)
    await asyncio.sleep(0.05)
    assert len(world.fetched) == 2
    world.open.set()
    await until(lambda: len(world.fetched) == 10)


def inline(number: int) -> ImageReference:
    data = {"file": f"base64://{number:A>500}"}
    found = from_segment({"type": "image", "data": data}, "1", str(number))
    assert found is not None
    return replace(found, own=True)


async def test_pictures_held_by_their_references_are_bounded(make: Make, world: World) -> None:
    services = make(max_bytes_in_flight=1200)
    world.open.clear()
    wanted = [inline(number) for number in range(10)]
    for one in wanted:
        world.data[one.content] = PICTURE.data
        services.pipeline.prefetch(one)  # all in one turn of the loop
    states = [services.pipeline.state(one) for one in wanted]
    assert states == ["resolving"] * 2 + ["new"] * 8
    world.open.set()
    # asking for one that was left out does it then
    assert await read(services, wanted[9]) == PICTURE.data
    await until(lambda: services.pipeline.state(wanted[0]) != "resolving")
    services.pipeline.prefetch(wanted[5])
    assert services.pipeline.state(wanted[5]) == "resolving"


async def test_large_contents_are_fetched_once(services: Services, world: World) -> None:
    found = from_segment({"type": "image", "data": {"file": "base64://" + "A" * 100_000}}, "1", "5")
    assert found is not None
    world.data[found.content] = PICTURE.data
    assert await read(services, found) == PICTURE.data
    assert services.pipeline.state(found) == "stored"
    assert await read(services, found) == PICTURE.data
    assert len(world.fetched) == 1  # the store knows it


async def test_too_large_ones_are_not_prefetched(make: Make, world: World) -> None:
    services = make(max_image_size=1000)
    services.pipeline.prefetch(reference(size=1001))
    assert services.pipeline.state(reference(size=1001)) == "new"
    assert await read(services, reference(size=1001)) == PICTURE.data


async def test_too_busy(make: Make, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.pipeline._MAX_FLIGHTS", 3)
    services = make()
    world.open.clear()
    for number in range(9):
        services.pipeline.prefetch(reference(message=number))
    assert [services.pipeline.state(reference(message=n)) for n in range(4)] == [
        "resolving"
    ] * 3 + ["new"]
    await until(lambda: len(world.fetched) == 3)
    with pytest.raises(ImageUnavailable, match="ahead of it"):
        await read(services, reference(message=8))
    joined = asyncio.create_task(read(services, reference(message=0)))
    world.open.set()
    assert await joined == PICTURE.data
    data = b""
    for _ in range(1000):  # there is room once one of them is on the disk
        with contextlib.suppress(ImageUnavailable):
            data = await read(services, reference(message=8))
            break
        await asyncio.sleep(0.01)
    assert data == PICTURE.data


async def test_waiting_has_an_end(
    make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.fetching._MAX_WAIT", 0.05)
    services = make(concurrency=1)
    world.open.clear()
    services.pipeline.prefetch(reference())
    await until(lambda: world.fetched)
    with pytest.raises(ImageUnavailable, match="ahead of it"):
        await read(services, reference(message=2))
    world.open.set()


# The store


class FullDisk:
    """Makes a resolver's store fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *methods: str) -> None:
        async def fail(*_: object) -> None:
            raise StoreError("no space left")

        for method in methods:
            monkeypatch.setattr(ImageStore, method, fail)


async def test_what_cannot_be_kept_is_given_all_the_same(
    services: Services, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    with monkeypatch.context() as patch:
        FullDisk(patch, "put")
        for message in range(3):
            image = services.resolver.image(reference(message=message))
            assert await image.read() == PICTURE.data
            with pytest.raises(StoreError, match="no file"):
                await image.path()
    (line,) = log  # once, not once an image
    assert "no space left; images are still fetched, but not kept" in line
    assert await services.resolver.image(reference()).path()


async def test_a_store_that_cannot_be_searched(
    services: Services, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    FullDisk(monkeypatch, "find", "put")
    assert await read(services, reference()) == PICTURE.data
    assert len(log) == 1


async def test_a_picture_that_the_store_lost_is_fetched_again(
    services: Services, world: World
) -> None:
    image = services.resolver.image(reference())
    path = await image.path()
    path.unlink()
    assert await image.read() == PICTURE.data
    await image
    path.write_bytes(samples.GIF)
    assert await image.read() == PICTURE.data
    assert len(world.fetched) == 3


async def test_a_damaged_index_is_trouble_for_the_store_alone(
    make: Make, tmp_path: Path, log: list[str]
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "index.sqlite3").write_bytes(b"no database at all" * 100)
    assert await read(make(), reference()) == PICTURE.data
    assert sqlite3.DatabaseError.__name__ not in "".join(log)
    assert any("index" in line for line in log)


# The end


async def test_closing_ends_what_is_under_way(make: Make, world: World) -> None:
    services = make()
    world.open.clear()
    waiter = asyncio.create_task(read(services, reference()))
    await until(lambda: world.fetched)
    await asyncio.wait_for(services.pipeline.close(), 60)
    assert world.cancelled
    assert world.closed
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await services.pipeline.close()


@pytest.mark.parametrize("target", ["qqimage:", "https://127.0.0.1/", "", f"qqimage:{'G' * 64}"])
async def test_what_names_no_image(services: Services, target: str) -> None:
    with pytest.raises(ValueError, match="not a qqimage"):
        services.resolver.image(target)


# Bytes at once, files when they are there


class SlowDisk:
    """A store that writes images only when it is let."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = asyncio.Event()
        put = services.store.put

        async def slow(*arguments: Any) -> None:
            await self.go.wait()
            await put(*arguments)

        monkeypatch.setattr(services.store, "put", slow)


async def test_bytes_are_there_before_the_disk_has_them(
    services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(services, monkeypatch)
    image = services.resolver.image(reference())
    assert await asyncio.wait_for(image.read(), 30) == PICTURE.data
    assert (await asyncio.wait_for(image.info(), 30)) == PICTURE.info
    assert image.state == "stored"
    # who comes now is given the same, and nothing is fetched twice
    again = services.resolver.image(reference())
    assert await asyncio.wait_for(again.read(), 30) == PICTURE.data
    waiting = [
        asyncio.ensure_future(each)
        for each in (image.path(), again.uri(), services.resolver.pin(again, "test"))
    ]
    await asyncio.sleep(0.05)
    assert not any(each.done() for each in waiting)
    disk.go.set()
    path, uri, _ = await asyncio.wait_for(asyncio.gather(*waiting), 30)
    assert path.read_bytes() == PICTURE.data
    assert uri == PICTURE.info.uri
    assert len(world.fetched) == 1


async def test_what_is_named_by_its_digest_before_the_disk_has_it(
    services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SlowDisk(services, monkeypatch)
    info = await asyncio.wait_for(services.resolver.image(reference()).info(), 30)
    named = services.resolver.image(info.uri)
    assert await asyncio.wait_for(named.read(), 30) == PICTURE.data
    disk.go.set()
    assert (await asyncio.wait_for(named.path(), 30)).read_bytes() == PICTURE.data
    assert len(world.fetched) == 1


async def test_bytes_are_given_back_once_the_disk_has_them(services: Services) -> None:
    """A handle that somebody keeps does not keep the picture in memory."""
    image = services.resolver.image(reference())
    await image.path()
    assert image._arrival is not None
    assert image._arrival.data is None
    assert await image.read() == PICTURE.data


async def test_a_disk_that_hangs_holds_up_no_reader_for_ever(
    services: Services, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.keeping._KEEP_TIMEOUT", 0.05)
    SlowDisk(services, monkeypatch)
    image = services.resolver.image(reference())
    assert await asyncio.wait_for(image.read(), 30) == PICTURE.data
    with pytest.raises(StoreError):
        await asyncio.wait_for(image.path(), 30)
    assert await asyncio.wait_for(image.read(), 30) == PICTURE.data
    assert "more than 0.05 s" in log[0]


async def test_a_message_id_of_this_bot_comes_again(services: Services, world: World) -> None:
    world.data |= {"base64://good": PICTURE.data, "base64://other": OTHER.data}
    sent = replace(reference(url=""), own=True, chat="group:1", content="base64://good")
    again = replace(sent, content="base64://other")
    assert await read(services, sent) == PICTURE.data
    assert await read(services, again) == OTHER.data
    await services.resolver.image(again)
    assert await read(services, again.lean()) == OTHER.data
