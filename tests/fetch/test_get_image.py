"""When the implementation is asked for an image, and how."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget

from .. import samples
from ..implementation.fake_bot import HANG, FakeBot, Turns, failed, unknown
from .fetching import PNG, fetch
from .http_server import Server, reply

INLINED = {"base64": base64.b64encode(PNG).decode(), "file": "/gone.png"}
NOT_FOUND = failed(1200, message="file not found")
LUCKY = {"app_name": "LLOneBot", "app_version": "8.1.7"}
NAPCAT = {"app_name": "NapCat.Onebot", "app_version": "4.18.19"}


def reference(**fields: Any) -> ImageReference:
    return ImageReference(**{"self_id": "10001", "file": "a.png", **fields})


async def test_base64_comes_before_file_and_url(server: Server) -> None:
    bot = FakeBot(get_image={**INLINED, "url": server.url("/x")})
    assert (await fetch(reference(), Implementation(bot))).source == "base64 in the answer"
    assert bot.actions == ["get_image"]
    assert server.targets == []


async def test_an_answer_larger_than_declared_is_decoded_once_there_is_memory() -> None:
    large = base64.b64encode(samples.png(filler=3_000_000)).decode()
    implementation, budget = (
        Implementation(FakeBot(get_image={"base64": large})),
        ByteBudget(16 << 20),
    )
    async with budget.reserve(10 << 20):
        fetching = asyncio.create_task(fetch(reference(size=100), implementation, budget=budget))
        await asyncio.sleep(0.3)
        assert not fetching.done()
    assert (await fetching).source == "base64 in the answer"


async def test_a_file_comes_before_a_url(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    bot = FakeBot(get_image={"file": str(tmp_path / "a.png"), "url": server.url("/x")})
    assert (await fetch(reference(), Implementation(bot))).source == "file in the answer"
    assert server.targets == []


async def test_each_part_of_the_answer_is_tried(server: Server) -> None:
    server["/x"] = reply(PNG)
    answer = {"base64": "no!", "file": "/gone.png", "url": server.url("/x")}
    outcome = await fetch(reference(), Implementation(FakeBot(get_image=answer)))
    assert outcome.source == "url in the answer"
    assert outcome.failed == [
        ("base64 in the answer", Cause.REJECTED),
        ("file in the answer", Cause.UNREADABLE),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"file": ""}, id="no name"),
        pytest.param({"file": "", "face_id": "x"}, id="a market face"),
        pytest.param({"file": "", "content": "base64://no!"}, id="the image itself"),
        pytest.param({"file_id": "/f"}, id="a shared file"),
    ],
)
async def test_what_it_is_not_asked_for(fields: dict[str, Any]) -> None:
    bot = FakeBot(unknown())
    await fetch(reference(**fields), Implementation(bot))
    assert "get_image" not in bot.actions


async def test_without_a_connection(server: Server) -> None:
    server["/x"] = reply(PNG)
    assert (await fetch(reference(url=server.url("/x")))).source == "url of the segment"
    assert (await fetch(reference())).failed == [("get_image", Cause.UNREACHABLE)]


async def test_one_that_could_break_the_connection(server: Server) -> None:
    server["/x"] = reply(PNG)
    bot = FakeBot(get_image=INLINED, get_version_info=NAPCAT)
    large = reference(size=5_000_000, url=server.url("/x"))
    outcome = await fetch(large, Implementation(bot, frame_limit=1 << 20))
    assert ("get_image", Cause.SKIPPED) in outcome.failed
    assert "get_image" not in bot.actions
    assert outcome.source == "url of the segment"


async def test_our_own_deadline_holds(server: Server) -> None:
    server["/x"] = reply(PNG)
    implementation = Implementation(FakeBot(get_image=HANG))
    outcome = await fetch(reference(url=server.url("/x")), implementation, get_image_timeout=0.05)
    assert outcome.source == "url of the segment"
    assert outcome.failed == [("get_image", Cause.TIMEOUT)]


@pytest.mark.parametrize(
    ("who", "downloads"),
    [
        pytest.param(LUCKY, [True, True, False], id="LuckyLilliaBot"),
        pytest.param(NAPCAT, [True, True, True], id="who cannot do without"),
        pytest.param(unknown(), [True, True, True], id="who does not say"),
    ],
)
async def test_no_file_is_made_where_it_is_no_use(
    server: Server, who: object, downloads: list[bool]
) -> None:
    server["/x"] = reply(PNG)
    bot = FakeBot(get_image={"file": "/gone.png", "url": server.url("/x")}, get_version_info=who)
    implementation = Implementation(bot)
    for number in range(3):
        outcome = await fetch(reference(file=f"{number}.png"), implementation)
        assert outcome.source == "url in the answer"
    asked = [params for action, params in bot.calls if action == "get_image"]
    assert [params.get("download", True) for params in asked] == downloads


async def test_what_it_does_not_know_at_first_it_is_asked_again() -> None:
    bot = FakeBot(unknown(), get_image=Turns([NOT_FOUND, INLINED]))
    outcome = await fetch(reference(message_id="5"), Implementation(bot))
    assert outcome.source == "base64 in the answer"
    assert ("get_image", Cause.NOT_FOUND) in outcome.failed
    # in between, NapCat may learn the name anew
    assert bot.actions == ["get_image", "get_msg", "get_image"]


async def test_but_not_a_third_time() -> None:
    bot = FakeBot(unknown(), get_image=NOT_FOUND)
    outcome = await fetch(reference(), Implementation(bot))
    assert bot.actions == ["get_image", "get_image"]
    assert {cause for _, cause in outcome.failed} == {Cause.NOT_FOUND}


@pytest.mark.parametrize("answer", [unknown(), failed(1200, message="oh"), {}, None])
async def test_other_failures_are_not_asked_again(answer: object) -> None:
    bot = FakeBot(unknown(), get_image=answer)
    await fetch(reference(), Implementation(bot))
    assert bot.actions == ["get_image"]


@pytest.mark.parametrize(
    "answer",
    [{"file": ""}, {"file": "", "url": ""}, {"file": "data/cache/x.image.jpg"}, {"url": "/x"}],
)
async def test_an_answer_that_is_of_no_use(server: Server, answer: object) -> None:
    server["/x"] = reply(PNG)
    bot = FakeBot(get_image=answer)
    assert (
        await fetch(reference(url=server.url("/x")), Implementation(bot))
    ).source == "url of the segment"


@pytest.mark.parametrize(
    "url", ["http://[", "http://\ud83d/", "https://127.0.0.1:1/\ud83d", "http://127.0.0.1:99999/"]
)
async def test_no_answer_is_too_odd(server: Server, url: str) -> None:
    server["/x"] = reply(PNG)
    answer = {"base64": "\ud83d", "file": "/\ud83d", "url": url}
    outcome = await fetch(
        reference(url=server.url("/x")), Implementation(FakeBot(get_image=answer))
    )
    assert outcome.source == "url of the segment"
    assert len(outcome.failed) == 3
    assert outcome.text.encode()  # fit for a log
