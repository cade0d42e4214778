"""Served URLs in other text are found however they are written, and nothing else is."""

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11.utils import escape

from nonebot_plugin_qqimage.serving.mentions import mentions
from nonebot_plugin_qqimage.serving.urls import served_url

URL = served_url(
    "http://127.0.0.1:8080", "https://qq.com/d?appid=1&fileid=%2Ba&u=http://x", "2" * 60
)
OTHER = "https://example.com/a?b=c&d=[e],f"
WRITTEN = {
    "as it is": str,
    "in CQ codes": escape,
    "in JSON": lambda url: json.dumps(url)[1:-1].replace("/", "\\/"),
    "in JSON with codes": lambda url: url.replace("&", "\\u0026").replace("=", "\\u003d"),
    "in HTML with codes": lambda url: url.replace("&", "&#38;").replace("=", "&#61;"),
    "in HTML with other codes": lambda url: (
        url.replace("&", "&amp;").replace("/", "&#x2F;").replace("=", "&#x3D;")
    ),
    "in a query": lambda url: quote(url, safe=""),
    "in a query of a query": lambda url: quote(quote(url, safe=""), safe=""),
}
_REPEATED = ("in CQ codes", "in JSON", "in a query", "in a query of a query")
"""Ways in which another URL is written exactly as the first one was."""


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("around", [("", ""), ("see ", " there"), ("http://a?b=", ")"), ("[", "]")])
def test_each_is_found(write: object, around: tuple[str, str]) -> None:
    assert callable(write)
    text = around[0] + write(URL) + around[1]
    [found] = mentions(text)
    assert found.url == URL
    assert text[found.start : found.end] == write(URL)
    if write in [WRITTEN[way] for way in _REPEATED]:
        assert found.write(OTHER) == write(OTHER)


@given(st.text(), st.lists(st.sampled_from([*WRITTEN.values()]), max_size=5))
def test_several_in_any_text(between: str, writers: list[object]) -> None:
    between = f" {between} " if "qqimage" not in between else " "
    text = between.join(["", *(write(URL) for write in writers if callable(write)), ""])
    assert [found.url for found in mentions(text)] == [URL] * len(writers)


@given(st.text(st.sampled_from('qimage=%3D25\\u0d2http:/&;"[],. '), max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    for found in mentions(text):
        assert text[found.start : found.end].startswith("http")


@pytest.mark.parametrize(
    "text",
    [
        "qqimage=" + "A" * 5_000_000,
        ("http" + "qqimage=" + "A" * 30) * 50_000,
        "=" * 3_000_000 + "qqimage=" + "A" * 30,
        "http" * 1_000_000 + "qqimage=" + "A" * 30,
        ("http:" + "\\" * 20_000 + "x://x?qqimage=" + "A" * 30) * 100,
        ("http%" + "25" * 11_000 + "3A qqimage=" + "A" * 30) * 100,
        "http:" + "\\" * 20_000 + "/" + "\\" * 2_000 + "x?qqimage=" + "A" * 30,
    ],
    ids=["long", "many", "signs", "starts", "backslashes", "percent signs", "escaped slashes"],
)
def test_it_ends_soon(text: str) -> None:
    began = time.perf_counter()
    assert not [*mentions(text)]
    assert time.perf_counter() - began < 2
