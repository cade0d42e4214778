"""Which chat is meant on the command line: a bare id is none, and is refused in words."""

import pytest

from nonebot_plugin_qqimage.language import use

from ..store.pictures import Picture
from .conftest import Run


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("chat", ["20001", "group", "Group:20001", "private:", ""])
@pytest.mark.parametrize("command", [["list"], ["forget", "--yes"]])
async def test_what_is_no_chat_is_refused_in_words(
    qq: Run,
    pictures: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    chat: str,
    language: str,
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if language == "zh" else "en_US.UTF-8")
    done = await qq(*command, "--chat", chat)
    use("en")
    assert done.status == 2
    assert f"{chat!r} " + ("is no chat" if language == "en" else "不是会话") in done.err
    assert "group:123" in done.err
    assert (await qq("list", "--json")).json["count"] == len(pictures)


async def test_a_chat_of_another_kind_can_be_forgotten(qq: Run, pictures: list[Picture]) -> None:
    done = await qq("forget", "--chat", "other_guild:1000/2000", "--yes", "--json")
    assert (done.status, done.json) == (0, {"sightings": 0, "images": 0})
