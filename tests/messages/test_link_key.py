"""The key in a link: what is left without it is the same link, whatever key it had."""

import pytest

from nonebot_plugin_qqimage.messages.names.link_key import without_key

LINK = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=EhQ_x-1"


@pytest.mark.parametrize(
    "url",
    [
        LINK,
        f"{LINK}&rkey=CAQSK",
        f"{LINK}&rkey=",
        LINK.replace("?", "?rkey=CAQSK&"),
        LINK.replace("&", "&RKEY=CAQSK&"),
        f"{LINK}&rkey=CAQSK#top",
    ],
)
def test_every_key_is_cut_out(url: str) -> None:
    assert without_key(url) == LINK
    assert without_key(without_key(url)) == LINK


@pytest.mark.parametrize(
    "url", ["https://x/a.png", "https://x/?b=2&a=%2f", "https://x/?", "", "https://x/?brkey=1&&"]
)
def test_nothing_else_is(url: str) -> None:
    assert without_key(url) == url


def test_a_link_with_nothing_but_a_key() -> None:
    assert without_key("https://x/a?rkey=1") == "https://x/a"
