"""Our URLs: good enough for plugins that look at them, and known again when they come back."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from nonebot_plugin_qqimage.serving.urls import served_url, token_in, token_of

QQ = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=EhQ%2Bx_-&rkey=CAQSK&spec=0"
OURS = "http://127.0.0.1:8080/qqimage/download?appid=1407&fileid=EhQ%2Bx_-&spec=0&qqimage=TOKEN"


@pytest.mark.parametrize(
    ("base", "original", "expected"),
    [
        ("http://127.0.0.1:8080", QQ, OURS),
        ("http://127.0.0.1:8080/", QQ + "#top", OURS),
        ("https://x/bot", "", "https://x/bot/qqimage/download?qqimage=TOKEN"),
        ("https://x", "https://y/a.png", "https://x/qqimage/download?qqimage=TOKEN"),
        (
            "https://x",
            "https://y/?RKEY=1&&b=%20&a",
            "https://x/qqimage/download?b=%20&a&qqimage=TOKEN",
        ),
        (
            "https://x",
            OURS.replace("TOKEN", "OLD"),
            OURS.replace("http://127.0.0.1:8080", "https://x"),
        ),
        (
            "https://x",
            'http://[/?a\r\n b="é"',
            'https://x/qqimage/download?a%0D%0A%20b="%C3%A9"&qqimage=TOKEN',
        ),
    ],
)
def test_served_url(base: str, original: str, expected: str) -> None:
    url = served_url(base, original, "TOKEN")
    assert url == expected
    assert token_of(url) == "TOKEN"


def test_it_looks_like_the_image_hosts() -> None:
    for sign in ("/download?", "appid=1407", "fileid=EhQ"):
        assert sign in served_url("http://127.0.0.1:8080", QQ, "TOKEN")


@given(st.text(max_size=200))
def test_clients_keep_the_token_whatever_the_original_was(original: str) -> None:
    url = served_url("http://127.0.0.1:8080", f"https://x/download?{original}", "1To-k_en")
    assert token_in(httpx.URL(url).query.decode()) == "1To-k_en"
    assert token_in(URL(url).raw_query_string) == "1To-k_en"


@pytest.mark.parametrize(
    "url",
    [
        OURS,
        OURS.replace("&", "&amp;"),
        OURS.replace("http://127.0.0.1:8080", "HTTPS://bot.example.com/below"),
        OURS.replace("127.0.0.1", "[::1]") + "#top",
        OURS + "&more=1",
        f" {OURS}\n",
    ],
)
def test_a_url_of_ours_is_known_again(url: str) -> None:
    assert token_of(url) == "TOKEN"


@pytest.mark.parametrize(
    "url",
    [
        "",
        QQ,
        "qqimage:0123",
        "/qqimage/download?qqimage=TOKEN",
        OURS.replace("/qqimage/download", "/download"),
        OURS.replace("&qqimage=TOKEN", ""),
        OURS.replace("TOKEN", ""),
        "http://x/?/qqimage/download?qqimage=TOKEN",
        "http://x/#/qqimage/download?qqimage=TOKEN",
    ],
)
def test_any_other_is_not(url: str) -> None:
    assert token_of(url) is None
