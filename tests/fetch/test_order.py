"""In which order the sources are tried, and what is taken of what they bring."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.fetch.reservation import memory_for
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline.fairness.budget import Reservation

from .. import samples
from ..implementation.fake_bot import HANG, FakeBot, unknown
from .fetching import EXPIRED, PNG, fetch
from .http_server import Request, Server, reply

OTHER = samples.png(shade=7, filler=50)
MD5 = hashlib.md5(PNG, usedforsecurity=False).hexdigest()
ASKED_FIRST = ["url in the answer", "url of the segment", "url with a fresh key", "url in get_msg"]
LINK_FIRST = ["url of the segment", "url with a fresh key", "url in the answer", "url in get_msg"]


def inlined(data: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(data).decode()}


def reference(**fields: Any) -> ImageReference:
    return ImageReference(**{"self_id": "10001", "message_id": "5", "file": "a.png", **fields})


def dead_ends(server: Server) -> tuple[ImageReference, FakeBot]:
    """An image of which every link has died."""
    server["/download"] = reply(EXPIRED, "400 Bad Request")
    link = server.url("/download?appid=1407&rkey=GRP1&from=")
    segment = {"type": "image", "data": {"file": "a.png", "url": link + "message"}}
    bot = FakeBot(
        unknown(),
        get_image={"url": link + "answer"},
        get_msg={"message": [segment]},
        get_rkey={"group_key": "GRP2"},
    )
    return reference(url=link + "segment"), bot


async def test_usually_the_implementation_is_asked_first(server: Server) -> None:
    wanted, bot = dead_ends(server)
    outcome = await fetch(wanted, Implementation(bot))
    assert [source for source, _ in outcome.failed] == ASKED_FIRST
    assert {cause for _, cause in outcome.failed} == {Cause.EXPIRED}


async def test_in_forwarded_records_the_link_comes_first(server: Server) -> None:
    wanted, bot = dead_ends(server)
    wanted = reference(url=wanted.url, forwarded=True)
    assert [source for source, _ in (await fetch(wanted, Implementation(bot))).failed] == LINK_FIRST


async def test_an_implementation_that_hangs_is_asked_last(server: Server) -> None:
    wanted, bot = dead_ends(server)
    implementation = Implementation(bot)
    implementation.profile.timed_out()
    implementation.profile.timed_out()
    assert [source for source, _ in (await fetch(wanted, implementation)).failed] == LINK_FIRST


async def test_an_implementation_that_only_repeats_the_link_need_not_be_asked(
    server: Server,
) -> None:
    server["/x"] = reply(PNG)
    implementation = Implementation(bot := FakeBot(get_image={"url": server.url("/x")}))
    wanted = reference(url=server.url("/x"))
    for _ in range(30):
        assert (await fetch(wanted, implementation)).fetched
    assert [api for api, _ in bot.calls].count("get_image") == 20


async def test_it_is_asked_where_the_link_has_died(server: Server) -> None:
    server["/x"], server["/new"] = reply(PNG), reply(PNG)
    bot = FakeBot(get_image={"url": server.url("/x")})
    implementation = Implementation(bot)
    for _ in range(25):
        await fetch(reference(url=server.url("/x")), implementation)
    server["/x"] = reply(EXPIRED, "400 Bad Request")
    bot.replies["get_image"] = {"url": server.url("/new")}
    outcome = await fetch(reference(url=server.url("/x")), implementation)
    assert outcome.source == "url in the answer"


async def test_the_content_at_hand_comes_before_all(server: Server) -> None:
    server["/x"] = reply(OTHER)
    bot = FakeBot(get_image=inlined(OTHER))
    wanted = reference(content=f"base64://{inlined(PNG)['base64']}", url=server.url("/x"))
    assert (await fetch(wanted, Implementation(bot))).source == "base64 in the segment"
    assert bot.calls == []
    assert server.targets == []


async def test_what_is_no_image_is_passed_over(server: Server) -> None:
    server["/x"] = reply(PNG)
    bot = FakeBot(get_image=inlined(b"<html>login</html>"))
    outcome = await fetch(reference(url=server.url("/x")), Implementation(bot))
    assert outcome.source == "url of the segment"
    assert outcome.failed == [("base64 in the answer", Cause.REJECTED)]


async def test_of_two_the_one_as_large_as_declared_is_taken(server: Server) -> None:
    """An implementation looks images up by name, and gives the newest of that name."""
    server["/x"] = reply(PNG)
    bot = FakeBot(get_image=inlined(OTHER))
    outcome = await fetch(reference(size=len(PNG), url=server.url("/x")), Implementation(bot))
    assert outcome.fetched
    assert outcome.fetched.data == PNG
    assert outcome.failed == [("base64 in the answer", Cause.REJECTED)]
    assert str(len(OTHER)) in outcome.text


async def test_the_wrong_size_is_taken_when_nothing_better_comes(server: Server) -> None:
    server["/x"] = reply(samples.GIF)
    bot = FakeBot(unknown(), get_image=inlined(OTHER))
    outcome = await fetch(reference(size=len(PNG), url=server.url("/x")), Implementation(bot))
    assert outcome.source == "base64 in the answer"  # the first of them
    assert [source for source, _ in outcome.failed][:2] == [
        "base64 in the answer",
        "url of the segment",
    ]


async def test_the_wrong_size_and_the_wrong_name_is_another_image() -> None:
    wanted = reference(file=f"{MD5}.png", size=len(PNG))
    outcome = await fetch(wanted, Implementation(FakeBot(unknown(), get_image=inlined(OTHER))))
    assert outcome.fetched is None
    assert ("base64 in the answer", Cause.REJECTED) in outcome.failed


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"file": f"{MD5}.png", "size": 5}, id="the name is right"),
        pytest.param({"file": "0" * 32 + ".png", "size": len(PNG)}, id="the size is right"),
        pytest.param({"file": "0" * 32 + ".png"}, id="a wrong name alone is no reason"),
        pytest.param({}, id="nothing is promised"),
    ],
)
async def test_what_is_taken_at_once(fields: dict[str, Any]) -> None:
    bot = FakeBot(get_image=inlined(PNG))
    outcome = await fetch(reference(**fields), Implementation(bot))
    assert outcome.source == "base64 in the answer"
    assert outcome.attempts == ()


async def silent(request: Request) -> None:
    await request.reader.read()


async def test_everything_together_has_a_deadline(server: Server) -> None:
    server["/x"] = silent
    outcome = await fetch(
        reference(url=server.url("/x")), Implementation(FakeBot(unknown())), resolve_timeout=0.3
    )
    assert outcome.fetched is None
    assert outcome.failed[-1] == ("everything together", Cause.TIMEOUT)
    assert "0.3 s" in outcome.text


async def test_at_the_deadline_the_second_best_is_taken(server: Server) -> None:
    server["/x"] = silent
    bot = FakeBot(unknown(), get_image=inlined(OTHER))
    wanted = reference(size=len(PNG), url=server.url("/x"))
    outcome = await fetch(wanted, Implementation(bot), resolve_timeout=0.3)
    assert outcome.source == "base64 in the answer"


async def test_an_implementation_that_hangs_and_a_host_that_hangs(server: Server) -> None:
    server["/x"] = silent
    outcome = await fetch(
        reference(url=server.url("/x"), message_id=""),
        Implementation(FakeBot(HANG)),
        get_image_timeout=0.05,
        download_timeout=0.05,
    )
    assert outcome.failed == [
        ("get_image", Cause.TIMEOUT),
        ("url of the segment", Cause.TIMEOUT),
    ]


@pytest.mark.parametrize(
    ("settings", "data"),
    [
        ({"max_image_size": 50}, PNG),
        ({"max_pixels": 50}, PNG),
        ({"max_frames": 2}, samples.GIF_ANIMATED),
    ],
)
async def test_the_bounds_hold_for_every_source(
    server: Server, settings: dict[str, Any], data: bytes
) -> None:
    server["/x"] = reply(data)
    bot = FakeBot(unknown(), get_image=inlined(data))
    outcome = await fetch(reference(url=server.url("/x")), Implementation(bot), **settings)
    assert outcome.fetched is None
    assert outcome.failed == [
        ("base64 in the answer", Cause.TOO_LARGE),
        ("url of the segment", Cause.TOO_LARGE),
        ("url in get_msg", Cause.UNSUPPORTED),
    ]


@pytest.mark.parametrize("way", ["base64", "file", "url"])
async def test_the_memory_that_is_held_is_accounted_for(
    server: Server, reservation: Reservation, tmp_path: Path, way: str
) -> None:
    server["/x"] = reply(PNG)
    (tmp_path / "a.png").write_bytes(PNG)
    answers = {
        "base64": inlined(PNG),
        "file": {"file": str(tmp_path / "a.png")},
        "url": {"url": server.url("/x")},
    }
    implementation = Implementation(FakeBot(get_image=answers[way]))
    fetcher = Fetcher(ScopedConfig(trusted_hosts=["127.0.0.1"]))
    fetched, _ = await fetcher.fetch(reference(), lambda: implementation, reservation)
    await fetcher.close()
    assert fetched
    assert reservation.size == memory_for(len(PNG))
