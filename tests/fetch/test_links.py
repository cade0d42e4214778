"""A link whose key has died is opened with a fresh one."""

from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.names.link_key import with_key
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..implementation.fake_bot import FakeBot, Turns, failed, unknown
from .fetching import EXPIRED, GONE, PNG, fetch, opened_by
from .http_server import Server, reply

GROUP = "/download?appid=1407&fileid=E&spec=0&rkey=GRP1"
PRIVATE = "/download?appid=1406&fileid=E&spec=0&rkey=PRIV1"


def keys(group: str = "GRP2", private: str = "PRIV2") -> dict[str, object]:
    return {"group_key": f"&rkey={group}", "private_key": f"&rkey={private}"}


def at(server: Server, path: str) -> ImageReference:
    return ImageReference(self_id="10001", url=server.url(path))


@pytest.mark.parametrize(("path", "key"), [(GROUP, "GRP2"), (PRIVATE, "PRIV2")])
async def test_by_the_kind_of_chat(server: Server, path: str, key: str) -> None:
    server["/download"] = opened_by(key)
    bot = FakeBot(unknown(), get_rkey=keys())
    outcome = await fetch(at(server, path), Implementation(bot))
    assert outcome.source == "url with a fresh key"
    assert outcome.fetched
    assert outcome.fetched.data == PNG
    assert outcome.failed == [("url of the segment", Cause.EXPIRED)]
    assert server.targets == [path, path.rpartition("rkey=")[0] + f"rkey={key}"]


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(GONE, id="expired"),
        pytest.param(
            reply(b'{"retcode":-5503010,"retmsg":"invalid rkey"}', "400 Bad Request"), id="invalid"
        ),
        pytest.param(reply(EXPIRED), id="with status 200"),
        pytest.param(reply(EXPIRED, "500 Oh"), id="with status 500"),
    ],
)
async def test_every_way_to_refuse_a_key(server: Server, refusal: bytes) -> None:
    server["/download"] = opened_by("GRP2", refusal=refusal)
    bot = FakeBot(unknown(), get_rkey=keys())
    assert (await fetch(at(server, GROUP), Implementation(bot))).source == "url with a fresh key"


async def test_a_key_at_hand_is_used_again(server: Server) -> None:
    server["/download"] = opened_by("GRP2")
    bot = FakeBot(unknown(), get_rkey=keys())
    implementation = Implementation(bot)
    for _ in range(3):
        assert (await fetch(at(server, GROUP), implementation)).fetched
    assert bot.actions.count("get_rkey") == 1


async def test_a_key_at_hand_may_be_dead_too(server: Server) -> None:
    bot = FakeBot(unknown(), get_rkey=Turns([keys("GRP2"), keys("GRP3")]))
    implementation = Implementation(bot)
    server["/download"] = opened_by("GRP2")
    assert (await fetch(at(server, GROUP), implementation)).fetched
    server["/download"] = opened_by("GRP3")
    assert (await fetch(at(server, GROUP), implementation)).source == "url with a fresh key"


async def test_there_is_an_end_to_keys(server: Server) -> None:
    server["/download"] = GONE
    bot = FakeBot(unknown(), get_rkey=Turns(keys(f"GRP{n}") for n in range(2, 50)))
    outcome = await fetch(at(server, GROUP), Implementation(bot))
    assert ("url with a fresh key", Cause.EXPIRED) in outcome.failed
    assert len(server.requests) <= 3


async def test_no_fresher_key(server: Server) -> None:
    server["/download"] = GONE
    outcome = await fetch(
        at(server, GROUP), Implementation(FakeBot(unknown(), get_rkey=keys("GRP1")))
    )
    assert ("url with a fresh key", Cause.EXPIRED) in outcome.failed
    assert "no fresher key" in outcome.text
    assert server.targets == [GROUP]


@pytest.mark.parametrize(
    ("replies", "cause"),
    [({}, Cause.UNSUPPORTED), ({"get_rkey": failed(1200, message="no server")}, Cause.FAILED)],
)
async def test_no_key(server: Server, replies: dict[str, object], cause: Cause) -> None:
    server["/download"] = GONE
    outcome = await fetch(at(server, GROUP), Implementation(FakeBot(unknown(), **replies)))
    assert ("url with a fresh key", cause) in outcome.failed


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param("/download?appid=1408&fileid=E&rkey=x", GONE, id="another kind"),
        pytest.param("/download?fileid=E&rkey=x", GONE, id="no kind"),
        pytest.param("/gchatpic_new/0/0-0-AB/0", GONE, id="an old link"),
        pytest.param(GROUP, reply(b"", "404 Not Found"), id="not found"),
        pytest.param(GROUP, reply(b"no", "403 Forbidden"), id="forbidden"),
        pytest.param(GROUP, reply(b"<html>"), id="no image"),
    ],
)
async def test_where_a_key_is_no_help(server: Server, path: str, answer: bytes) -> None:
    server[path.partition("?")[0]] = answer
    bot = FakeBot(unknown(), get_rkey=keys())
    assert not (await fetch(at(server, path), Implementation(bot))).fetched
    assert "get_rkey" not in bot.actions


async def test_a_link_without_a_key_is_given_one(server: Server) -> None:
    server["/download"] = opened_by("GRP2")
    bot = FakeBot(unknown(), get_rkey=keys())
    path = GROUP.partition("&rkey=")[0]
    outcome = await fetch(at(server, path), Implementation(bot))
    assert outcome.source == "url with a fresh key"
    assert outcome.failed == [("url of the segment", Cause.EXPIRED)]
    assert server.targets == [f"{path}&rkey=GRP2"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param(GROUP.replace("GRP1", "GRP2"), 1, id="the same file"),
        pytest.param("/download?rkey=GRP2&fileid=F&appid=1407", 1, id="another of its kind"),
        pytest.param("/download?appid=1406&fileid=F&rkey=PRIV2", 0, id="of the other kind"),
    ],
)
async def test_the_file_of_the_event_is_kept(server: Server, given: str, asked: int) -> None:
    """Implementations look names up, and the newest image of a name may be another one."""
    server["/download"] = opened_by("GRP2")
    bot = FakeBot(unknown(), get_image={"url": server.url(given)}, get_rkey=keys())
    reference = replace(at(server, GROUP), file="image.png")
    outcome = await fetch(reference, Implementation(bot))
    assert outcome.source == ("url in the answer" if asked else "url with a fresh key")
    assert server.targets[-1] == GROUP.replace("GRP1", "GRP2")
    assert not any("fileid=F" in target for target in server.targets)


async def test_without_a_connection(server: Server) -> None:
    server["/download"] = GONE
    assert (await fetch(at(server, GROUP))).failed == [("url of the segment", Cause.EXPIRED)]


async def test_the_implementation_s_own_link_may_have_died(server: Server) -> None:
    """LuckyLilliaBot caches its key, and gives a dead one until its life as announced is over."""
    server["/download"] = opened_by("GRP2")
    bot = FakeBot(unknown(), get_image={"url": server.url(GROUP)}, get_rkey=keys())
    outcome = await fetch(ImageReference(self_id="10001", file="a.png"), Implementation(bot))
    assert outcome.source == "url with a fresh key"


@pytest.mark.parametrize("key", ["\ud83d", "a b", "a#b", "图", "a\x00b", "x" * 9000, "%", "&x=y"])
async def test_no_key_is_too_odd(server: Server, key: str) -> None:
    server["/download"] = GONE
    bot = FakeBot(unknown(), get_rkey={"group_key": key})
    outcome = await fetch(at(server, GROUP), Implementation(bot))
    assert not outcome.fetched
    assert "get_msg" not in bot.actions


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h/download?a=1&rkey=OLD", "http://h/download?a=1&rkey=NEW"),
        ("http://h/download?rkey=OLD&a=%2F+", "http://h/download?rkey=NEW&a=%2F+"),
        ("http://h/download?a=1&rkey=&b=2", "http://h/download?a=1&rkey=NEW&b=2"),
        ("http://h/download?a=1", "http://h/download?a=1&rkey=NEW"),
        ("http://h/download?xrkey=1&rkey=OLD", "http://h/download?xrkey=1&rkey=NEW"),
    ],
)
def test_nothing_else_in_the_url_changes(url: str, expected: str) -> None:
    assert with_key(url, "NEW") == expected
    assert with_key(url, r"\1\g<0>") == expected.replace("NEW", r"\1\g<0>")
