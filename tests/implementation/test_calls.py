"""What an implementation's answers, refusals and silence are turned into."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import ActionFailed, ApiNotAvailable, Bot, NetworkError

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.implementation.answers import ImageAnswer
from nonebot_plugin_qqimage.implementation.calls import calling
from nonebot_plugin_qqimage.implementation.implementation import Implementation

from .fake_bot import HANG, FakeBot, failed

NAME = "0123456789ABCDEF0123456789ABCDEF.png"
URL = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=E&rkey=SECRETKEY"


async def ask(bot: Bot, timeout: float = 30) -> ImageAnswer:
    return await asyncio.wait_for(Implementation(bot).get_image(NAME, timeout), 60)


async def refusal(bot: Bot, timeout: float = 30) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        await ask(bot, timeout)
    return caught.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            {
                "file": "/app/llbot/data/temp/x.png",
                "url": URL,
                "file_size": "852",
                "file_name": NAME,
            },
            ImageAnswer(file="/app/llbot/data/temp/x.png", url=URL),
            id="LuckyLilliaBot",
        ),
        pytest.param(
            {"file": "", "url": URL, "file_size": "852", "file_name": NAME},
            ImageAnswer(url=URL),
            id="LuckyLilliaBot without a download",
        ),
        pytest.param(
            {
                "file": "C:\\Users\\u\\nt_data\\Pic\\x.png",
                "url": URL,
                "file_size": "852",
                "file_name": NAME,
                "base64": "aGk=",
            },
            ImageAnswer(base64="aGk=", file="C:\\Users\\u\\nt_data\\Pic\\x.png", url=URL),
            id="NapCat that inlines",
        ),
        pytest.param(
            {"file": "/app/x.png", "url": "/app/x.png", "file_size": "852", "file_name": NAME},
            ImageAnswer(file="/app/x.png"),
            id="NapCat without a key gives the path as url",
        ),
        pytest.param(
            {"size": 852, "filename": "{GUID}.jpg", "url": URL, "file": "data/cache/x.image.jpg"},
            ImageAnswer(file="data/cache/x.image.jpg", url=URL),
            id="go-cqhttp",
        ),
        pytest.param({"file": URL}, ImageAnswer(url=URL), id="a URL as file"),
        pytest.param(
            {"file": "https://h/a", "url": "https://h/b"},
            ImageAnswer(url="https://h/b"),
            id="a URL as file, and a url",
        ),
        pytest.param(
            {"file": "HTTPS://h/a", "url": "/x"}, ImageAnswer(url="HTTPS://h/a"), id="upper case"
        ),
        pytest.param({"file": "/x"}, ImageAnswer(file="/x"), id="as the standard has it"),
        pytest.param({}, ImageAnswer(), id="nothing in it"),
        pytest.param({"file": None, "url": 5, "base64": ["x"]}, ImageAnswer(), id="wrong types"),
        pytest.param({"file": {"x": 1}, "url": URL}, ImageAnswer(url=URL), id="one wrong type"),
    ],
)
async def test_answers_of_every_implementation(data: dict[str, Any], expected: ImageAnswer) -> None:
    bot = FakeBot(data)
    assert await ask(bot) == expected
    ((action, params),) = bot.calls
    assert action == "get_image"
    assert params["file"] == NAME
    assert bot.marked == [True]
    assert not calling.get()


@pytest.mark.parametrize(
    ("reply", "cause", "word"),
    [
        (failed(404), Cause.UNSUPPORTED, "404"),
        (failed(1404, message="get_image API 不存在", wording="x"), Cause.UNSUPPORTED, "不存在"),
        (failed(200, message="不支持的Api get_image"), Cause.UNSUPPORTED, "get_image"),
        (failed(1200, message="file not found"), Cause.NOT_FOUND, "file not found"),
        (failed(1200, wording="element not found"), Cause.NOT_FOUND, "element"),
        (failed(1200, message="消息不存在"), Cause.NOT_FOUND, "消息不存在"),
        (failed(100, msg="FILE NOT FOUND", wording=""), Cause.NOT_FOUND, "retcode 100"),
        (
            failed(1200, message=f"{URL} 下载失败, statusText: Bad Request"),
            Cause.EXPIRED,
            "下载失败",
        ),
        (failed(1200, message=f"{URL} 下载失败, statusText: Not Found"), Cause.NOT_FOUND, "下载"),
        (failed(1200, message=f"{URL} other side closed"), Cause.FAILED, "other side closed"),
        (failed(1200, message='{"retcode":-5503010}'), Cause.EXPIRED, "-5503010"),
        (
            failed(1200, message="Timeout: NTEvent serviceAndMethod:NodeIKernelMsgService/x"),
            Cause.TIMEOUT,
            "NTEvent",
        ),
        (failed(1200, message="Request failed, status code: 404"), Cause.FAILED, "status code"),
        (failed(1400, message="file is required"), Cause.FAILED, "file is required"),
        (failed(200), Cause.FAILED, "no message"),
        (failed(None, message=None), Cause.FAILED, "no message"),
        (failed([1], message={"a": 1}), Cause.FAILED, "retcode [1]"),
        (failed({}, message="stack\n  at x\n" * 200), Cause.FAILED, "stack at x"),
        (ActionFailed(), Cause.FAILED, "no message"),
        (NetworkError("WebSocket call api get_image timeout"), Cause.TIMEOUT, "timeout"),
        (NetworkError("HTTP request failed"), Cause.UNREACHABLE, "HTTP request failed"),
        (
            NetworkError("HTTP request received unexpected status code: 404"),
            Cause.UNSUPPORTED,
            "404",
        ),
        (
            NetworkError("HTTP request received unexpected status code: 403"),
            Cause.UNREACHABLE,
            "403",
        ),
        (NetworkError(), Cause.UNREACHABLE, ""),
        (ApiNotAvailable(), Cause.UNREACHABLE, "no connection"),
        (ConnectionResetError("gone"), Cause.UNREACHABLE, "ConnectionResetError: gone"),
        (json.JSONDecodeError("odd", "x", 0), Cause.UNREACHABLE, "odd"),
        (RuntimeError(), Cause.UNREACHABLE, "RuntimeError"),
        (None, Cause.FAILED, "without any data"),
        ([], Cause.FAILED, "without any data"),
        ("ok", Cause.FAILED, "without any data"),
    ],
)
async def test_failures_are_put_into_words(reply: object, cause: Cause, word: str) -> None:
    failure = await refusal(FakeBot(reply))
    assert failure.cause is cause
    assert word in failure.detail
    assert "SECRETKEY" not in str(failure)
    assert not calling.get()


async def test_silence_ends_at_our_own_deadline() -> None:
    bot = FakeBot(HANG)
    failure = await refusal(bot, 0.05)
    assert failure.cause is Cause.TIMEOUT
    assert "0.05 s" in failure.detail
    assert bot.calls[0][1]["_timeout"] > 0.05
    assert not calling.get()


@pytest.mark.parametrize(
    ("reply", "calls"),
    [
        (lambda: failed(404), 1),
        (lambda: failed(1404, message="get_image API 不存在"), 1),
        (lambda: NetworkError("HTTP request received unexpected status code: 404"), 1),
        (lambda: failed(1200, message="file not found"), 2),
        (lambda: failed(1200, message="download failed, status code: 404"), 2),
        (lambda: NetworkError("HTTP request failed"), 2),
    ],
)
async def test_only_a_missing_action_is_remembered(
    reply: Callable[[], Exception], calls: int
) -> None:
    bot = FakeBot(reply())
    implementation = Implementation(bot)
    causes: list[Cause] = []
    for _ in range(2):
        with pytest.raises(AttemptFailed) as caught:
            await implementation.get_image(NAME, 30)
        causes.append(caught.value.cause)
    assert causes[0] is causes[1]
    assert len(bot.calls) == calls


async def test_a_new_connection_is_asked_again() -> None:
    await refusal(FakeBot(failed(404)))
    assert await ask(FakeBot({"file": "/x"})) == ImageAnswer(file="/x")


async def test_cancelling_the_caller_is_no_failure() -> None:
    task = asyncio.create_task(ask(FakeBot(HANG)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
ENVELOPES = st.dictionaries(st.sampled_from(["retcode", "message", "wording", "msg"]), JSON)


@given(data=JSON | st.dictionaries(st.sampled_from(["file", "url", "base64"]), JSON))
def test_no_answer_is_too_odd(data: object) -> None:
    async def run() -> None:
        try:
            answer = await Implementation(FakeBot(data)).get_image(NAME, 30)
        except AttemptFailed:
            return
        assert all(isinstance(text, str) for text in (answer.base64, answer.file, answer.url))
        assert answer.url[:4].lower() in ("", "http")

    asyncio.run(run())


@given(envelope=ENVELOPES)
def test_no_refusal_is_too_odd(envelope: dict[str, Any]) -> None:
    async def run() -> None:
        with pytest.raises(AttemptFailed):
            await Implementation(FakeBot(ActionFailed(**envelope))).get_image(NAME, 30)

    asyncio.run(run())
