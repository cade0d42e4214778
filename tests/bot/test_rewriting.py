"""Which segments get URLs of ours, what they keep, and who sees the originals."""

import json
import pickle
import threading
from collections.abc import AsyncIterator, Callable
from copy import copy, deepcopy
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
import yaml
from nonebot.adapters.onebot.v11 import GroupMessageEvent, Message, MessageSegment
from nonebot.adapters.onebot.v11.event import Reply, Sender
from nonebot.compat import model_dump
from nonebot.log import logger
from nonebot.matcher import Matcher, MatcherSource
from nonebot.params import Depends

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.hooks.rewriting import Rewriting, received_event
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import ImageUnavailable
from nonebot_plugin_qqimage.implementation.forwards import find_forwarded
from nonebot_plugin_qqimage.messages.events import find_in_event
from nonebot_plugin_qqimage.messages.reader import Reader, find_in_message
from nonebot_plugin_qqimage.messages.texts.served import received

from .. import samples
from ..served_pictures import BASE, CDN, World, group_message, image, serving

PNG = samples.png()


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with serving(tmp_path, World(a=PNG)) as services:
        yield services


@pytest.fixture
def rewriting(services: Services) -> Rewriting:
    return Rewriting(ScopedConfig(rewrite_url=True), services.links)


def urls(message: Any) -> list[str]:
    return [segment.data["url"] for segment in message if segment.type in ("image", "mface")]


def is_ours(url: str) -> bool:
    return url.startswith(f"{BASE}/qqimage/download?")


def test_in_all_three_messages(rewriting: Rewriting, services: Services) -> None:
    event = group_message(image("a"), image("b"), quoted=Message(image("c")))
    before = find_in_event(event)
    rewriting.in_event(event)
    assert event.reply
    for message in (event.message, event.original_message):
        assert [services.links.open(url) for url in urls(message)] == before[0]
    assert [services.links.open(url) for url in urls(event.reply.message)] == before[1]
    # plugins sniff the address, and tell pictures apart by it
    url = urls(event.message)[0]
    assert url.startswith(f"{BASE}/qqimage/download?appid=1407&fileid=a&spec=0&")
    assert "rkey" not in url


def test_the_originals_are_kept_and_found(rewriting: Rewriting) -> None:
    event = group_message(image("a"), MessageSegment("mface", {"url": CDN.format("f")}))
    before = find_in_event(event)
    rewriting.in_event(event)
    assert [segment.data["url"].original for segment in event.message] == [
        CDN.format("a"),
        CDN.format("f"),
    ]
    assert find_in_event(event) == before
    json.dumps([segment.__dict__ for segment in event.message])


def test_nothing_else_of_a_segment_is_changed(rewriting: Rewriting) -> None:
    """Plugins hash, compare and save what is left when the URL has been taken out."""
    segments = [
        image("a", summary="[x]", sub_type=1),
        MessageSegment("mface", {"url": CDN.format("f"), "emoji_id": "5"}),
        image("a", file=CDN.format("a")),
    ]
    event = group_message(*deepcopy(segments))
    rewriting.in_event(event)
    for segment, before in zip(event.message, segments, strict=True):
        assert list(segment.data) == list(before.data)
        links = {"url", "file"} if before.data.get("file") == CDN.format("a") else {"url"}
        for name in before.data.keys() - links:
            assert segment.data[name] == before.data[name]
            assert type(segment.data[name]) is type(before.data[name])
    assert str(event.message[:1]).count("http") == 1


COPIES: dict[str, Callable[[Message], Message]] = {
    "Message()": Message,
    "+": lambda message: "text" + message + MessageSegment.text("more"),
    "a segment and +": lambda message: message[0] + Message(message[1:]),
    "copy": copy,
    "deepcopy": deepcopy,
    "model": lambda message: (
        Reply(
            time=0, message_type="", message_id=1, real_id=1, sender=Sender(), message=message
        ).message
    ),
    **{
        f"pickle {protocol}": lambda message, protocol=protocol: pickle.loads(
            pickle.dumps(message, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", list(COPIES))
def test_the_originals_survive_copies(rewriting: Rewriting, way: str) -> None:
    event = group_message(image("a"), MessageSegment("image", {"file": "b.jpg"}))
    before = find_in_event(event)[0]
    rewriting.in_event(event)
    copied = [segment for segment in COPIES[way](event.message) if segment.type == "image"]
    assert copied == list(event.message)
    assert find_in_message(copied, "10001", "1", chat="group:20001") == before
    assert copied[0].data["url"].original == CDN.format("a")


async def test_json_and_codes_need_the_token_alone(
    rewriting: Rewriting, services: Services
) -> None:
    event = group_message(image("a"))
    rewriting.in_event(event)
    (saved,) = json.loads(json.dumps([vars(segment) for segment in event.message]))
    (parsed,) = Message(str(event.message))
    for segment in (saved, vars(parsed)):
        assert segment["data"].keys() == image("a").data.keys()
        assert type(segment["data"]["url"]) is str
        handle = services.resolver.image(segment)
        assert handle.reference.url == CDN.format("a")
        assert await handle.read() == PNG


SAID: dict[str, dict[str, Any]] = {
    "a link that names nothing": {},
    "a link elsewhere": {"file": "photo.jpg", "url": "https://example.com/a.jpg"},
    "a name that is another MD5": {"file": "0123456789ABCDEF0123456789ABCDEF.png"},
    "a link whose fileid cannot be read": {
        "url": CDN.format("unreadable_but_long_enough"),
        "file": "image.png",
    },
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_after_a_restart_the_stored_picture_is_found(
    tmp_path: Path, said: dict[str, Any]
) -> None:
    """Nobody but the store has it any more, and the URL says nothing of the message."""
    world = World(a=PNG, unreadable_but_long_enough=PNG)
    world.others["https://example.com/a.jpg"] = PNG
    event = group_message(image("a", file_size="", **said), image("b"))
    async with serving(tmp_path, world) as services:
        Intake(services).received(event)
        await (await services.resolver.images(event))[0]
        Rewriting(ScopedConfig(rewrite_url=True), services.links).in_event(event)
    url = str(urls(event.message)[0])
    async with serving(tmp_path, World()) as services:
        handle = services.resolver.image({"type": "image", "data": {"url": url}})
        assert handle.reference.message_id == ""
        assert await handle.read() == PNG
        await services.store.forgetting.forget(chat="group:20001")
        with pytest.raises(ImageUnavailable, match="forgotten"):
            await services.resolver.image(url).read()
    async with serving(tmp_path, World()) as services:  # it comes once more, in another message
        again = group_message(image("a", file_size="", **said))
        again.message_id = 99
        Rewriting(ScopedConfig(rewrite_url=True), services.links).in_event(again)
        assert urls(again.message) == [url]


MD5 = "0123456789ABCDEF0123456789ABCDEF"
EQUAL = {
    "a picture": [image("a", file=f"{MD5}.jpg")],
    "text with a picture": [MessageSegment.text("look"), image("a")],
    "pictures": [image("a"), image("b"), image("a")],
    "a market face": [
        MessageSegment("mface", {"url": "https://gxh.vip.qq.com/x.gif", "emoji_id": MD5.lower()})
    ],
    "a market face as an image": [
        image("m", file="ab-x.gif", url="https://gxh.vip.qq.com/x.gif", emoji_id=MD5.lower())
    ],
    "an old link": [image(url=f"https://gchat.qpic.cn/gchatpic_new/0/0-0-{MD5}/0?term=2")],
    "an old link that says no MD5": [image(url="https://gchat.qpic.cn/gchatpic_new/1/2-3-9/0")],
    "a link in file": [image("a", file=CDN.format("a"))],
    "no link": [MessageSegment("image", {"file": f"{MD5}.jpg"})],
}


@pytest.mark.parametrize("segments", EQUAL.values(), ids=EQUAL)
def test_equal_messages_stay_equal(rewriting: Rewriting, segments: list[MessageSegment]) -> None:
    """Plugins that repeat what two people have said compare messages."""
    first, second = (group_message(*deepcopy(segments)) for _ in range(2))
    second.message_id, second.user_id = 99, 30009
    for event in (first, second):
        rewriting.in_event(event)
        assert any(is_ours(url) for url in urls(event.message))
    assert first.message == second.message
    assert str(first.message) == str(second.message)


def test_an_excluded_plugin_finds_none_in_lists(rewriting: Rewriting) -> None:
    """What was added where there was nothing was nothing."""
    event = group_message(MessageSegment("image", {"file": "b.jpg"}), image("a"))
    rewriting.in_event(event)
    state = {"urls": urls(event.message), "file": event.message[0].data["file"]}
    assert received(state) == {"urls": [None, CDN.format("a")], "file": "b.jpg"}


def test_pictures_that_nothing_names_stay_apart(rewriting: Rewriting) -> None:
    first, second = (group_message(MessageSegment("image", {"file": "image.png"})) for _ in "ab")
    second.message_id = 99
    for event in (first, second):
        rewriting.in_event(event)
    assert urls(first.message) != urls(second.message)


@pytest.mark.parametrize("escaped", [True, False])
def test_the_raw_message_too(rewriting: Rewriting, escaped: bool) -> None:
    """Plugins take URLs out of its CQ codes."""
    event = group_message(image("a"), image("ab"), image("a"))
    codes = [f"[CQ:image,file={name}.jpg,url={CDN.format(name)}]" for name in ("a", "ab", "a")]
    raw = "look: " + "".join(codes)
    event.raw_message = raw.replace("&", "&amp;") if escaped else raw
    before = event.raw_message
    rewriting.in_event(event)
    assert "qq.com" not in event.raw_message
    assert event.raw_message.count("&amp;qqimage=" if escaped else "&qqimage=") == 3
    assert urls(Message(event.raw_message)) == urls(event.message)
    json.dumps(model_dump(event), default=vars)
    rewriting.in_event(event)
    assert event.raw_message.count("qqimage=") == 3
    assert received_event(event).raw_message == before


def test_a_raw_message_whose_pictures_have_one_link(rewriting: Rewriting) -> None:
    """As LLOneBot 3.24 has it; the link is that of the first one."""
    event = group_message(image("a"), image("a", file="b.jpg"))
    link = CDN.format("a")
    event.raw_message = f"[CQ:image,file=a.jpg,url={link}][CQ:image,file=b.jpg,url={link}]"
    rewriting.in_event(event)
    assert urls(event.message)[0] in event.raw_message.partition("][")[0]


@pytest.mark.parametrize("dump", [yaml.safe_dump, yaml.dump, lambda it: OwnDumper.write(it)])
def test_segments_are_saved_as_yaml(rewriting: Rewriting, dump: Callable[[Any], str]) -> None:
    event = group_message(image("a"))
    rewriting.in_event(event)
    rewriting.begin()
    assert yaml.safe_load(dump(event.message[0].data)) == event.message[0].data


class OwnDumper(yaml.SafeDumper):
    """A plugin's."""

    @classmethod
    def write(cls, value: Any) -> str:
        return yaml.dump(value, Dumper=cls)


OwnDumper.add_representer(set, lambda dumper, value: dumper.represent_list(sorted(value)))


def test_a_segment_of_an_earlier_release(rewriting: Rewriting) -> None:
    """It holds the original beside the URL; who saved it may put it into a message again."""
    kept = {"url": "http://127.0.0.1:1/qqimage/download?qqimage=1x", "qqimage_original_url": None}
    event = group_message(MessageSegment("image", {"file": f"{MD5}.jpg", **kept}))
    before = find_in_event(event)
    assert before[0][0].url == ""
    rewriting.in_event(event)
    assert find_in_event(event) == before
    assert event.message[0].data.keys() == {"file", "url"}
    assert is_ours(event.message[0].data["url"])


@pytest.mark.parametrize("data", [{"url": ""}, {"url": None}, {}])
def test_a_segment_without_a_url_gets_one(rewriting: Rewriting, data: dict[str, Any]) -> None:
    event = group_message(MessageSegment("image", {"file": "A" * 32 + ".png", **data}))
    before = find_in_event(event)
    rewriting.in_event(event)
    assert is_ours(event.message[0].data["url"])
    assert find_in_event(event) == before


def test_a_url_in_file_too(rewriting: Rewriting) -> None:
    """Lagrange has it there; plugins take it from either."""
    event = group_message(image("a", file=CDN.format("a")))
    before = find_in_event(event)
    rewriting.in_event(event)
    data = event.message[0].data
    assert data["file"] == data["url"]
    assert is_ours(data["url"])
    assert find_in_event(event) == before


def test_what_is_no_picture_stays(rewriting: Rewriting) -> None:
    others = [
        MessageSegment.text("text"),
        MessageSegment("file", {"file": "a.png", "file_id": "/1", "url": CDN.format("a")}),
        MessageSegment("image", {"file": "base64://iVBORw0KGgo="}),
        MessageSegment("record", {"file": "a.amr", "url": CDN.format("a")}),
    ]
    event = group_message(*others)
    rewriting.in_event(event)
    assert list(event.message) == others


def test_twice_is_once(rewriting: Rewriting) -> None:
    event = group_message(image("a"), quoted=Message(image("b")))
    rewriting.in_event(event)
    once = deepcopy(event)
    rewriting.in_event(event)
    assert event == once
    assert event.reply
    assert is_ours(urls(event.reply.message)[0])


def test_a_url_of_ours_that_comes_back_is_not_nested(rewriting: Rewriting) -> None:
    event = group_message(image("a"))
    rewriting.in_event(event)
    url = urls(event.message)[0]
    again = group_message(image("a", url=url))
    rewriting.in_event(again)
    assert again.message[0] == image("a", url=url)


CHATS = [
    (True, True),
    (False, False),
    ([], False),
    (["group:20001"], True),
    (["20001"], True),
    ([20001], True),
    (["group:20002", "private:20001"], False),
]


@pytest.mark.parametrize(("setting", "wanted"), CHATS)
def test_in_the_chats_that_are_named(services: Services, setting: Any, wanted: bool) -> None:
    event = group_message(image("a"))
    Rewriting(ScopedConfig(rewrite_url=setting), services.links).in_event(event)
    assert is_ours(urls(event.message)[0]) == wanted


async def test_the_public_url_where_there_is_one(tmp_path: Path) -> None:
    public = "https://bot.example.com/images"
    async with serving(tmp_path, World(), public_url=public) as services:
        event = group_message(image("a"))
        config = ScopedConfig(rewrite_url=True, public_url=public)
        Rewriting(config, services.links).in_event(event)
        assert urls(event.message)[0].startswith(f"{public}/qqimage/download?")


@pytest.mark.parametrize(
    ("proxy", "direct", "warned"),
    [("", "", False), ("http://127.0.0.1:7890", "", True), ("http://127.0.0.1:7890", "*", False)],
)
async def test_a_proxy_that_plugins_would_ask(
    rewriting: Rewriting, monkeypatch: pytest.MonkeyPatch, proxy: str, direct: str, warned: bool
) -> None:
    for name, value in (("HTTP_PROXY", proxy), ("NO_PROXY", direct)):
        monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv(name, value)
    messages: list[str] = []
    sink = logger.add(messages.append, level="WARNING", format="{message}")
    try:
        rewriting.begin()
    finally:
        logger.remove(sink)
    assert ["NO_PROXY=127.0.0.1,localhost" in line for line in messages] == [True] * warned


def test_an_excluded_plugin_sees_what_others_have_put_into_an_event(rewriting: Rewriting) -> None:
    event = group_message(image("a"), quoted=Message(image("a")))
    lock = event.__dict__["lock"] = threading.Lock()  # which cannot be copied
    rewriting.in_event(event)
    copy = received_event(event)
    assert urls(copy.message) == urls(copy.reply.message) == [CDN.format("a")]
    assert is_ours(urls(event.message)[0])
    assert event.reply
    assert is_ours(urls(event.reply.message)[0])
    assert copy.__dict__["lock"] is lock
    assert copy.sender is event.sender


async def test_where_nothing_is_served(tmp_path: Path) -> None:
    messages: list[str] = []
    sink = logger.add(messages.append, level="WARNING", format="{message}")
    try:
        async with serving(tmp_path, World(), base="") as services:
            for setting in cast(list[Any], [False, True, ["group:20001"]]):
                rewriting = Rewriting(ScopedConfig(rewrite_url=setting), services.links)
                rewriting.begin()
                event = group_message(image("a"))
                rewriting.in_event(event)
                assert urls(event.message) == [CDN.format("a")]
    finally:
        logger.remove(sink)
    assert len(messages) == 2
    assert all("QQIMAGE__REWRITE_URL" in line and "~fastapi" in line for line in messages)


def node(*segments: Any, place: str = "content") -> dict[str, Any]:
    return {"sender": {}, place: list(segments)}


def plain(name: str) -> dict[str, Any]:
    return {"type": "image", "data": image(name).data}


NESTED = {"type": "forward", "data": {"id": "inner", "content": [node(plain("c"), plain("d"))]}}
RECORDS: list[Any] = [
    {"messages": [node(plain("a")), node(plain("b"), NESTED)]},
    {"messages": [node(plain("a"), place="message"), node(plain("b"), NESTED, place="message")]},
    {"message": [{"type": "node", "data": node(plain("a"), plain("b"), NESTED)}]},
    {"messages": [{"content": "[CQ:image,file=a.jpg,url=https://qpic.cn/?x=1&amp;y=2]"}]},
]


@pytest.mark.parametrize("record", RECORDS, ids=["content", "message", "node", "code"])
async def test_records_of_every_shape(
    rewriting: Rewriting, services: Services, record: Any
) -> None:
    record = json.loads(json.dumps(record))

    async def found() -> list[Any]:
        nodes = record.get("messages") or record["message"]
        segment = MessageSegment("forward", {"id": "r1", "content": deepcopy(nodes)})
        return await find_forwarded(group_message(segment), None, 1)

    before = await found()
    assert before
    rewriting.rewrite(Reader("10001").record(record, "r1"))
    assert await found() == before
    text = json.dumps(record).replace("&amp;", "&")
    served = [part.split('"')[0].split(",")[0] for part in text.split(BASE)[1:]]
    assert [services.links.open(BASE + url) for url in served] == before


def test_a_record_inside_an_event(rewriting: Rewriting) -> None:
    event = group_message(MessageSegment(NESTED["type"], json.loads(json.dumps(NESTED["data"]))))
    rewriting.in_event(event)
    inner = event.message[0].data["content"][0]["content"]
    assert all(is_ours(segment["data"]["url"]) for segment in inner)


def test_an_answer_of_get_msg_in_codes(rewriting: Rewriting, services: Services) -> None:
    answer = {"message_id": 1, "message": f"hi [CQ:image,file=a.jpg,url={CDN.format('a')}]"}
    answer["raw_message"] = answer["message"]
    rewriting.in_answer(answer, Reader("10001").answer(answer, "1"))
    for name in ("message", "raw_message"):
        text, picture = Message(answer[name])
        assert str(text) == "hi "
        assert is_ours(picture.data["url"])
        assert services.resolver.image(picture).reference.url == CDN.format("a")


@pytest.mark.parametrize("content", [None, 5, {}, [], "", [None], {"message": 5}, {"data": []}])
def test_answers_without_sense(rewriting: Rewriting, content: Any) -> None:
    for answer in (content, {"messages": [content]}):
        rewriting.rewrite(Reader("10001").answer(answer, "1"))
        rewriting.rewrite(Reader("10001").record(answer, "1"))
        rewriting.in_answer(answer, Reader("10001").history(answer))


def matcher_of(module: str) -> tuple[Matcher, list[Any]]:
    """A matcher of a module, and what its handler gets: URLs of ours, in every message there is."""
    seen: list[Any] = []

    async def handle(matcher: Matcher, event: GroupMessageEvent) -> None:
        assert event.reply
        messages = [event.message, event.original_message, event.reply.message]
        messages += [matcher.state["_prefix"]["command_arg"], matcher.state["saved"]]
        seen.append([is_ours(url) for message in messages for url in urls(message)])
        seen.append([reference.url for found in find_in_event(event) for reference in found])

    matcher = Matcher.new(handlers=[handle], source=MatcherSource(module_name=module))
    return matcher(), seen


@pytest.mark.parametrize("module", ["remote_vision", "local"])
async def test_an_excluded_plugin_sees_the_originals(services: Services, module: str) -> None:
    config = ScopedConfig(rewrite_url=True, rewrite_exclude=["remote_vision"])
    rewriting = Rewriting(config, services.links)
    event = group_message(image("a"), quoted=Message(image("b")))
    rewriting.in_event(event)
    state = {
        "_prefix": {"command_arg": event.message.copy(), "command": ("see",)},
        "saved": event.message.copy(),
        "number": 5,
    }
    before = deepcopy((event, state))

    for arguments, named in (
        ((None, event, state), {}),
        ((None, event), {"state": state, "stack": None}),
        ((), {"bot": None, "event": event, "state": state, "dependency_cache": {}}),
    ):
        matcher, seen = matcher_of(module)
        rewriting.for_matcher(matcher)
        await cast(Any, matcher.run)(*arguments, **named)
        assert seen == [[module == "local"] * 5, [CDN.format("a"), CDN.format("b")]]
    assert matcher.state["number"] == 5
    assert (event, state) == before  # which other matchers go on to see


async def test_what_others_had_made_of_the_event_is_made_anew(services: Services) -> None:
    config = ScopedConfig(rewrite_url=True, rewrite_exclude=["remote_vision"])
    rewriting = Rewriting(config, services.links)
    event = group_message(image("a"))
    rewriting.in_event(event)
    seen: list[list[str]] = []

    async def made(event: GroupMessageEvent) -> list[str]:
        return urls(event.message)

    async def handle(of_event: Annotated[list[str], Depends(made)]) -> None:
        seen.append(of_event)

    cache: Any = {}
    for module in ("local", "remote_vision", "local"):
        source = MatcherSource(module_name=module)
        matcher = Matcher.new(handlers=[handle], source=source)()
        rewriting.for_matcher(matcher)
        await matcher.run(cast(Any, None), event, {}, None, cache)
    assert [is_ours(urls[0]) for urls in seen] == [True, False, True]


async def test_an_excluded_plugin_sees_the_originals_in_records(services: Services) -> None:
    config = ScopedConfig(rewrite_url=True, rewrite_exclude=["remote_vision"])
    rewriting = Rewriting(config, services.links)
    codes = {"content": f"hi[CQ:image,file=c.jpg,url={CDN.format('c').replace('&', '&amp;')}]"}
    records = MessageSegment("forward", {"content": [node(plain("a"), NESTED), codes]})
    event = group_message(MessageSegment(records.type, deepcopy(records.data)))
    rewriting.in_event(event)
    assert str(event.message).count(BASE) == 4
    seen: list[Any] = []

    async def handle(event: GroupMessageEvent) -> None:
        seen.extend(event.message)

    source = MatcherSource(module_name="remote_vision")
    matcher = Matcher.new(handlers=[handle], source=source)()
    rewriting.for_matcher(matcher)
    await matcher.run(cast(Any, None), event, {})
    assert [segment.data for segment in seen] == [records.data]
