"""Which chat a message belongs to, whatever ids stand in it; no chat sees another's pictures."""

from typing import Any

import pytest

from .bots import SharedBot, Simulate, connected, new_png, sha256, told
from .stages import NEW, Stage, asked, said, staged

STRANGER = {"user_id": 30009, "group_id": 20001}


@pytest.fixture
def bot(stage: Stage) -> SharedBot:
    return stage.bot


TEMPORARY = (
    "napcat",
    "luckylilliabot-3.24",
    "luckylilliabot-8",
    "gocqhttp",
    "snowluma",
    "lagrange",
)
"""Two that name the group in the event, two in the sender, and two nowhere."""


@pytest.mark.parametrize("flavour", TEMPORARY)
async def test_a_temporary_session_is_private(
    bot: SharedBot, simulate: Simulate, flavour: str
) -> None:
    async with connected(simulate(flavour), bot) as implementation:
        public, secret = new_png(), new_png()
        await implementation.send_group(implementation.picture(public))
        await told(implementation)
        await implementation.send_temporary(
            implementation.picture(secret, kind="private"), **STRANGER
        )
        assert (await told(implementation))["sha256"] == sha256(secret)
        assert await asked(implementation, "/last 2") == [sha256(public)]
        await implementation.send_temporary("/last 5", **STRANGER)
        assert await said(implementation) == [sha256(secret)]
        await implementation.send_temporary("/chat", **STRANGER)
        assert await said(implementation) == "private:30009"
        assert sha256(secret) not in await asked(implementation, "/find group:20001")
        assert sha256(secret) in await asked(implementation, "/find private:30009")
        await asked(implementation, "/forget group:20001")
        assert sha256(secret) in await asked(implementation, "/find private:30009")
        await asked(implementation, "/forget private:30009")
        assert await asked(implementation, "/find private:30009") == []


@pytest.mark.parametrize("report_own", [False, True])
@pytest.mark.parametrize("flavour", ["napcat", "luckylilliabot-3.24", "gocqhttp"])
async def test_what_the_bot_answers_in_a_temporary_session_is_private(
    bot: SharedBot, simulate: Simulate, flavour: str, report_own: bool
) -> None:
    async with connected(simulate(flavour, report_own=report_own), bot) as implementation:
        secret = new_png()
        picture = implementation.picture(secret, kind="private")
        await implementation.send_temporary(["/mine ", picture], **STRANGER)
        sent = await implementation.next_sent()
        assert (sent.message.kind, sent.message.implementation_id) == ("private", 30009)
        assert sent.pictures == [secret]
        assert await asked(implementation, "/last") == []
        assert sha256(secret) not in await asked(implementation, "/find group:20001")
        assert len(await asked(implementation, "/find private:30009")) == 2
        await asked(implementation, "/forget private:30009")
        assert await asked(implementation, "/find private:30009") == []


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("guild", {"guild_id": "20001", "channel_id": "20001"}),
        ("guild", {"guild_id": "1000", "channel_id": "2000", "group_id": 20001}),
        ("temp", {"group_id": 20001}),
        ("Group", {"group_id": 20001}),
        ("group:20001", {"group_id": 20001}),
        ("群", {"group_id": 20001}),
    ],
)
async def test_other_kinds_have_a_chat_of_their_own(
    bot: SharedBot, simulate: Simulate, kind: str, fields: dict[str, Any]
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        data = new_png()
        await implementation.send_elsewhere(kind, implementation.picture(data), **fields)
        assert (await told(implementation))["sha256"] == sha256(data)
        assert await asked(implementation, "/last") == []
        await implementation.send_private("/last")
        assert await said(implementation) == []
        for chat in ("group:20001", "private:30001"):
            assert sha256(data) not in await asked(implementation, f"/find {chat}")
        await implementation.send_elsewhere(kind, "/last 3", **fields)
        assert await said(implementation) == [sha256(data)]
        await implementation.send_elsewhere(kind, "/chat", **fields)
        chat = await said(implementation)
        assert await asked(implementation, f"/find {chat}") == [sha256(data)]
        assert await asked(implementation, f"/forget {chat}") == [1, 1]


async def test_a_channel_is_the_chat_of_all_its_members(bot: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("gocqhttp"), bot) as implementation:
        channel = {"guild_id": "1000", "channel_id": "2000"}
        data = new_png()
        await implementation.send_elsewhere("guild", implementation.picture(data), **channel)
        await told(implementation)
        await implementation.send_elsewhere("guild", "/last", user_id=30002, **channel)
        assert await said(implementation) == [sha256(data)]
        await implementation.send_elsewhere("guild", "/last", guild_id="1000", channel_id="2001")
        assert await said(implementation) == []


async def test_what_the_bot_sends_to_another_kind_of_chat(
    bot: SharedBot, simulate: Simulate
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        channel = {"guild_id": "1001", "channel_id": "2002"}
        data = new_png()
        content = ["/mine ", implementation.picture(data)]
        await implementation.send_elsewhere("guild", content, **channel)
        assert (await implementation.next_sent()).pictures == [data]
        await implementation.send_private("/last 9")
        assert sha256(data) not in await said(implementation)
        await implementation.send_elsewhere("guild", "/last 9", **channel)
        assert await said(implementation) == [sha256(data)] * 2


@pytest.mark.parametrize("text", ["20001", "group", "group:", ":20001", "Group:20001", "群:1"])
@pytest.mark.parametrize("command", ["find", "forget"])
async def test_what_is_no_chat_is_refused_in_words(
    bot: SharedBot, simulate: Simulate, command: str, text: str
) -> None:
    async with connected(simulate("napcat"), bot) as implementation:
        answer = await asked(implementation, f"/{command} {text}")
        assert answer["error"] == "ValueError"
        assert text in answer["text"]
        assert "group:<id>" in answer["text"]


async def test_settings_take_bare_ids_as_both_kinds(
    simulate: Simulate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("settings") / "bot"
    settings = {"QQIMAGE__REWRITE_URL": [20001, "group:20002", "private:30009"]}
    async with staged(folder, NEW, settings=settings) as stage:
        async with connected(simulate("napcat"), stage.bot) as implementation:
            picture = ["/links ", implementation.picture(new_png())]
            places: list[tuple[bool, Any]] = [
                (True, implementation.send_group(picture)),
                (True, implementation.send_group(picture, group_id=20002)),
                (False, implementation.send_group(picture, group_id=30009)),
                (True, implementation.send_private(picture, user_id=20001)),
                (True, implementation.send_temporary(picture, user_id=30009, group_id=7)),
                (False, implementation.send_temporary(picture, user_id=30010, group_id=20001)),
                (False, implementation.send_elsewhere("guild", picture, guild_id="20001")),
            ]
            for served, sending in places:
                await sending
                (url,) = await said(implementation)
                assert ("qqimage=" in url[::-1]) == served, url
