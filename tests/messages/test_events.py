"""Where images are found: in what is received, and in what this bot sends."""

import time
from typing import Any

import pytest
from nonebot.adapters.onebot.v11 import Adapter, Message, MessageEvent, MessageSegment
from nonebot.adapters.onebot.v11.event import Event, Reply
from nonebot.compat import type_validate_python

from nonebot_plugin_qqimage.messages.arrived import Arrived
from nonebot_plugin_qqimage.messages.events import (
    chat_of,
    find_in_event,
    find_in_own_event,
    find_sent,
    find_upload,
)
from nonebot_plugin_qqimage.messages.reader import find_in_message
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting

IMAGE = {"type": "image", "data": {"file": "a.png", "url": "http://127.0.0.1/a"}}
FACE = {"type": "mface", "data": {"emoji_id": "ab" * 16, "url": "http://127.0.0.1/f"}}
FILE = {"type": "file", "data": {"file": "b.png", "file_id": "/b", "file_size": "5"}}
TEXT = {"type": "text", "data": {"text": "hi"}}
CODE = "hi[CQ:image,file=a.png,url=http://127.0.0.1/a]"


def parse(frame: dict[str, Any]) -> Event:
    event = Adapter.json_to_event(frame)
    assert event is not None
    return event


def message(content: Any, **fields: Any) -> Event:
    return parse(
        {
            "time": 0,
            "self_id": 10001,
            "post_type": "message",
            "message_type": "group",
            "sub_type": "normal",
            "message_id": -77,
            "group_id": 20001,
            "user_id": 30001,
            "message": content,
            "raw_message": "",
            "font": 0,
            "sender": {"user_id": 30001},
            **fields,
        }
    )


def sent_event(content: Any, **fields: Any) -> Event:
    return message(content, post_type="message_sent", **fields)


def upload(**file: Any) -> Event:
    return parse(
        {
            "time": 0,
            "self_id": 10001,
            "post_type": "notice",
            "notice_type": "group_upload",
            "user_id": 30001,
            "group_id": 20001,
            "file": {"id": "/b", "name": "b.png", "size": 5, "busid": 1, **file},
        }
    )


def names(references: list[ImageReference]) -> list[str]:
    return [reference.file or reference.face_id for reference in references]


# Received


@pytest.mark.parametrize("content", [[TEXT, IMAGE], CODE])
def test_in_a_message(content: Any) -> None:
    (found,), quoted = find_in_event(message(content))
    assert quoted == []
    assert (found.self_id, found.message_id, found.position) == ("10001", "-77", 0)
    assert (found.file, found.url) == ("a.png", "http://127.0.0.1/a")
    assert (found.own, found.forwarded, found.group_id) == (False, False, 0)


def test_positions_count_images_alone() -> None:
    own, _ = find_in_event(message([TEXT, IMAGE, TEXT, FACE, FILE, IMAGE]))
    assert names(own) == ["a.png", "ab" * 16, "b.png", "a.png"]
    assert [one.position for one in own if not one.file_id] == [0, 1, 3]


def test_a_quoted_message() -> None:
    reply = {
        "time": 0,
        "message_type": "group",
        "message_id": 5,
        "real_id": 5,
        "sender": {"user_id": 1},
        "message": [TEXT, IMAGE],
    }
    own, (quoted,) = find_in_event(message([FACE], reply=reply))
    assert names(own) == ["ab" * 16]
    assert (quoted.message_id, quoted.file) == ("5", "a.png")


def test_a_shared_file_in_a_group_and_in_private() -> None:
    (shared,), _ = find_in_event(message([FILE]))
    assert (shared.file_id, shared.group_id, shared.size) == ("/b", 20001, 5)
    private = message([FILE], message_type="private", sub_type="friend")
    assert find_in_event(private)[0][0].group_id == 0


def test_an_upload() -> None:
    (shared,), quoted = find_in_event(upload(url="http://127.0.0.1/b"))
    assert quoted == []
    assert (shared.self_id, shared.group_id, shared.file_id) == ("10001", 20001, "/b")
    assert (shared.file, shared.size, shared.url) == ("b.png", 5, "http://127.0.0.1/b")


@pytest.mark.parametrize("name", ["b.txt", "b", "png", "", ".png.exe"])
def test_an_upload_of_something_else(name: str) -> None:
    assert find_in_event(upload(name=name)) == ([], [])


@pytest.mark.parametrize(
    "frame",
    [
        {"post_type": "meta_event", "meta_event_type": "heartbeat", "status": {}, "interval": 5},
        {"post_type": "notice", "notice_type": "group_recall"},
        {"post_type": "unheard_of", "message": [IMAGE]},
        {"post_type": "message_sent", "message": [IMAGE], "message_id": 1},
    ],
)
def test_other_events_hold_none(frame: dict[str, Any]) -> None:
    assert find_in_event(parse({"time": 0, "self_id": 10001, **frame})) == ([], [])


# Sent from the account, by this bot or from another device


@pytest.mark.parametrize("content", [[TEXT, IMAGE], CODE, IMAGE])
def test_what_the_account_sent(content: Any) -> None:
    (sighting,) = find_in_own_event(sent_event(content))
    found = sighting.reference
    assert found.own
    assert (found.self_id, found.message_id, found.file) == ("10001", "-77", "a.png")


def test_a_face_that_the_account_sent_is_known_everywhere() -> None:
    (sighting,) = find_in_own_event(sent_event([FACE]))
    assert not sighting.reference.own
    assert sighting.reference.name == find_in_event(message([FACE]))[0][0].name


@pytest.mark.parametrize(
    "event",
    [
        message([IMAGE]),
        sent_event([IMAGE], message_id=None),
        sent_event(None),
        sent_event({}),
        sent_event([None, 5, "x", [], {}, {"type": "image"}, {"type": [], "data": {}}]),
        sent_event(""),
        upload(),
    ],
    ids=lambda event: event.get_type(),
)
def test_nothing_of_its_own(event: Event) -> None:
    assert find_in_own_event(event) == []


# Sent through an API


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            Message([MessageSegment.text("hi"), MessageSegment.image("a.png")]), id="message"
        ),
        pytest.param(MessageSegment.image("a.png"), id="segment"),
        pytest.param([TEXT, IMAGE], id="list"),
        pytest.param(IMAGE, id="mapping"),
        pytest.param(CODE, id="CQ code"),
    ],
)
def test_what_is_sent(content: object) -> None:
    (sighting,) = find_sent("10001", {"group_id": 1, "message": content}, {"message_id": 9})
    found = sighting.reference
    assert sighting.chat == "group:1"
    assert found.own
    assert (found.self_id, found.message_id, found.file, found.position) == (
        "10001",
        "9",
        "a.png",
        0,
    )


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(
            [
                MessageSegment.node_custom(1, "x", Message(MessageSegment.image("a.png"))),
                MessageSegment.node_custom(1, "x", "[CQ:image,file=b.png]"),
            ],
            id="segments",
        ),
        pytest.param(
            [
                {"type": "node", "data": {"content": MessageSegment.image("a.png")}},
                {"type": "node", "data": {"content": vars(MessageSegment.image("b.png"))}},
            ],
            id="of one segment each",
        ),
        pytest.param(
            Message(
                [
                    MessageSegment.node_custom(1, "x", Message(MessageSegment.image("a.png"))),
                    MessageSegment.node_custom(1, "x", Message(MessageSegment.image("b.png"))),
                ]
            ),
            id="message",
        ),
        pytest.param(
            [
                {"type": "node", "data": {"content": [TEXT, IMAGE]}},
                {"type": "node", "data": {"id": "5"}},
                {"type": "node", "data": {"content": "[CQ:image,file=b.png]"}},
                {"type": "node", "data": {"content": 5}},
                None,
            ],
            id="mappings",
        ),
    ],
)
def test_a_forward_that_is_sent(nodes: object) -> None:
    found = [each.reference for each in find_sent("10001", {"messages": nodes}, {"message_id": 9})]
    assert names(found) == ["a.png", "b.png"]
    assert [(one.own, one.message_id, one.position) for one in found] == [
        (True, "forward:9", 0),
        (True, "forward:9", 1),
    ]


@pytest.mark.parametrize("result", [None, {}, {"message_id": None}, [], "x", 5])
def test_without_an_id_of_it_nothing_is_kept(result: object) -> None:
    assert find_sent("10001", {"message": [IMAGE]}, result) == []


@pytest.mark.parametrize(
    "params", [{}, {"message": None}, {"message": 5}, {"messages": "x"}, {"messages": {}}]
)
def test_odd_parameters(params: dict[str, Any]) -> None:
    assert find_sent("10001", params, {"message_id": 9}) == []


def test_a_quote_of_what_was_sent_finds_it() -> None:
    (sent,) = find_sent("10001", {"message": MessageSegment.image(b"x")}, {"message_id": 9})
    picture = [{"type": "image", "data": {"file": None}}]
    (quoted,) = find_in_message(picture, "10001", "9", own=True)
    assert sent.reference.name == quoted.name
    for self_id, own in (("10002", True), ("10001", False)):  # somebody else's message of that id
        (other,) = find_in_message(picture, self_id, "9", own=own)
        assert sent.reference.name != other.name


# Where it was seen


def seen_in(event: Event) -> list[Sighting]:
    is_message = isinstance(event, MessageEvent)
    return Arrived.of(event).sightings() if is_message else find_upload(event)


def test_where_a_picture_was_seen() -> None:
    (sighting,) = seen_in(message([TEXT, IMAGE], time=1_600_000_000))
    assert (sighting.chat, sighting.user, sighting.time) == ("group:20001", "30001", 1_600_000_000)
    private = message([IMAGE], message_type="private", sub_type="friend", group_id=None)
    assert seen_in(private)[0].chat == "private:30001"


def test_a_quoted_picture_was_seen_when_it_was_sent() -> None:
    event = message([IMAGE], time=1_600_000_009)
    assert isinstance(event, MessageEvent)
    event.reply = type_validate_python(
        Reply,
        {
            "time": 1_600_000_000,
            "message_type": "group",
            "message_id": 5,
            "real_id": 5,
            "sender": {"user_id": 30002},
            "message": [IMAGE],
        },
    )
    _, quoted = seen_in(event)
    assert (quoted.reference.message_id, quoted.user, quoted.time) == ("5", "30002", 1_600_000_000)


@pytest.mark.parametrize("odd", [0, -5, 1 << 60])
def test_a_time_that_makes_no_sense(odd: int) -> None:
    (sighting,) = seen_in(message([IMAGE], time=odd))
    assert time.time() - 60 < sighting.time <= time.time()


def test_a_shared_file_was_seen_in_its_group() -> None:
    (sighting,) = seen_in(upload())
    assert (sighting.chat, sighting.user) == ("group:20001", "30001")


@pytest.mark.parametrize(
    ("fields", "chat"),
    [
        ({"group_id": 7, "user_id": 10001}, "group:7"),
        ({"user_id": 10001, "target_id": 30001, "message_type": "private"}, "private:30001"),
        ({"user_id": 30001, "group_id": 0}, "private:30001"),
        ({}, ""),
    ],
)
def test_where_the_account_sent_it(fields: dict[str, Any], chat: str) -> None:
    (sighting,) = find_sent("10001", {**fields, "message": IMAGE}, {"message_id": 9})
    assert (sighting.chat, sighting.user) == (chat, "10001")


def test_other_events_were_seen_nowhere() -> None:
    event = parse({"time": 0, "self_id": 10001, "post_type": "meta_event"})
    assert seen_in(event) == []
    assert chat_of(event) == ""
