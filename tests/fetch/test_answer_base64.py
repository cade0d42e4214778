"""Base64 as implementations write it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.answer_base64 import AnswerBase64, SegmentBase64
from nonebot_plugin_qqimage.fetch.source import Fetch
from nonebot_plugin_qqimage.implementation.answers import ImageAnswer
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.segments import from_segment
from nonebot_plugin_qqimage.pipeline.budget import ByteBudget

from .. import samples

DATA = bytes(range(256)) * 4 + b"x"  # has + and / in its base64, and padding
TEXT = base64.b64encode(DATA).decode()


async def decode(text: str, max_size: int = 1 << 20) -> bytes | None:
    async with ByteBudget(1).reserve(1) as reservation:
        fetch = Fetch(ImageReference(), lambda: None, reservation, ImageAnswer(base64=text))
        return await AnswerBase64(max_size).fetch(fetch)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param(f"base64://{TEXT}", id="base64://"),
        pytest.param(f"data:image/png;base64,{TEXT}", id="data URI"),
        pytest.param(f"data:image/png;charset=utf-8;base64,{TEXT}", id="data URI with parameters"),
        pytest.param(f"data:;base64,{TEXT}", id="data URI without a type"),
        pytest.param(TEXT.rstrip("="), id="without padding"),
        pytest.param(TEXT + "==", id="with too much padding"),
        pytest.param("\r\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76)), id="in lines"),
        pytest.param(f"  {TEXT}\n", id="with space around it"),
        pytest.param(f"base64://{TEXT}\n", id="prefix and newline"),
        pytest.param(f"\nbase64://{TEXT}", id="newline and prefix"),
        pytest.param(base64.urlsafe_b64encode(DATA).decode(), id="URL-safe"),
        pytest.param(base64.urlsafe_b64encode(DATA).decode().rstrip("="), id="URL-safe, unpadded"),
        pytest.param("\n".join(TEXT.rstrip("=")), id="one letter a line, unpadded"),
    ],
)
async def test_every_way_to_write_it(text: str) -> None:
    assert await decode(text) == DATA


@pytest.mark.parametrize("text", ["A", "base64://A", "AAAAA", "图片", "base64://图片", "=", "===="])
async def test_what_is_no_base64(text: str) -> None:
    try:
        assert await decode(text) in (b"", None)
    except AttemptFailed as failure:
        assert failure.cause is Cause.REJECTED  # noqa: PT017


async def test_no_answer_or_an_empty_one_is_no_attempt() -> None:
    assert await decode("") is None
    async with ByteBudget(1).reserve(1) as reservation:
        fetch = Fetch(ImageReference(), lambda: None, reservation)
        assert await AnswerBase64(10).fetch(fetch) is None


@pytest.mark.parametrize("before", ["", "base64://", "data:image/png;base64,"])
async def test_the_limit(before: str) -> None:
    data = samples.png(filler=5000)
    text = before + base64.b64encode(data).decode()
    assert await decode(text, max_size=len(data)) == data
    with pytest.raises(AttemptFailed, match="more than the 1000 allowed") as caught:
        await decode(text, max_size=1000)
    assert caught.value.cause is Cause.TOO_LARGE


@given(text=st.text(st.characters(), max_size=200) | st.text("AZaz09+/-_= \n"))
async def test_no_text_is_too_odd(text: str) -> None:
    try:
        assert isinstance(await decode(text), bytes | None)
    except AttemptFailed as failure:
        assert failure.cause is Cause.REJECTED  # noqa: PT017


@given(data=st.binary(max_size=300))
async def test_whatever_was_encoded_comes_back(data: bytes) -> None:
    if data:
        assert await decode(base64.b64encode(data).decode()) == data
        assert await decode(base64.urlsafe_b64encode(data).decode().rstrip("=")) == data


async def decode_segment(content: str, max_size: int = 1 << 20) -> bytes | None:
    async with ByteBudget(1).reserve(1) as reservation:
        reference = from_segment({"type": "image", "data": {"file": content}})
        assert reference is not None
        fetch = Fetch(reference, lambda: None, reservation, ImageAnswer(base64="AAAA"))
        return await SegmentBase64(max_size).fetch(fetch)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"base64://{TEXT}", id="base64://"),
        pytest.param(f"base64://{TEXT.rstrip('=')}", id="without padding"),
        pytest.param(f"data:image/png;base64,{TEXT}", id="data URI"),
    ],
)
async def test_a_segment_that_is_the_image_itself(content: str) -> None:
    assert await decode_segment(content) == DATA


@pytest.mark.parametrize("content", ["a.png", "", "file:///x.png", "http://127.0.0.1/x", TEXT[:99]])
async def test_a_segment_that_is_not(content: str) -> None:
    assert await decode_segment(content) is None


@pytest.mark.parametrize("content", ["base64://图片", "data:image/png;base64,A", "data:no comma"])
async def test_a_segment_with_bad_base64(content: str) -> None:
    with pytest.raises(AttemptFailed) as caught:
        await decode_segment(content)
    assert caught.value.cause is Cause.REJECTED


async def test_the_limit_holds_for_segments() -> None:
    with pytest.raises(AttemptFailed) as caught:
        await decode_segment(f"base64://{TEXT}", max_size=500)
    assert caught.value.cause is Cause.TOO_LARGE
