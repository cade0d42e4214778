"""What an implementation is asked, what it is better not asked, and what is remembered of it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.implementation.answers import Kind
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.implementation.implementations import Implementations
from nonebot_plugin_qqimage.implementation.profile import ConnectionHistory

from .fake_bot import HANG, FakeBot, Turns, failed, settle, unknown

LIMIT = 1 << 20
FITS, TOO_LARGE = 700_000, 900_000
NAPCAT = {"app_name": "NapCat.Onebot", "app_version": "4.18.19"}
LUCKY = {"app_name": "LLOneBot", "app_version": "8.1.7"}
INLINED = {"base64": "AAAA", "file": "/x"}
NOT_INLINED = {"file": "/x", "url": "http://127.0.0.1/"}


async def refusal(work: Any) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        await asyncio.wait_for(work, 60)
    return caught.value


# What could break the connection


@pytest.mark.parametrize(
    ("who", "answer", "size", "breaks"),
    [
        pytest.param(NAPCAT, None, FITS, False, id="it fits"),
        pytest.param(NAPCAT, None, TOO_LARGE, True, id="it may inline"),
        pytest.param(NAPCAT, None, None, False, id="nobody knows"),
        pytest.param(LUCKY, None, TOO_LARGE, False, id="it never inlines"),
        pytest.param(HANG, None, TOO_LARGE, True, id="it does not say what it is"),
        pytest.param(unknown(), None, TOO_LARGE, True, id="it cannot say what it is"),
        pytest.param({"app_name": 5}, None, TOO_LARGE, True, id="it says nonsense"),
        pytest.param(NAPCAT, INLINED, FITS, False, id="it inlines, and it fits"),
        pytest.param(NAPCAT, INLINED, TOO_LARGE, True, id="it inlines"),
        pytest.param(NAPCAT, INLINED, None, True, id="it inlines, and nobody knows"),
        pytest.param(LUCKY, INLINED, TOO_LARGE, True, id="it inlines against its habit"),
        pytest.param(NAPCAT, NOT_INLINED, TOO_LARGE, False, id="it has not inlined"),
        pytest.param(NAPCAT, {}, TOO_LARGE, True, id="its answer says nothing"),
    ],
)
async def test_the_guard(
    monkeypatch: pytest.MonkeyPatch, who: object, answer: object, size: int | None, breaks: bool
) -> None:
    monkeypatch.setattr(
        "nonebot_plugin_qqimage.implementation.implementation._IDENTIFICATION", 0.05
    )
    implementation = Implementation(
        FakeBot(get_version_info=who, get_image=answer), frame_limit=LIMIT
    )
    if answer is not None:
        await implementation.get_image("first.png", 30)
    danger = await implementation.would_break("x.png", size)
    assert bool(danger) is breaks
    if breaks:
        assert str(LIMIT) in danger
        assert (str(size) if size else "unknown") in danger


async def test_without_a_limit_nothing_is_refused() -> None:
    bot = FakeBot(get_image=INLINED)
    implementation = Implementation(bot)
    await implementation.get_image("first.png", 30)
    assert not await implementation.would_break("x.png", 10**9)
    assert "get_version_info" not in bot.actions


async def test_it_is_asked_once_who_it_is() -> None:
    bot = FakeBot(get_version_info=LUCKY)
    implementation = Implementation(bot, frame_limit=LIMIT)
    await asyncio.gather(*(implementation.would_break(f"{n}.png", TOO_LARGE) for n in range(5)))
    await asyncio.gather(*(implementation.can_skip_download() for _ in range(5)))
    assert bot.actions == ["get_version_info"]
    assert bot.marked == [True]
    assert (implementation.profile.name, implementation.profile.version) == ("LLOneBot", (8, 1, 7))


async def test_who_stops_waiting_does_not_end_the_question() -> None:
    said = asyncio.Event()

    class Slow(FakeBot):
        async def call_api(self, api: str, **data: Any) -> Any:
            await said.wait()
            return LUCKY

    implementation = Implementation(Slow(), frame_limit=LIMIT)
    impatient = asyncio.create_task(implementation.can_skip_download())
    await settle()
    impatient.cancel()
    await asyncio.wait([impatient])
    said.set()
    assert await asyncio.wait_for(implementation.can_skip_download(), 30)


@pytest.mark.parametrize(
    ("who", "can"), [(LUCKY, True), (NAPCAT, False), (unknown(), False), (None, False)]
)
async def test_whether_a_download_can_be_skipped(who: object, can: bool) -> None:
    assert await Implementation(FakeBot(get_version_info=who)).can_skip_download() is can


@pytest.mark.parametrize(("download", "sent"), [(True, {}), (False, {"download": False})])
async def test_asking_for_a_url_alone(download: bool, sent: dict[str, Any]) -> None:
    bot = FakeBot(NOT_INLINED)
    await Implementation(bot).get_image("x.png", 30, download=download)
    params = bot.calls[0][1]
    assert {key: value for key, value in params.items() if key == "download"} == sent


async def test_the_operator_is_warned_once() -> None:
    from nonebot.log import logger

    lines: list[str] = []
    handler = logger.add(lines.append, level="WARNING", format="{message}")
    history = ConnectionHistory()
    for _ in range(2):  # and not again after a reconnect
        implementation = Implementation(FakeBot(get_version_info=NAPCAT), history, LIMIT)
        for number in range(3):
            assert await implementation.would_break(f"{number}.png", TOO_LARGE)
    logger.remove(handler)
    (line,) = lines
    for word in ("10001", str(LIMIT), "QQIMAGE__FRAME_LIMIT", "reverse WebSocket", "~aiohttp"):
        assert word in line


# Lost connections


async def lose(
    implementations: Implementations, bot: FakeBot, call: Callable[[Implementation], Any]
) -> AttemptFailed:
    """Break the connection in the middle of a call."""
    task = asyncio.create_task(refusal(call(implementations.of(bot))))
    while not bot.calls:
        await asyncio.sleep(0)
    implementations.disconnected(bot)
    return await asyncio.wait_for(task, 60)


CALLS: list[Any] = [
    pytest.param(
        lambda implementation: implementation.get_image("x.png", 600, size=TOO_LARGE),
        id="get_image",
    ),
    pytest.param(
        lambda implementation: implementation.get_file("x.png", 600, size=TOO_LARGE), id="get_file"
    ),
]


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_broke_the_connection_is_not_repeated(
    call: Callable[[Implementation], Any],
) -> None:
    implementations = Implementations(dict)
    failure = await lose(implementations, FakeBot(HANG), call)
    assert failure.cause is Cause.UNREACHABLE
    again = implementations.of(FakeBot(get_version_info=NAPCAT))
    assert "broke" in await again.would_break("x.png", TOO_LARGE)
    assert "broke" in await again.would_break("x.png", None)
    # whatever its size, an answer as large as that one had better not come either
    assert await again.would_break("y.png", TOO_LARGE)
    assert not await again.would_break("y.png", FITS)


async def test_one_bot_s_trouble_is_not_another_s() -> None:
    implementations = Implementations(dict)
    await lose(
        implementations,
        FakeBot(HANG),
        lambda implementation: implementation.get_image("x.png", 600, size=TOO_LARGE),
    )
    other = implementations.of(FakeBot(get_version_info=NAPCAT, self_id="10002"))
    assert not await other.would_break("x.png", TOO_LARGE)


async def test_a_refusal_or_silence_is_no_broken_connection() -> None:
    implementation = Implementation(
        FakeBot(get_image=Turns([failed(1200, message="file not found"), HANG]))
    )
    assert (await refusal(implementation.get_image("x.png", 30))).cause is Cause.NOT_FOUND
    assert (await refusal(implementation.get_image("x.png", 0.02))).cause is Cause.TIMEOUT
    assert not await implementation.would_break("x.png", 10**9)


async def test_an_implementation_that_is_silent_twice_in_a_row_is_unresponsive() -> None:
    replies = Turns([HANG, failed(1200), HANG, NOT_INLINED, HANG, HANG])
    implementation = Implementation(FakeBot(get_image=replies))
    for _ in range(5):
        try:
            await implementation.get_image("x.png", 0.02)
        except AttemptFailed:
            pass
        assert not implementation.profile.unresponsive
    await refusal(implementation.get_image("x.png", 0.02))
    assert implementation.profile.unresponsive


async def test_a_reconnect_forgets_what_the_implementation_could_do() -> None:
    implementations = Implementations(dict)
    bot = FakeBot(get_image=unknown(), get_version_info=LUCKY)
    implementation = implementations.of(bot)
    assert implementations.of(bot) is implementation
    assert (await refusal(implementation.get_image("x.png", 30))).cause is Cause.UNSUPPORTED
    await implementation.can_skip_download()
    implementations.disconnected(bot)
    implementations.disconnected(bot)
    bot.replies["get_image"] = NOT_INLINED
    assert implementations.of(bot) is not implementation
    assert not implementations.of(bot).profile.name
    assert (await implementations.of(bot).get_image("x.png", 30)).file == "/x"


async def test_a_call_over_a_connection_that_is_gone_ends_at_once() -> None:
    implementation = Implementation(FakeBot(HANG))
    implementation.disconnected()
    assert (await refusal(implementation.get_msg(1, 600))).cause is Cause.UNREACHABLE


# Keys


def answer(group: str, private: str = "PRIV", ttl: int = 3600) -> dict[str, object]:
    expires = int(time.time()) + ttl
    return {"group_key": f"&rkey={group}", "private_key": private, "expired_time": expires}


async def test_keys_are_kept_for_their_life() -> None:
    bot = FakeBot(get_rkey=answer("GRP2"))
    implementation = Implementation(bot)
    kinds: list[Kind] = ["group", "private", "group"]
    assert [await implementation.fresh_key(kind, "GRP1") for kind in kinds] == [
        "GRP2",
        "PRIV",
        "GRP2",
    ]
    assert bot.actions == ["get_rkey"]


async def test_many_at_once_ask_once() -> None:
    bot = FakeBot(get_rkey=answer("GRP2"))
    implementation = Implementation(bot)
    found = await asyncio.gather(*(implementation.fresh_key("group", "GRP1") for _ in range(20)))
    assert found == ["GRP2"] * 20
    assert bot.actions == ["get_rkey"]


async def test_keys_are_got_anew_when_they_have_died(monkeypatch: pytest.MonkeyPatch) -> None:
    implementation = Implementation(
        FakeBot(get_rkey=Turns([answer("GRP2", ttl=100), answer("GRP3")]))
    )
    assert await implementation.fresh_key("group", "GRP1") == "GRP2"
    later = time.time() + 101
    monkeypatch.setattr(time, "time", lambda: later)
    assert await implementation.fresh_key("group", "GRP1") == "GRP3"


async def test_a_refused_key_is_not_given_again() -> None:
    bot = FakeBot(get_rkey=Turns([answer("GRP2"), answer("GRP3"), answer("GRP3")]))
    implementation = Implementation(bot)
    assert await implementation.fresh_key("group", "GRP1") == "GRP2"
    assert await implementation.fresh_key("group", "GRP2") == "GRP3"
    assert await implementation.fresh_key("group", "GRP3") is None
    assert len(bot.calls) == 3


async def test_no_key_of_that_kind() -> None:
    implementation = Implementation(FakeBot(get_rkey={"private_key": "PRIV"}))
    assert await implementation.fresh_key("group", "GRP1") is None
    assert await implementation.fresh_key("private", "PRIV1") == "PRIV"


@pytest.mark.parametrize("nothing", [unknown(), failed(1200), {}, [], None, "x", HANG])
async def test_the_next_action_is_tried(monkeypatch: pytest.MonkeyPatch, nothing: object) -> None:
    monkeypatch.setitem(_timeouts(), "get_rkey", 0.02)
    bot = FakeBot(get_rkey=nothing, get_rkey_server=answer("GRP2"), nc_get_rkey=HANG)
    assert await Implementation(bot).fresh_key("group", "GRP1") == "GRP2"
    assert bot.actions == ["get_rkey", "get_rkey_server"]


async def test_the_one_that_never_answers_comes_last_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(_timeouts(), "nc_get_rkey", 0.02)
    bot = FakeBot(unknown(), nc_get_rkey=HANG)
    implementation = Implementation(bot)
    for _ in range(3):
        await refusal(implementation.fresh_key("group", "GRP1"))
    assert bot.actions == ["get_rkey", "get_rkey_server", "nc_get_rkey"]


@pytest.mark.parametrize(
    ("replies", "cause", "word"),
    [
        ({}, Cause.UNSUPPORTED, "1404"),
        ({"get_rkey": failed(1200, message="no server")}, Cause.FAILED, "no server"),
        ({"get_rkey": {}}, Cause.FAILED, "get_rkey answered without a key"),
        ({"nc_get_rkey": failed(1200, message="no server")}, Cause.FAILED, "no server"),
    ],
)
async def test_the_failure_that_says_most(
    replies: dict[str, object], cause: Cause, word: str
) -> None:
    failure = await refusal(
        Implementation(FakeBot(unknown(), **replies)).fresh_key("group", "GRP1")
    )
    assert failure.cause is cause
    assert word in failure.detail


async def test_who_has_no_keys_is_not_asked_again() -> None:
    bot = FakeBot(unknown())
    implementation = Implementation(bot)
    for _ in range(3):
        assert (await refusal(implementation.fresh_key("group", "x"))).cause is Cause.UNSUPPORTED
    assert len(bot.calls) == 3  # one of each action


def _timeouts() -> dict[str, float]:
    from nonebot_plugin_qqimage.implementation import implementation as implementation

    return implementation._KEY_ACTIONS  # pyright: ignore[reportPrivateUsage]


# The other actions


async def test_what_is_sent() -> None:
    bot = FakeBot()
    implementation = Implementation(bot)
    await implementation.get_msg(5, 30)
    await implementation.get_forward_msg("7", 30)
    await implementation.get_file("/f", 30)
    await implementation.get_group_file_url(20001, "/f", 30)
    sent = dict(bot.calls)
    assert sent["get_msg"]["message_id"] == 5
    assert sent["get_forward_msg"]["id"] == "7"
    assert sent["get_file"]["file_id"] == "/f"
    assert sent["get_group_file_url"]["group_id"] == 20001
    assert sent["get_group_file_url"]["file_id"] == "/f"
    assert all(bot.marked)


async def test_what_comes_back() -> None:
    segments = [{"type": "text", "data": {"text": "x"}}]
    bot = FakeBot(
        get_msg={"message": segments},
        get_forward_msg={"messages": [{"content": segments}]},
        get_file={"file": "/x", "url": "/x", "base64": "AAAA"},
        get_group_file_url={"url": "http://127.0.0.1/f"},
    )
    implementation = Implementation(bot)
    assert await implementation.get_msg(5, 30) == segments
    assert await implementation.get_forward_msg("7", 30) == [{"content": segments}]
    assert (await implementation.get_file("/f", 30)).base64 == "AAAA"
    assert await implementation.get_group_file_url(20001, "/f", 30) == "http://127.0.0.1/f"
