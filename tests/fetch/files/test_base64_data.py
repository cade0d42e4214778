"""Base64 as implementations write it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.files.base64_data import decode
from nonebot_plugin_qqimage.messages.segments import from_segment
from nonebot_plugin_qqimage.messages.texts.text_part import TextPart

from ... import samples
from ..fetching import Outcome, fetch

DATA = bytes(range(256)) * 4 + b"x"  # has + and / in its base64, and padding
TEXT = base64.b64encode(DATA).decode()


LIMIT = 1 << 20


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
    assert await decode(text, LIMIT) == DATA


@pytest.mark.parametrize("text", ["A", "base64://A", "AAAAA", "图片", "base64://图片"])
async def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(AttemptFailed, match="invalid base64") as caught:
        await decode(text, LIMIT)
    assert caught.value.cause is Cause.REJECTED


@pytest.mark.parametrize("text", ["=", "===="])
async def test_padding_alone_is_no_byte(text: str) -> None:
    assert await decode(text, LIMIT) == b""


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
        assert isinstance(await decode(text, LIMIT), bytes)
    except AttemptFailed as failure:
        assert failure.cause is Cause.REJECTED  # noqa: PT017


@given(data=st.binary(max_size=300))
async def test_whatever_was_encoded_comes_back(data: bytes) -> None:
    if data:
        assert await decode(base64.b64encode(data).decode(), LIMIT) == data
        urlsafe = base64.urlsafe_b64encode(data).decode().rstrip("=")
        assert await decode(urlsafe, LIMIT) == data


LARGE = bytes(range(256)) * 4096 + b"xy"
LARGE_TEXT = base64.b64encode(LARGE).decode()


@pytest.mark.parametrize("before", ["", "base64://", "data:image/png;base64,"])
@pytest.mark.parametrize("body", [LARGE_TEXT, LARGE_TEXT.rstrip("="), LARGE_TEXT + "\n"])
async def test_a_large_one(before: str, body: str) -> None:
    assert await decode(before + body, 2 * LIMIT) == LARGE
    around = f"[CQ:image,file={before}{body}]"
    assert await decode(TextPart(around, 15, len(around) - 1), 2 * LIMIT) == LARGE


@pytest.mark.parametrize("at", [3, 400_001, -5])
async def test_a_large_one_with_a_wrong_character(at: int) -> None:
    text = LARGE_TEXT[:at] + "!" + LARGE_TEXT[at:]
    with pytest.raises(AttemptFailed, match="invalid base64"):
        await decode(text, 2 * LIMIT)


PNG = samples.png()
PNG_TEXT = base64.b64encode(PNG).decode()


async def fetch_segment(content: str, **settings: object) -> Outcome:
    reference = from_segment({"type": "image", "data": {"file": content}})
    assert reference is not None
    return await fetch(reference, **settings)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"base64://{PNG_TEXT}", id="base64://"),
        pytest.param(f"base64://{PNG_TEXT.rstrip('=')}", id="without padding"),
        pytest.param(f"data:image/png;base64,{PNG_TEXT}", id="data URI"),
    ],
)
async def test_a_segment_that_is_the_image_itself(content: str) -> None:
    outcome = await fetch_segment(content)
    assert outcome.source == "base64 in the segment"
    assert outcome.fetched
    assert outcome.fetched.data == PNG
    assert outcome.attempts == ()


@pytest.mark.parametrize("content", ["a.png", "file:///x.png", "http://127.0.0.1:1/x", TEXT[:99]])
async def test_a_segment_that_is_not(content: str) -> None:
    outcome = await fetch_segment(content)
    assert "base64 in the segment" not in [source for source, _ in outcome.failed]
    assert not outcome.fetched


@pytest.mark.parametrize("content", ["base64://图片", "data:image/png;base64,A", "data:no comma"])
async def test_a_segment_with_bad_base64(content: str) -> None:
    assert ("base64 in the segment", Cause.REJECTED) in (await fetch_segment(content)).failed


async def test_the_limit_holds_for_segments() -> None:
    outcome = await fetch_segment(f"base64://{TEXT}", max_image_size=500)
    assert outcome.failed == [("base64 in the segment", Cause.TOO_LARGE)]
