"""The one reader: whoever looks for images finds the same ones, with the same names."""

import itertools
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import Message, MessageSegment

from nonebot_plugin_qqimage.bot.hooks.rewriting import Rewriting
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.implementation.forwards import find_forwarded
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.arrived import Arrived
from nonebot_plugin_qqimage.messages.events import find_in_event
from nonebot_plugin_qqimage.messages.reader import (
    Found,
    Reader,
    Unopened,
    Walk,
    find_in_message,
    found_in,
)
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.serving.links import Links

from ..implementation.fake_bot import FakeBot
from ..served_pictures import BASE, CDN, group_message


def image(name: object) -> dict[str, Any]:
    return {"type": "image", "data": {"file": f"{name}.jpg", "url": CDN.format(name)}}


def forward(record_id: object = None, *messages: Any) -> dict[str, Any]:
    fields = {"id": record_id, "content": [{"content": each} for each in messages] or None}
    return {"type": "forward", "data": {key: fields[key] for key in fields if fields[key]}}


def places(walk: Walk) -> list[tuple[str, str, int]]:
    found = [each.reference for each in found_in(walk)]
    return [(each.file, each.message_id, each.position) for each in found]


# Every user of the reader, on random messages

IMAGE = st.just("image")
ITEMS = st.recursive(
    st.lists(IMAGE | st.just("text"), max_size=3),
    lambda inner: st.lists(
        IMAGE
        | st.tuples(st.just("node"), inner)
        | st.tuples(st.sampled_from(["named", "unnamed"]), st.lists(inner, min_size=1, max_size=3)),
        max_size=4,
    ),
    max_leaves=12,
)
SHAPES = ("content", "message", "node", "codes")


class Drawn:
    """A message and one it quotes, as implementations would give them.

    Args:
        items: what stands in the message.
        quoted: what stands in the quoted one.
        shapes: how the messages in its records look, in turn.
        inline: whether records hold their content, instead of being asked for by their id.
    """

    def __init__(
        self, items: list[Any], quoted: list[Any], shapes: list[str], *, inline: bool
    ) -> None:
        self.records: dict[str, Any] = {}
        self._inline = inline
        self._numbers = itertools.count()
        self._shapes = itertools.cycle(shapes)
        own, reply = (
            [MessageSegment(**deepcopy(each)) for each in self._content(content, 0)]
            for content in (items, quoted)
        )
        self.event = group_message(*own, quoted=Message(reply))

    def _content(self, items: list[Any], depth: int) -> list[dict[str, Any]]:
        return [self._segment(item, depth) for item in items]

    def _segment(self, item: Any, depth: int) -> dict[str, Any]:
        number = next(self._numbers)
        if item == "image":
            return image(number)
        if item == "text" or depth == 4:
            return {"type": "text", "data": {"text": "text"}}
        kind, inner = item
        if kind == "node":
            return {"type": "node", "data": {"content": self._content(inner, depth + 1)}}
        messages = [self._message(each, depth + 1) for each in inner]
        if kind == "unnamed":
            return {"type": "forward", "data": {"content": messages}}
        self.records[str(number)] = {"messages": messages}
        content = {"content": messages} if self._inline else {}
        return {"type": "forward", "data": {"id": str(number), **content}}

    def _message(self, items: list[Any], depth: int) -> dict[str, Any]:
        shape, content = next(self._shapes), self._content(items, depth)
        if shape == "codes" and not any(
            segment["type"] in ("node", "forward") for segment in content
        ):
            return {"content": str(Message(MessageSegment(**segment) for segment in content))}
        if shape == "node":
            return {"type": "node", "data": {"user_id": "1", "content": content}}
        return {"message" if shape == "message" else "content": content}


class Asked(FakeBot):
    """Gives records by their id."""

    def __init__(self, records: dict[str, Any]) -> None:
        super().__init__()
        self._records = records

    async def call_api(self, api: str, **data: Any) -> Any:
        return deepcopy(self._records[data["id"]])


@pytest.fixture
async def links(tmp_path: Path) -> Links:
    links = Links(ScopedConfig())
    await links.load(tmp_path)
    links.served_at(BASE)
    return links


def served(links: Links, content: object) -> list[ImageReference]:
    """What the URLs of this bot stand for that are in there, in order."""
    text = json.dumps(content, default=vars).replace("&amp;", "&")
    opened = [links.open(url) for url in re.findall(rf"{BASE}[^\s\",\]]+", text)]
    return cast(list[ImageReference], opened)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(items=ITEMS, quoting=ITEMS, shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
async def test_an_image_has_one_name(
    links: Links, items: list[Any], quoting: list[Any], shapes: list[str]
) -> None:
    inline, asked = (Drawn(items, quoting, shapes, inline=each) for each in (True, False))
    event = inline.event
    own, quoted = find_in_event(event)
    assert [sighting.reference for sighting in Arrived.of(event).sightings()] == own + quoted
    in_records = await find_forwarded(event, None, 1)
    implementation = Implementation(Asked(asked.records))
    assert await find_forwarded(asked.event, implementation, 1) == in_records
    names = {reference.name for reference in own + quoted + in_records}
    assert len(names) == len(own + quoted + in_records)

    rewriting = Rewriting(ScopedConfig(rewrite_url=True), links)
    rewriting.in_event(event)
    assert event.reply
    found = served(links, event.message) + served(links, event.reply.message)
    assert {reference.name for reference in found} == names
    assert len(found) == len(names)
    assert served(links, event.original_message) == served(links, event.message)
    # who asks for a record gets the names that it has in the message
    for record_id, record in deepcopy(inline.records).items():
        before = [each.reference for each in found_in(Reader("10001").record(record, record_id))]
        rewriting.rewrite(Reader("10001").record(record, record_id))
        assert [each.name for each in served(links, record)] == [each.name for each in before]
        assert {each.name for each in before} <= names


# Answers of APIs


@pytest.mark.parametrize(
    "content",
    [
        [image("a"), image("b")],
        [MessageSegment(**image("a")), MessageSegment(**image("b"))],
        Message([MessageSegment(**image("a")), MessageSegment(**image("b"))]),
        f"[CQ:image,file=a.jpg,url={CDN.format('a')}]text[CQ:image,file=b.jpg]",
    ],
    ids=["mappings", "segments", "message", "codes"],
)
def test_messages_of_every_shape(content: Any) -> None:
    expected = [("a.jpg", "5", 0), ("b.jpg", "5", 1)]
    assert places(Reader("1").message(content, "5")) == expected
    for field in ("message", "content"):
        answer = {"message_id": 9, field: content}
        assert places(Reader("1").answer(answer, "5")) == expected
        assert places(Reader("1").answer({"data": answer}, "5")) == expected


def test_a_history_has_messages_with_an_id_each() -> None:
    nested = forward(None, [image("c")])
    history = {
        "messages": [
            {"message_id": 5, "message": [image("a"), nested]},
            {"message_id": 6, "message": "[CQ:image,file=b.jpg]"},
            *(None, 7, {"message_id": 8}),
        ]
    }
    assert places(Reader("1").history(history)) == [
        ("a.jpg", "5", 0),
        ("c.jpg", "forward:5", 0),
        ("b.jpg", "6", 0),
    ]


def test_records_and_nodes_without_an_id_count_together() -> None:
    node = {"type": "node", "data": {"content": [image("b")]}}
    content = [
        *(image("a"), forward(None, [image("c")]), node, image("d")),
        forward("r", [image("e"), forward(None, [image("f")])], [image("g")]),
        forward(None, [image("h")]),
    ]
    assert places(Reader("1").message(content, "5")) == [
        ("a.jpg", "5", 0),
        ("c.jpg", "forward:5", 0),
        ("b.jpg", "forward:5", 1),
        ("d.jpg", "5", 1),
        ("e.jpg", "forward:r", 0),
        ("f.jpg", "forward:r", 1),
        ("g.jpg", "forward:r", 2),
        ("h.jpg", "forward:5", 2),
    ]


def test_what_belongs_to_no_message_has_no_name() -> None:
    for walk in (
        Reader("1").message([forward(None, [image("a")])], ""),
        Reader("1").record([{"content": [image("a")]}], ""),
    ):
        (found,) = found_in(walk)
        assert found.reference.name == ""


def test_records_can_be_opened_on_the_way() -> None:
    walk = Reader("1").message([image("a"), forward("r"), image("c")], "5")
    assert isinstance(next(walk), Found)
    assert next(walk) == Unopened("r")
    inside = walk.send([{"content": [image("b")]}])
    assert isinstance(inside, Found)
    assert (inside.reference.message_id, inside.reference.forwarded) == ("forward:r", True)
    assert places(walk) == [("c.jpg", "5", 1)]


@pytest.mark.parametrize(
    "record_id", [None, "", 0, [], {}, 1.5, "\ud83d", "x" * 5000], ids=lambda each: repr(each)[:9]
)
def test_an_id_that_no_record_has(record_id: Any) -> None:
    segment = {"type": "forward", "data": {"id": record_id}}
    assert list(Reader("1").message([segment], "5")) == []
    segment["data"]["content"] = [{"content": [image("a")]}]
    assert places(Reader("1").message([segment], "5")) == [("a.jpg", "forward:5", 0)]


# Changing what is found


def test_changed_codes_are_written_back() -> None:
    answer = {"message": "hi&amp;[CQ:image,file=a.jpg][CQ:image,file=b.jpg]"}
    for found in found_in(Reader().answer(answer, "5")):
        if found.reference.position:
            found.data["file"] = "c.jpg"
    assert answer == {"message": "hi&amp;[CQ:image,file=a.jpg][CQ:image,file=c.jpg]"}


def test_very_long_codes_stay_as_they_are() -> None:
    text = "[CQ:image,file=a.png,url=https://host.example/a]" + "x" * 100_000
    answer = {"message": text}
    for found in found_in(Reader().answer(answer, "")):
        found.data["url"] = "https://host.example/changed"
    assert answer["message"] == text


def test_codes_that_nobody_changed_stay_as_they_are() -> None:
    text = "[CQ:image,url=x,file=a.jpg,][CQ:odd]&"
    answer = {"message": text}
    assert places(Reader().answer(answer, "5")) == [("a.jpg", "5", 0)]
    assert answer["message"] is text


def test_changed_codes_can_become_segments() -> None:
    node: dict[str, Any] = {"type": "node", "data": {"content": "hi[CQ:image,file=a.jpg]"}}
    for found in found_in(Reader(keep_codes=False).message([node], "")):
        found.data["file"] = "b.jpg"
    assert node["data"]["content"] == "hi" + MessageSegment("image", {"file": "b.jpg"})


# Limits


def test_there_is_an_end() -> None:
    assert len(find_in_message([image("a")] * 5000)) == 100
    content = [image("a")] * 300 + [forward("r", [image("b")] * 300)]
    assert len(places(Reader().message(content, "5"))) == 300
    assert len(places(Reader(limited=False).message(content, "5"))) == 600
    assert len(list(Reader().message([forward("r")] * 99, "5"))) == 20


def test_what_one_reader_reads_has_its_limits_together() -> None:
    reader, content = Reader(), [image("a"), forward("r", [image("b")] * 150)]
    assert [len(places(reader.message(content, each))) for each in "12"] == [151, 51]


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.just("[CQ:image,file=a]"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("type", "data", "id", "content", "message", "messages", "file")),
            inner | st.sampled_from(("image", "mface", "file", "forward", "node")),
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(value=VALUES)
def test_nothing_is_too_odd(value: Any) -> None:
    before = deepcopy(value)
    reader = Reader("1")
    for walk in (
        reader.message(value, "5"),
        reader.answer(value, "5"),
        reader.record(value, "5"),
        reader.history(value),
    ):
        for found in found_in(walk):
            assert str(found.reference)
            assert found.kind in ("image", "mface", "file")
    assert value == before
