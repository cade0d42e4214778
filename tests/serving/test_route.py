"""The route: what clients get, and when."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.language import use
from nonebot_plugin_qqimage.serving.answers import Answer

from .conftest import LARGE, PNG, Client, Response, World, picture, query_of

ETAG = f'"{hashlib.sha256(PNG).hexdigest()}"'


async def test_a_picture(client: Client, services: Services, world: World) -> None:
    query = query_of(services, picture())
    assert not world.fetched
    for _ in range(3):
        got = await client.ask(query)
        assert (got.status, got.body) == (200, PNG)
        assert got.headers == {
            "content-type": "image/png",
            "content-length": str(len(PNG)),
            "etag": ETAG,
            "cache-control": "private, max-age=86400, immutable",
            "accept-ranges": "bytes",
            "x-content-type-options": "nosniff",
        }
    # the key is not in the token: this link was remembered
    assert world.fetched == [picture()]


async def test_only_the_token_counts(client: Client, services: Services) -> None:
    query = query_of(services, picture())
    token = query.rpartition("&")[2]
    for other in (token, f"file=/etc/passwd&{token}&rkey=1", query.replace("&", "&amp;")):
        assert (await client.ask(other)).body == PNG


async def test_head_needs_no_bytes(client: Client, services: Services, world: World) -> None:
    query = query_of(services, picture())
    head = await client.ask(query, "HEAD")
    assert (head.status, head.body, len(world.fetched)) == (200, b"", 1)
    assert head.headers == (await client.ask(query)).headers


@pytest.mark.parametrize("said", [ETAG, f"W/{ETAG}", f'"a", W/{ETAG} ,"b"', "*", ("a", ETAG)])
async def test_who_has_it_is_told_so(client: Client, services: Services, said: Any) -> None:
    query = query_of(services, picture())
    for method in ("GET", "HEAD"):
        got = await client.ask(query, method, if_none_match=said)
        assert (got.status, got.body, got.headers["etag"]) == (304, b"", ETAG)


async def test_a_304_reads_no_file(client: Client, services: Services) -> None:
    query = query_of(services, picture())
    await client.ask(query, "HEAD")
    await services.resolver.image(picture("large"))  # until it is on the disk
    for file in services.store.folder.rglob("*.png"):
        file.unlink()
    assert (await client.ask(query, if_none_match=ETAG)).status == 304


@pytest.mark.parametrize("said", ['"abc"', f'"{"0" * 64}"', ETAG[1:-1], ETAG[:-2] + '"', "**", ""])
async def test_who_has_another_gets_it(client: Client, services: Services, said: str) -> None:
    assert (await client.ask(query_of(services, picture()), if_none_match=said)).body == PNG


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=10-", 10, len(PNG)),
        ("bytes=-10", len(PNG) - 10, len(PNG)),
        (" bytes=10-99999999 ", 10, len(PNG)),
        ("bytes=1-99999", 1, len(PNG)),
    ],
)
async def test_a_part(
    client: Client, services: Services, wanted: str, start: int, stop: int
) -> None:
    query = query_of(services, picture())
    for _ in range(2):
        got = await client.ask(query, range=wanted, if_range=ETAG)
        assert (got.status, got.body) == (206, PNG[start:stop])
        assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(PNG)}"
        assert got.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-",
        "bytes=-99999",
        "bytes=0-9,20-29",
        "bytes=9-3",
        "bytes=-",
        "bytes",
        "bytes=a-b",
        "lines=1-2",
        "bytes=1-2²",
        "bytes=" + "9" * 5000 + "-",
        "",
    ],
)
async def test_the_whole_when_no_part_is_meant(
    client: Client, services: Services, wanted: str
) -> None:
    got = await client.ask(query_of(services, picture()), range=wanted)
    assert (got.status, got.body) == (200, PNG)


async def test_a_part_of_something_else(client: Client, services: Services) -> None:
    query = query_of(services, picture())
    assert (await client.ask(query, range="bytes=0-9", if_range='"old"')).body == PNG
    assert (await client.ask(query, "HEAD", range="bytes=0-9")).status == 200


@pytest.mark.parametrize("wanted", [f"bytes={len(PNG)}-", "bytes=-0", "bytes=99999999-"])
async def test_a_part_that_is_not_there(client: Client, services: Services, wanted: str) -> None:
    got = await client.ask(query_of(services, picture()), range=wanted)
    assert got.status == 416
    assert got.problem["error"] == "RangeNotSatisfiable"
    assert got.headers["content-range"] == f"bytes */{len(PNG)}"


async def test_an_image_that_cannot_be_had(client: Client, services: Services) -> None:
    query = query_of(services, picture("gone"))
    for method in ("GET", "HEAD", "GET"):
        got = await client.ask(query, method)
        assert got.status == 502
        problem = got.problem
        assert problem["error"] == "ImageExpired"
        assert "message 1" in problem["message"]
        assert "the link is dead" in problem["hint"]
        (attempt,) = problem["attempts"]
        assert attempt["cause"] == "expired"
        assert attempt["detail"] == "-5503007 for rkey=***"


async def test_after_a_failure_it_is_asked_again(
    client: Client, services: Services, world: World
) -> None:
    query = query_of(services, picture("later"))
    assert (await client.ask(query)).status == 502
    world.data["later"] = PNG
    services.pipeline.forget_failures()  # half a minute later
    assert (await client.ask(query)).body == PNG


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
async def test_other_methods(client: Client, services: Services, world: World, method: str) -> None:
    got = await client.ask(query_of(services, picture()), method)
    assert (got.status, got.headers["allow"], world.fetched) == (405, "GET, HEAD", [])
    assert got.problem["error"] == "MethodNotAllowed"


async def test_many_who_ask_cause_one_fetch(
    client: Client, services: Services, world: World
) -> None:
    world.open.clear()
    query = query_of(services, picture())
    tasks = [asyncio.create_task(client.ask(query)) for _ in range(200)]
    services.pipeline.prefetch(picture())
    await _until(lambda: world.fetched)
    world.open.set()
    assert {response.body for response in await asyncio.gather(*tasks)} == {PNG}
    assert len(world.fetched) == 1


async def test_what_takes_too_long_is_to_be_asked_for_again(
    client: Client, services: Services, world: World
) -> None:
    world.open.clear()
    client.route._timeout = 0.05
    query = query_of(services, picture())
    got = await client.ask(query)
    assert (got.status, got.problem["error"], got.headers["retry-after"]) == (503, "Busy", "5")
    world.open.set()
    await services.resolver.image(picture())
    assert (await client.ask(query)).body == PNG


async def test_a_lost_file_is_fetched_again(
    client: Client, services: Services, world: World
) -> None:
    query = query_of(services, picture("large"))
    await client.ask(query, "HEAD")
    await services.resolver.image(picture("large"))  # until it is on the disk
    for file in services.store.folder.rglob("*.png"):
        file.write_bytes(b"damaged")
    assert (await client.ask(query)).body == LARGE
    assert len(world.fetched) == 2


async def test_trouble_with_the_store_is_not_the_images_fault(
    client: Client, services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nonebot_plugin_qqimage.errors import StoreError

    async def fail(_: object) -> bytes:
        raise StoreError("cannot read the disk")

    await services.resolver.image(picture())
    monkeypatch.setattr(services.store, "read", fail)
    monkeypatch.setattr(services.store, "at_hand", lambda _: None)
    world.data.clear()  # a source that still has it would help
    got = await client.ask(query_of(services, picture()))
    assert (got.status, got.problem["error"]) == (503, "StoreError")


async def test_what_the_store_cannot_keep_is_served_all_the_same(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nonebot_plugin_qqimage.errors import StoreError

    async def full(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(services.store, "put", full)
    assert (await client.ask(query_of(services, picture()))).body == PNG


async def test_a_hot_picture_is_read_once(client: Client, services: Services) -> None:
    query = query_of(services, picture())
    await client.ask(query)
    await services.resolver.image(picture())  # until it is on the disk
    for file in services.store.folder.rglob("*.png"):
        file.unlink()
    assert (await client.ask(query)).body == PNG


async def test_bytes_being_sent_are_bounded(client: Client, services: Services) -> None:
    going_on = asyncio.Event()
    begun = 0

    async def take(_: Answer) -> None:
        nonlocal begun
        begun += 1
        await going_on.wait()

    query = query_of(services, picture("large"))
    await client.ask(query, "HEAD")
    client.take = take
    tasks = [asyncio.create_task(client.ask(query)) for _ in range(100)]
    await _until(lambda: begun == 64 * 1024 * 1024 // len(LARGE))
    for _ in range(100):
        await asyncio.sleep(0)
    assert begun == 64 * 1024 * 1024 // len(LARGE)
    going_on.set()
    assert [task.body for task in await asyncio.gather(*tasks)] == [LARGE] * 100


async def test_who_waits_too_long_for_room_is_told_so(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = query_of(services, picture("large"))
    client.route._budget._max_wait = 0.05
    async with client.route._budget.reserve(1 << 40):
        got = await client.ask(query)
        assert (got.status, got.problem["error"]) == (503, "Busy")
    assert (await client.ask(query)).status == 200


async def test_too_many_at_once_are_sent_away(
    client: Client, services: Services, world: World
) -> None:
    await services.resolver.image(picture())
    world.open.clear()
    tasks = [
        asyncio.create_task(client.ask(query_of(services, picture("large", message))))
        for message in range(2, 1102)
    ]
    await _until(lambda: sum(task.done() for task in tasks) == 1100 - 1024)
    assert (await client.ask(query_of(services, picture()))).body == PNG  # which is at hand
    assert {task.result().status for task in tasks if task.done()} == {503}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    world.open.set()


async def test_a_client_that_is_gone_is_no_error(client: Client, services: Services) -> None:
    lines: list[Any] = []
    handler = logger.add(lines.append, level="WARNING")

    async def take(_: Answer) -> None:
        raise OSError("the client has gone")

    client.take = take
    try:
        assert (await client.ask(query_of(services, picture()))) == Response()
    finally:
        logger.remove(handler)
    assert not lines


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


async def test_what_programs_read_stays_english(client: Client, services: Services) -> None:
    await asyncio.to_thread(use, "zh")  # which reads the catalog
    try:
        got = await client.ask(query_of(services, picture("gone")))
    finally:
        use("en")
    assert got.status == 502
    assert got.problem["message"].isascii()
    assert got.problem["hint"].startswith("the link is dead")
