"""What other plugins get from the implementation's actions, and what ours do not."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from nonebot.adapters import Bot as BaseBot
from nonebot.adapters.onebot.v11 import (
    ActionFailed,
    Adapter,
    Bot,
    GroupMessageEvent,
    Message,
    NetworkError,
)
from nonebot.matcher import Matcher, MatcherSource, current_event, current_matcher

from nonebot_plugin_qqimage.bot.hooks import answers as api_answers
from nonebot_plugin_qqimage.bot.hooks.hooks import Hooks
from nonebot_plugin_qqimage.bot.hooks.rewriting import Rewriting
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.implementation.calls import calling

from .. import samples
from ..served_pictures import BASE, CDN, World, group_message, image, serving

PNG = samples.png()
NAMED = hashlib.md5(PNG).hexdigest().upper()


class Implementation:
    """An adapter whose implementation answers what a test says; it takes note of who asks."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[str] = []

    async def _call_api(self, bot: BaseBot, api: str, **data: Any) -> Any:
        self.calls.append(api)
        answer = self.answers.get(api, ActionFailed(status="failed", retcode=1200))
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bot(self) -> Bot:
        return Bot(cast(Adapter, self), "10001")


@pytest.fixture
def world() -> World:
    return World(**{NAMED: PNG, "a": PNG})


@pytest.fixture
async def services(tmp_path: Path, world: World) -> AsyncIterator[Services]:
    async with serving(tmp_path, world) as services:
        yield services


@pytest.fixture(autouse=True)
def hooks(services: Services, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    """The hooks, for bots of this test alone."""
    config = ScopedConfig(rewrite_url=True, rewrite_exclude=["excluded"])
    hooks = Hooks(replace(services, config=config))
    monkeypatch.setattr(BaseBot, "_calling_api_hook", {hooks.before_call})
    monkeypatch.setattr(BaseBot, "_called_api_hook", {hooks.after_call})
    return hooks


@contextmanager
def handling(event: GroupMessageEvent, plugin: str = "other") -> Iterator[None]:
    """As in a handler of a plugin."""
    matcher = Matcher.new(source=MatcherSource(module_name=plugin))()
    tokens = current_event.set(event), current_matcher.set(matcher)
    try:
        yield
    finally:
        current_event.reset(tokens[0])
        current_matcher.reset(tokens[1])


async def check(answer: dict[str, Any], services: Services) -> None:
    """Every way in which plugins read an answer leads to the picture."""
    assert await anyio.Path(answer["file"]).read_bytes() == PNG
    assert await services.resolver.image(cast(Any, _segment(answer["url"]))).read() == PNG
    assert answer["url"].startswith(BASE)
    assert int(answer["file_size"]) == answer["size"] == len(PNG)
    assert answer["file_name"] == answer["filename"]


def _segment(url: str) -> Any:
    return image("", url=url)


async def test_a_stored_picture_needs_no_implementation(services: Services, world: World) -> None:
    await services.resolver.image(image(NAMED, file_size=""))
    implementation = Implementation()
    await check(await implementation.bot.get_image(file=f"{NAMED}.jpg"), services)
    assert implementation.calls == []
    assert len(world.fetched) == 1


async def test_by_what_the_handled_event_says(services: Services) -> None:
    """A name that says nothing about its content means what stands in this very message."""
    for event in (group_message(image("a")), group_message(quoted=Message(image("a")))):
        await (await services.resolver.images(event))[0]
        implementation = Implementation()
        with handling(event):
            await check(await implementation.bot.get_image(file="a.jpg"), services)
        assert implementation.calls == []


async def test_by_a_url_of_ours(services: Services) -> None:
    picture = services.resolver.image(image("a"))
    await picture
    implementation = Implementation()
    url = services.links.url(
        (await services.resolver.images(group_message(image("a"))))[0].reference
    )
    await check(await implementation.bot.get_image(file=url), services)


async def test_an_unknown_picture_is_the_implementation_s_to_give(services: Services) -> None:
    implementation = Implementation(
        get_image={"file": "/implementation/a.jpg", "url": CDN.format("a"), "file_size": "5"}
    )
    answer = await implementation.bot.get_image(file="a.jpg")
    assert implementation.calls == ["get_image"]
    assert await anyio.Path(answer["file"]).read_bytes() == PNG  # that file is not on this machine
    assert answer["url"].original == CDN.format("a")
    assert answer.keys() == {"file", "url", "file_size"}
    assert await services.resolver.image(_segment(answer["url"])).read() == PNG


@pytest.mark.parametrize(
    "failure",
    [
        ActionFailed(status="failed", retcode=1200, message="file not found"),
        None,
        {"file": "", "url": ""},
        {"file": "/nowhere/a.jpg", "url": "/nowhere/a.jpg"},
        {"file": "data/cache/a.image.jpg"},
        [],
        "text",
    ],
    ids=repr,
)
async def test_a_failure_is_repaired(services: Services, failure: Any) -> None:
    implementation = Implementation(get_image=failure)
    with handling(group_message(image("a"))):
        await check(await implementation.bot.get_image(file="a.jpg"), services)


@pytest.mark.parametrize("connected", [True, False])
async def test_after_no_answer_nobody_is_asked_over_another_connection(
    connected: bool, services: Services, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer may have been too large for it, and would be again."""
    bot = Implementation(get_image=NetworkError("WebSocket call api get_image timeout")).bot
    monkeypatch.setattr(api_answers, "get_bots", lambda: {"10001": bot if connected else None})
    with handling(group_message(image("a"))):
        if connected:
            await check(await bot.get_image(file="a.jpg"), services)
            return
        with pytest.raises(NetworkError):
            await bot.get_image(file="a.jpg")
        assert world.fetched == []
        await (await services.resolver.images(group_message(image("a"))))[0]
        await check(await bot.get_image(file="a.jpg"), services)


async def test_a_link_is_no_path(services: Services) -> None:
    """SnowLuma answers one in both fields, and plugins open ``file``."""
    link = CDN.format("a").replace("rkey=", "rkey=fresher")
    implementation = Implementation(get_image={"file": link, "url": link, "file_size": "5"})
    with handling(group_message(image("a"))):
        await check(await implementation.bot.get_image(file="a.jpg"), services)
    with handling(group_message(image("a")), "excluded"):
        answer = await implementation.bot.get_image(file="a.jpg")
    assert answer["url"] == link
    assert await anyio.Path(answer["file"]).read_bytes() == PNG


@pytest.mark.parametrize("name", ["gone.jpg", "slow.jpg"])
async def test_a_link_is_better_than_nothing(
    name: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_answers, "_QUICK", 0.2)
    link = CDN.format("a")
    implementation = Implementation(get_image={"file": link, "url": link})
    with handling(group_message(image("gone"), image("slow"))):
        answer = await implementation.bot.get_image(file=name)
    assert answer["file"] == link


@pytest.mark.parametrize("rewriting", [True, False])
async def test_a_file_may_be_changed_moved_and_deleted(
    services: Services, monkeypatch: pytest.MonkeyPatch, rewriting: bool
) -> None:
    """Plugins write into such files, and clear them away."""
    if not rewriting:
        hooks = Hooks(replace(services, config=ScopedConfig()))
        monkeypatch.setattr(BaseBot, "_calling_api_hook", {hooks.before_call})
        monkeypatch.setattr(BaseBot, "_called_api_hook", {hooks.after_call})
    encoded = base64.b64encode(PNG).decode()
    answers = [{"file": "/gone/a.jpg", "url": CDN.format("a")}, {"file": "", "base64": encoded}]
    paths: list[anyio.Path] = []
    with handling(group_message(image("a"))):
        for answer in [None, *answers, None]:
            bot = Implementation(get_image=answer).bot
            path = anyio.Path((await bot.get_image(file="a.jpg"))["file"])
            assert await path.read_bytes() == PNG
            assert path.suffix == ".png"
            assert path not in paths
            paths.append(path)
            await path.write_bytes(b"changed")
    assert await paths[0].read_bytes() == b"changed"
    await paths[1].rename(paths[1].with_name("moved"))
    await paths[2].unlink()
    handle = (await services.resolver.images(group_message(image("a"))))[0]
    assert await anyio.Path(await handle.path()).read_bytes() == PNG


@pytest.mark.parametrize("start", ["file://", "FILE://", "file://localhost"])
async def test_a_uri_becomes_a_path(services: Services, tmp_path: Path, start: str) -> None:
    """Plugins give it to ``open``."""
    (tmp_path / "a b.jpg").write_bytes(PNG)
    implementation = Implementation(get_image={"file": f"{start}{tmp_path}/a%20b.jpg"})
    answer = await implementation.bot.get_image(file="other.jpg")
    assert answer["file"] == str(tmp_path / "a b.jpg")


async def test_a_good_answer_is_left_alone(services: Services, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PNG)
    for good in ({"file": str(tmp_path / "a.jpg")}, {"file": "", "base64": "iVBORw0KGgo="}):
        implementation = Implementation(get_image=good)
        assert await implementation.bot.get_image(file="other.jpg") == good


@pytest.mark.parametrize("name", ["gone.jpg", "slow.jpg"])
async def test_what_cannot_be_repaired_stays_a_failure(
    name: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_answers, "_PATIENCE", 0.2)
    failure = ActionFailed(status="failed", retcode=1200)
    with handling(group_message(image("gone"), image("slow"))):
        with pytest.raises(ActionFailed) as raised:
            await Implementation(get_image=failure).bot.get_image(file=name)
    assert raised.value is failure


@pytest.mark.parametrize(
    "params", [{}, {"file": None}, {"file": 5}, {"file": ""}, {"file": "file:///etc/passwd"}]
)
async def test_calls_without_sense(params: dict[str, Any]) -> None:
    with pytest.raises(ActionFailed):
        await Implementation().bot.get_image(**params)


async def test_our_own_calls_are_never_touched(services: Services) -> None:
    await services.resolver.image(image(NAMED, file_size=""))
    bad, message = {"file": "/nowhere"}, {"message": [dict(vars(image("a")))]}
    implementation = Implementation(get_image=bad, get_msg=message)
    token = calling.set(True)
    try:
        assert await implementation.bot.get_image(file=f"{NAMED}.jpg") is bad
        assert await implementation.bot.get_msg(message_id=1) is message
    finally:
        calling.reset(token)
    assert BASE not in repr((bad, message))


def message_answer(**fields: Any) -> dict[str, Any]:
    return {"message_id": 5, "message": [{"type": "image", "data": image("a").data}], **fields}


async def test_messages_that_others_ask_for(services: Services) -> None:
    implementation = Implementation(get_msg=message_answer())
    (segment,) = (await implementation.bot.get_msg(message_id=5))["message"]
    assert await services.resolver.image(_segment(segment["data"]["url"])).read() == PNG
    assert segment["data"]["url"].original == CDN.format("a")


@pytest.mark.parametrize("sender", [10001, 30001])
async def test_equal_pictures_are_equal_in_events_and_answers(
    services: Services, sender: int
) -> None:
    event = group_message(quoted=Message(image("a")))
    assert event.reply
    event.reply.sender.user_id = sender
    rewriting = Rewriting(ScopedConfig(rewrite_url=True), services.links)
    rewriting.in_event(event)
    said = {"sender": {"user_id": sender}, "group_id": 20001}
    best = {"sender_id": sender, "content": message_answer()["message"]}
    implementation = Implementation(
        get_msg=message_answer(**said),
        get_group_msg_history={"messages": [message_answer(), message_answer(**said)]},
        get_essence_msg_list=[best],
    )
    answers = [
        await implementation.bot.get_msg(message_id=5),
        (await implementation.bot.call_api("get_group_msg_history", group_id=20001))["messages"][1],
    ]
    (best,) = await implementation.bot.call_api("get_essence_msg_list", group_id=20001)
    for segments in (answers[0]["message"], answers[1]["message"], best["content"]):
        assert segments[0]["data"] == event.reply.message[0].data


async def test_records_that_others_ask_for(services: Services) -> None:
    implementation = Implementation(
        get_forward_msg={"messages": [message_answer(), {"content": "text"}]}
    )
    answer = await implementation.bot.get_forward_msg(id="r1")
    (segment,) = answer["messages"][0]["message"]
    assert await services.resolver.image(_segment(segment["data"]["url"])).read() == PNG


@pytest.mark.parametrize("api", ["get_group_msg_history", "get_friend_msg_history"])
async def test_histories_that_others_ask_for(services: Services, api: str) -> None:
    bot = Implementation(**{api: {"messages": [message_answer(), message_answer()]}}).bot
    answer = await bot.call_api(api, group_id=20001)
    for message in answer["messages"]:
        (segment,) = message["message"]
        assert await services.resolver.image(_segment(segment["data"]["url"])).read() == PNG


async def test_a_group_s_best_messages(services: Services) -> None:
    link = CDN.format("a").replace("&", "&amp;")
    raw = {"raw_message": f"[CQ:image,file=a.jpg,url={link}]"}
    message = {"message_id": 5, "sender_id": 1, "content": message_answer()["message"], **raw}
    bot = Implementation(get_essence_msg_list=[message]).bot
    [answer] = await bot.call_api("get_essence_msg_list", group_id=20001)
    url = answer["content"][0]["data"]["url"]
    assert await services.resolver.image(_segment(url)).read() == PNG
    assert Message(answer["raw_message"])[0].data["url"] == url


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"message": None}, {"messages": 5}])
async def test_answers_without_sense(answer: Any) -> None:
    implementation = Implementation(
        get_msg=answer, get_forward_msg=answer, get_group_msg_history=answer
    )
    assert await implementation.bot.call_api("get_group_msg_history", group_id=1) is answer
    assert await implementation.bot.get_msg(message_id=1) is answer
    assert await implementation.bot.get_forward_msg(id="1") is answer


@pytest.mark.parametrize(
    ("fields", "event", "wanted"),
    [
        ({"group_id": 20001}, False, True),
        ({"group_id": 20002}, True, False),
        ({}, True, True),
        ({}, False, False),
        ({"message_type": "private", "user_id": 20001}, False, False),
    ],
)
async def test_in_the_chats_that_are_named(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    event: bool,
    wanted: bool,
) -> None:
    hooks = Hooks(replace(services, config=ScopedConfig(rewrite_url=["group:20001"])))
    monkeypatch.setattr(BaseBot, "_called_api_hook", {hooks.after_call})
    bot = Implementation(get_msg=message_answer(**fields)).bot
    if event:
        with handling(group_message(image("b"))):
            answer = await bot.get_msg(message_id=5)
    else:
        answer = await bot.get_msg(message_id=5)
    assert answer["message"][0]["data"]["url"].startswith(BASE) == wanted


async def test_an_excluded_plugin_gets_the_implementation_s_own(services: Services) -> None:
    picture = {"file": "/implementation/a.jpg", "url": CDN.format("a")}
    implementation = Implementation(get_image=dict(picture), get_msg=message_answer())
    await (await services.resolver.images(group_message(image("a"))))[0]
    with handling(group_message(image("a")), "excluded"):
        answer = await implementation.bot.get_image(file="a.jpg")
        assert answer == {**picture, "file": answer["file"]}
        assert await anyio.Path(answer["file"]).read_bytes() == PNG
        assert await implementation.bot.get_msg(message_id=5) == message_answer()
        # what has failed can only become better
        answer = await Implementation().bot.get_image(file="a.jpg")
        assert answer["url"] == CDN.format("a")
        assert await anyio.Path(answer["file"]).read_bytes() == PNG


async def test_without_rewriting_only_failures_are_repaired(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = Hooks(replace(services, config=ScopedConfig()))
    monkeypatch.setattr(BaseBot, "_calling_api_hook", {hooks.before_call})
    monkeypatch.setattr(BaseBot, "_called_api_hook", {hooks.after_call})
    await services.resolver.image(image(NAMED, file_size=""))
    fresh = {"file": "/implementation/a.jpg", "url": CDN.format(NAMED)}
    assert await Implementation(get_image=fresh).bot.get_image(file=f"{NAMED}.jpg") is fresh
    await check(await Implementation().bot.get_image(file=f"{NAMED}.jpg"), services)
