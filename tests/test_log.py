"""What strangers write is never raw in a log, on a terminal or in a chat, nor are keys."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.log import logger as nonebots

from nonebot_plugin_qqimage.attempts import Attempt, Cause
from nonebot_plugin_qqimage.errors import AttemptFailed, StoreError, unavailable
from nonebot_plugin_qqimage.language import Text, say, use
from nonebot_plugin_qqimage.log import logger
from nonebot_plugin_qqimage.masking import mask_logger, one_line
from nonebot_plugin_qqimage.serving.answers import failed

KEY = "CAQSKAB6JWENi5LM_xp9vumLbuThJSaYf"
TOKEN = "1WyIxMDAwMSIsIi0xMjM0Iiwx"
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "line\nqqimage: another\r\n",
    "\u202egnp.exe\u2066",
    "\x9b31m\x7f\x00\u2028\ud83d",
    f"https://h/download?rkey={KEY}&x",
    f"http://127.0.0.1:8080/qqimage/download?appid=1&qqimage={TOKEN}",
    f"Authorization: Bearer {KEY}",
    f'{{"access_token": "{KEY}"}}',
)
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), max_size=6).map("".join)


@contextmanager
def written() -> Iterator[list[str]]:
    """What any sink of the log gets, tracebacks with the values in them included."""
    lines: list[str] = []
    handler = nonebots.add(
        lambda line: lines.append(str(line)), format="{message}", backtrace=True, diagnose=True
    )
    try:
        yield lines
    finally:
        nonebots.remove(handler)


def is_harmless(line: str) -> bool:
    return line.isprintable() and KEY not in line and TOKEN not in line


@given(hostile)
def test_a_line_is_one_line_that_nothing_obeys(text: str) -> None:
    failure = AttemptFailed(Cause.FAILED, text)
    error = unavailable(text, (Attempt("get_image", failure.cause, failure.detail, 0.1),))
    with written() as lines:
        logger.warning(say("qqimage: {text}", text=text))
        logger.error(f"qqimage: {error}")
        logger.info(f"qqimage: {StoreError(Text('{image} is lost', image=text))}")
    assert len(lines) == 3
    assert all(is_harmless(line.removesuffix("\n")) for line in lines), lines


@given(hostile, hostile)
def test_tracebacks_hide_as_much(text: str, other: str) -> None:
    with written() as lines:
        try:
            try:
                raise ValueError(text)
            except ValueError as error:
                raise OSError(other) from error
        except OSError:
            logger.exception("qqimage: something failed, please report it")
    told = "".join(lines).split("\n")
    assert all(map(is_harmless, told)), told
    assert any(line.startswith("ValueError: ") for line in told)
    assert any('test_log.py"' in line for line in told)


@given(hostile)
def test_what_is_served_about_a_failure(text: str) -> None:
    body = failed(StoreError(Text("{image} is lost", image=text))).body.decode()
    assert is_harmless(body)
    json.loads(body)


@given(hostile)
def test_a_terminal_gets_one_line(text: str) -> None:
    assert is_harmless(one_line(text))


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        # as uvicorn writes it
        (
            '%s - "%s %s HTTP/%s" %d',
            ("127.0.0.1:5", "GET", f"/qqimage/download?a=1&qqimage={TOKEN}", "1.1", 200),
        ),
        ('%s - "WebSocket %s" [accepted]', ("127.0.0.1:5", f"/onebot/v11/ws?access_token={KEY}")),
        # as hypercorn does, which formats by itself
        (f"127.0.0.1 - - GET /qqimage/download?qqimage={TOKEN} 1.1 200", ()),
        ("%s", ({"query_string": f"qqimage={TOKEN}".encode()},)),
    ],
)
def test_access_logs(
    message: str, arguments: tuple[object, ...], caplog: pytest.LogCaptureFixture
) -> None:
    mask_logger("qqimage-tests.access")
    with caplog.at_level(logging.INFO, "qqimage-tests.access"):
        logging.getLogger("qqimage-tests.access").info(message, *arguments)
    assert "***" in caplog.text
    assert TOKEN not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("cause", Cause)
def test_what_a_chat_reads_says_nothing_of_the_inside(cause: Cause) -> None:
    details = "/home/me/secret.png 10.0.0.5:8080 <html> bot 10001"
    error = unavailable(
        "image A1B2.png of message 5 (bot 10001)", (Attempt("x", cause, details, 1),)
    )
    for one in (error, AttemptFailed(cause, details), StoreError(details)):
        use("en")
        assert re.fullmatch(r"[a-z][a-z', ]{10,80}", one.brief), one.brief
        use("zh")
        assert re.fullmatch("[\u4e00-\u9fff，]{4,25}", one.brief), one.brief
    use("zh")
    assert (
        unavailable("x", (Attempt("x", Cause.EXPIRED, "", 0),)).brief
        == "图片链接已过期，请重新发送"
    )
    use("en")
