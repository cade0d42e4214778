"""Images in forwarded records, in every shape the implementations give them."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from nonebot.adapters.onebot.v11 import Message, MessageSegment
from nonebot.log import logger

from nonebot_plugin_qqimage.implementation.forwards import find_forwarded
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ..served_pictures import group_message
from .fake_bot import HANG, FakeBot, failed


def image(name: str) -> dict[str, Any]:
    return {"type": "image", "data": {"file": f"{name}.png", "url": f"http://127.0.0.1/{name}"}}


def forward(forward_id: object = None, content: object = None) -> dict[str, Any]:
    data = {"id": forward_id, "content": content}
    return {"type": "forward", "data": {key: data[key] for key in data if data[key] is not None}}


class Records(FakeBot):
    """Knows forwarded records by their ids."""

    def __init__(self, records: dict[str, Any] | Callable[[str], Any]) -> None:
        super().__init__()
        self.records = records if callable(records) else records.get

    async def call_api(self, api: str, **data: Any) -> Any:
        await super().call_api(api, **data)
        found = self.records(data["id"])
        if found is HANG:
            await asyncio.Event().wait()
        if found is None:
            raise failed(1200, message="消息不存在")
        return found


async def read(
    bot: FakeBot | None,
    *segments: object,
    quoted: dict[str, Any] | None = None,
    timeout: float = 30,
) -> list[ImageReference]:
    reply = None if quoted is None else Message(MessageSegment(**quoted))
    event = group_message(quoted=reply)
    event.message = cast(Message, list(segments))
    implementation = bot and Implementation(bot)
    return await asyncio.wait_for(find_forwarded(event, implementation, timeout), 60)


def names(found: list[ImageReference]) -> list[str]:
    return [reference.file.removesuffix(".png") for reference in found]


SHAPES = {
    "LuckyLilliaBot": {
        "messages": [
            {"content": [image("a")], "sender": {}, "time": 0, "message_format": "array"},
            {"content": [{"type": "text", "data": {"text": "x"}}, image("b")], "sender": {}},
        ]
    },
    "NapCat": {
        "messages": [
            {"message": [image("a")], "message_id": 1, "post_type": "message"},
            {"message": [image("b")], "message_id": 2, "post_type": "message"},
        ]
    },
    "the standard, and Lagrange": {
        "message": [
            {"type": "node", "data": {"user_id": "1", "content": [image("a")]}},
            {"type": "node", "data": {"user_id": "1", "content": [image("b")]}},
        ]
    },
    "CQ codes": {
        "messages": [
            {"content": "[CQ:image,file=a.png]hello"},
            {"message": "[CQ:image,file=b.png]"},
        ]
    },
    "a bare list": [{"content": [image("a"), image("b")]}],
    "with odd ones between": {
        "messages": [
            *(None, 5, "x", [], {}, {"content": 5}, {"content": [None, 5]}),
            {"content": [image("a")]},
            {"data": {"content": [{"type": "image", "data": None}, image("b")]}},
        ]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape(shape: str) -> None:
    bot = Records({"7": SHAPES[shape]})
    found = await read(bot, forward("7"))
    assert names(found) == ["a", "b"]
    assert [(one.self_id, one.message_id, one.position) for one in found] == [
        ("10001", "forward:7", 0),
        ("10001", "forward:7", 1),
    ]
    assert all(one.forwarded for one in found)
    assert bot.marked == [True]


async def test_images_of_the_message_itself_are_not_among_them() -> None:
    assert await read(Records({}), image("a"), {"type": "text", "data": {"text": "x"}}) == []


async def test_content_in_the_event_needs_no_call() -> None:
    bot = Records({})
    assert names(await read(bot, forward("7", [{"message": [image("a")]}]))) == ["a"]
    assert bot.calls == []
    assert names(await read(None, forward("7", [{"message": [image("a")]}]))) == ["a"]


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(forward("8"), id="by its id, as LuckyLilliaBot"),
        pytest.param(forward("8", [{"message": [image("b")]}]), id="inline, as NapCat"),
        pytest.param(forward(None, [{"message": [image("b")]}]), id="inline without an id"),
        pytest.param({"type": "node", "data": {"content": [image("b")]}}, id="as a node"),
    ],
)
async def test_records_in_records(inner: dict[str, Any]) -> None:
    bot = Records(
        {
            "7": {"messages": [{"content": [image("a"), inner]}, {"content": [image("c")]}]},
            "8": {"messages": [{"content": [image("b")]}]},
        }
    )
    found = await read(bot, forward("7"))
    assert names(found) == ["a", "b", "c"]
    assert len({one.name for one in found}) == 3


async def test_nodes_in_the_message_itself() -> None:
    found = await read(Records({}), {"type": "node", "data": {"content": [image("a")]}})
    assert [(one.file, one.message_id) for one in found] == [("a.png", "forward:1")]


async def test_several_records_of_one_message() -> None:
    bot = Records({"7": SHAPES["NapCat"], "8": {"messages": [{"content": [image("c")]}]}})
    found = await read(bot, forward("7"), forward("8"), forward("7", [{"message": [image("d")]}]))
    assert names(found) == ["a", "b", "c", "d"]
    assert len({one.name for one in found}) == 4


async def test_a_quoted_record_comes_after_the_message_s_own() -> None:
    own, quoted = (forward(None, [{"content": [image(name)]}]) for name in "ab")
    found = await read(Records({}), own, quoted=quoted)
    assert [(one.file, one.message_id) for one in found] == [
        ("a.png", "forward:1"),
        ("b.png", "forward:2"),
    ]


async def test_the_calls_for_a_message_and_a_quoted_one_are_bounded_together() -> None:
    bot = Records(lambda n: {"messages": [{"content": [image(n)]}]})
    own = [forward(str(n)) for n in range(1, 20)]
    quoted = forward(None, [{"content": [forward("a"), forward("b"), forward("c")]}])
    assert names(await read(bot, *own, quoted=quoted)) == [*map(str, range(1, 20)), "a"]


@pytest.mark.parametrize("forward_id", [7, "7"])
async def test_ids_as_numbers_or_text(forward_id: object) -> None:
    assert names(await read(Records({"7": SHAPES["NapCat"]}), forward(forward_id))) == ["a", "b"]


@pytest.mark.parametrize("forward_id", [None, "", 0, [], {}, 1.5])
async def test_a_record_without_an_id(forward_id: object) -> None:
    bot = Records({})
    assert await read(bot, {"type": "forward", "data": {"id": forward_id}}) == []
    assert bot.calls == []


async def test_a_record_that_holds_itself() -> None:
    bot = Records({"7": {"messages": [{"content": [image("a"), forward("7"), forward("7")]}]}})
    assert set(names(await read(bot, forward("7")))) == {"a"}
    assert len(bot.calls) <= 20


async def test_two_records_that_hold_each_other() -> None:
    bot = Records(
        {
            "7": {"messages": [{"content": [image("a"), forward("8")]}]},
            "8": {"messages": [{"content": [image("b"), forward("7")]}]},
        }
    )
    assert set(names(await read(bot, forward("7")))) == {"a", "b"}
    assert len(bot.calls) <= 20


def deep(levels: int, wrap: Callable[[list[Any]], dict[str, Any]]) -> dict[str, Any]:
    content = wrap([image(str(levels))])
    for level in reversed(range(1, levels)):
        content = wrap([image(str(level)), content])
    return content


@pytest.mark.parametrize(
    "wrap",
    [
        lambda segments: forward(None, [{"content": segments}]),
        lambda segments: {"type": "node", "data": {"content": segments}},
        lambda segments: forward(None, [{"type": "node", "data": {"content": segments}}]),
    ],
)
async def test_depth_is_bounded(wrap: Callable[[list[Any]], dict[str, Any]]) -> None:
    assert names(await read(None, deep(5000, wrap))) == ["1", "2", "3", "4", "5"]


async def test_depth_is_bounded_by_id() -> None:
    bot = Records(lambda n: {"messages": [{"content": [image(n), forward(str(int(n) + 1))]}]})
    assert names(await read(bot, forward("1"))) == ["1", "2", "3", "4", "5"]
    assert len(bot.calls) == 5


async def test_calls_are_bounded() -> None:
    bot = Records(lambda n: {"messages": [{"content": [image(n)]}]})
    assert len(await read(bot, *(forward(str(n)) for n in range(1, 100)))) == 20
    assert len(bot.calls) == 20


async def test_images_are_bounded() -> None:
    bot = Records({"7": {"messages": [{"content": [image("a")] * 150}] * 50}})
    assert len(await read(bot, forward("7"))) == 200


async def test_a_record_nobody_knows_is_logged_and_left_out() -> None:
    lines: list[str] = []
    handler = logger.add(lines.append, level="WARNING", format="{message}")
    bot = Records({"8": SHAPES["NapCat"]})
    found = await read(bot, forward("7"), forward("8"))
    logger.remove(handler)
    assert names(found) == ["a", "b"]
    (line,) = lines
    for word in ("record 7", "10001", "not found", "消息不存在"):
        assert word in line


async def test_a_record_that_never_comes() -> None:
    bot = Records({"7": HANG, "8": SHAPES["NapCat"]})
    assert names(await read(bot, forward("7"), forward("8"), timeout=0.05)) == ["a", "b"]


async def test_without_a_connection() -> None:
    assert await read(None, forward("7")) == []


@pytest.mark.parametrize("answer", [{}, [], "x", 5, {"messages": None}, {"message": {"a": 1}}])
async def test_an_answer_without_a_record(answer: object) -> None:
    assert await read(Records({"7": answer}), forward("7")) == []


@pytest.mark.parametrize(
    "segments", [[None, 5, "x", [], {}], [{"type": "forward"}], [{"type": "forward", "data": None}]]
)
async def test_odd_segments(segments: list[object]) -> None:
    assert await read(Records({}), *segments) == []
