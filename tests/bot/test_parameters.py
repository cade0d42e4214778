"""No URL of this bot leaves it as it is, whatever is called and wherever the URL stands."""

import base64
import json
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from nonebot.adapters.onebot.v11 import Message, MessageSegment
from nonebot.adapters.onebot.v11.utils import escape

from nonebot_plugin_qqimage.bot.hooks.rewriting import Rewriting
from nonebot_plugin_qqimage.bot.outgoing import outgoing
from nonebot_plugin_qqimage.bot.outgoing.outgoing import Outgoing
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.messages.reference import ImageReference

from .. import samples
from ..served_pictures import BASE, CDN, World, group_message, image, serving

PNG = samples.png()
CONTENT = base64.b64encode(PNG).decode()
ENCODED = f"base64://{CONTENT}"
LINK = CDN.format("a")
PUBLIC = "https://bot.example.com"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with serving(tmp_path, World(a=PNG)) as services:
        yield services


def served(services: Services) -> str:
    """What a plugin finds in ``url``."""
    event = group_message(image("a"))
    Rewriting(ScopedConfig(rewrite_url=True), services.links).in_event(event)
    return event.message[0].data["url"]


async def called(services: Services, api: str, **params: Any) -> dict[str, Any]:
    """The parameters that the implementation gets; what the plugin holds stays as it is."""
    kept = deepcopy(params)
    given = dict(params)
    await Outgoing(services).translate(given, "10001", api)
    assert params == kept
    text = json.dumps(given, default=vars)
    assert "qqimage" not in text or PUBLIC in text
    return given


PLACES: dict[str, Any] = {
    "a text": lambda url: {"message": f"see {url} there"},
    "a text segment": lambda url: {"message": Message(f"see {url}")},
    "a share": lambda url: {"message": MessageSegment.share(url, "title", image=url)},
    "music": lambda url: {
        "message": MessageSegment.music_custom("https://x", "https://x", "title", img_url=url)
    },
    "json": lambda url: {"message": MessageSegment.json(json.dumps({"meta": {"preview": url}}))},
    "xml": lambda url: {"message": MessageSegment.xml(f"<img src='{url.replace('&', '&amp;')}'/>")},
    "markdown": lambda url: {"message": [{"type": "markdown", "data": {"content": f"![]({url})"}}]},
    "a code": lambda url: {"message": f"[CQ:share,url={escape(url)},title=t]"},
    "a node": lambda url: {
        "messages": [{"type": "node", "data": {"content": [MessageSegment.text(url)]}}]
    },
    "a quick operation": lambda url: {
        "operation": {"reply": f"see {url}"},
        "context": {"a": [url]},
    },
    "deep inside": lambda url: {"data": {"a": [{"b": ({"c": url},)}]}},
    "very deep inside": lambda url: {"data": nested(90, url)},
    "records inside records": lambda url: {"messages": [records(20, MessageSegment.text(url))]},
    "a picture inside records": lambda url: {"messages": [records(20, MessageSegment.image(url))]},
    "a name": lambda url: {"data": {"seen": {url: 1}}},
    "a dataclass": lambda url: {"data": [Card(url)]},
    "JSON inside JSON": lambda url: {"data": json.dumps({"a": json.dumps({"b": [url]})})},
    "behind many values": lambda url: {"data": [[1]] * 40_000 + [[url]]},
    "many times in a text": lambda url: {"message": " ".join([url] * 1000)},
}


@dataclass
class Card:
    """What the adapter writes as a mapping."""

    url: str


def nested(levels: int, value: Any) -> Any:
    for _ in range(levels // 2):
        value = [{"in": value}]
    return value


def records(levels: int, segment: MessageSegment) -> MessageSegment:
    for _ in range(levels):
        segment = MessageSegment.node_custom(10001, "name", Message(segment))
    return segment


@pytest.mark.parametrize("saved", [False, True], ids=["as received", "as saved"])
@pytest.mark.parametrize("place", list(PLACES))
async def test_texts_get_the_original_link(services: Services, place: str, saved: bool) -> None:
    url = served(services)
    params = await called(services, "any_action", **PLACES[place](str(url) if saved else url))
    text = json.dumps(params, default=vars).replace("&amp;", "&").replace("&#38;", "&")
    assert LINK in text.replace("\\\\", "\\")
    assert BASE not in text


@pytest.mark.parametrize(
    "write",
    [
        str,
        escape,
        lambda url: url.replace("&", "&amp;"),
        lambda url: url.replace("/", "\\/"),
        lambda url: json.dumps(url.replace("&", "\x00")).replace("\\u0000", "\\u0026")[1:-1],
        lambda url: f"https://search.example.com/?url={quote(url, safe='')}&x=1",
        lambda url: f"https://a.example/?to={quote('https://b.example/?u=' + quote(url, safe=''))}",
        lambda url: f"{url} and {url}",
        lambda url: f"http://{url}",
        lambda url: f"({url}), {url}&more=1",
    ],
)
async def test_however_it_is_written(services: Services, write: Any) -> None:
    before, after = write(str(served(services))), write(LINK)
    params = await called(services, "send_msg", message=before, auto_escape=True)
    assert params["message"].replace("\\/", "/").replace("\\u0026", "&") == (
        after.replace("\\/", "/").replace("\\u0026", "&")
    )


async def test_a_saved_url_after_a_restart_has_no_key_any_more(tmp_path: Path) -> None:
    async with serving(tmp_path, World(a=PNG)) as services:
        url = str(served(services))
    async with serving(tmp_path, World(a=PNG), "") as services:
        params = await called(services, "send_msg", message=f"see {url}")
        assert params["message"] == "see " + LINK.partition("&rkey")[0]


async def test_the_public_url_where_the_link_has_died(tmp_path: Path) -> None:
    async with serving(tmp_path, World(a=PNG), public_url=PUBLIC) as services:
        url = served(services)
        services.pipeline.dead_links.refused(LINK)
        params = await called(services, "send_msg", message=Message(f"see {url}"))
        assert f"see {PUBLIC}/qqimage/download?" in params["message"].extract_plain_text()
        params = await called(services, "send_msg", message=Message(MessageSegment.image(url)))
        assert params["message"][0].data["file"] == ENCODED


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("set_qq_avatar", "file"),
        ("set_group_portrait", "file"),
        ("set_group_portrait_async", "file"),
        ("_send_group_notice", "image"),
        ("ocr_image", "image"),
        (".ocr_image", "image"),
        ("upload_group_file", "file"),
        ("upload_private_file", "file"),
        ("upload_image_to_qun_album", "file"),
        ("set_custom_avatar", "url"),
        ("some_new_action", "file"),
    ],
)
async def test_a_picture_as_a_parameter(services: Services, api: str, name: str) -> None:
    url = served(services)
    for value in (url, str(url), await services.resolver.image(image("a")).uri()):
        assert await called(services, api, **{name: value, "group_id": 1}) == {
            name: ENCODED,
            "group_id": 1,
        }


async def test_pictures_in_a_list(services: Services) -> None:
    params = await called(services, "create_album", files=[served(services), "/a.png"])
    assert params == {"files": [ENCODED, "/a.png"]}


async def test_uploads_take_a_path_that_the_implementation_can_read(tmp_path: Path) -> None:
    settings = {"path_map": {"/app/images": str(tmp_path / "store")}}
    async with serving(tmp_path, World(a=PNG), **settings) as services:
        url = served(services)
        params = await called(services, "upload_group_file", file=url)
        assert params["file"].startswith("/app/images/images/")
        params = await called(services, "set_qq_avatar", file=url)
        assert params["file"] == ENCODED


async def test_what_is_downloaded_for_somebody(services: Services) -> None:
    assert await called(services, "download_file", url=served(services), name="a.png") == {
        "base64": CONTENT,
        "name": "a.png",
    }


@pytest.mark.parametrize("api", ["get_image", "get_file"])
async def test_what_the_implementation_is_asked_for(services: Services, api: str) -> None:
    assert await called(services, api, file=served(services)) == {"file": "a.jpg"}


async def test_a_picture_that_cannot_be_had_is_given_by_its_link(services: Services) -> None:
    event = group_message(image("gone"))
    Rewriting(ScopedConfig(rewrite_url=True), services.links).in_event(event)
    url = event.message[0].data["url"]
    params = await called(services, "set_qq_avatar", file=url)
    assert params == {"file": CDN.format("gone")}
    assert await called(services, "download_file", url=url) == {"url": CDN.format("gone")}


async def copied(services: Services) -> Path:
    """A copy as plugins get it."""
    handle = services.resolver.image(image("a"))
    await handle.path()  # it must be stored
    return await services.store.copy(await handle.info())


async def test_a_copy_that_a_plugin_has_changed(services: Services) -> None:
    path = await copied(services)
    changed = samples.png(filler=50)
    for value in (str(path), path.as_uri(), f"file://{path}"):
        message = Message(MessageSegment("image", {"file": value}))
        for written in (message, str(message)):
            path.write_bytes(changed)
            params = await called(services, "send_msg", message=written)
            assert _file(params) == f"base64://{base64.b64encode(changed).decode()}"
    shared = [MessageSegment("file", {"file": path.as_uri(), "name": "a.png"})]
    params = await called(services, "send_msg", message=shared)
    assert _file(params) == f"base64://{base64.b64encode(changed).decode()}"
    params = await called(services, "set_qq_avatar", file=str(path))
    assert params["file"] == f"base64://{base64.b64encode(changed).decode()}"
    path.unlink()
    params = await called(services, "send_msg", message=message)
    assert _file(params) == ENCODED


async def test_a_copy_in_a_store_behind_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "bot").symlink_to(tmp_path / "disk")
    async with serving(tmp_path / "bot", World(a=PNG)) as services:
        path = await copied(services)
        for each in (path, path.resolve()):
            params = await called(services, "send_msg", message=Message(MessageSegment.image(each)))
            assert _file(params) == ENCODED


async def test_pictures_in_a_list_share_the_frame(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_MAX_INLINE", len(ENCODED) * 2)
    url = served(services)
    params = await called(services, "any_action", files=[url] * 3)
    assert params["files"] == [ENCODED, ENCODED, LINK]


def _file(params: dict[str, Any]) -> str:
    return params["message"][0].data["file"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"message": None},
        {"file": 5, "url": None, "image": [None, {}]},
        {"message": f"see {BASE}/qqimage/download?qqimage={'A' * 60}"},
        {"file": f"{BASE}/qqimage/download?qqimage={'A' * 60}"},
        {"file": "file://[", "operation": {"reply": None}},
        {"a": [[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]},
    ],
    ids=range(7),
)
async def test_what_is_not_ours_is_left_alone(services: Services, params: dict[str, Any]) -> None:
    given = deepcopy(params)
    await Outgoing(services).translate(given, "10001", "set_qq_avatar")
    assert given == params


async def test_long_texts_cost_little(services: Services) -> None:
    """A frame may hold 30 MB of base64."""
    message = MessageSegment("record", {"file": "base64://" + "qqim" * 7_000_000})
    params = {"message": message}
    await Outgoing(services).translate(params, "10001")
    assert params["message"] is message


def test_a_reference_of_a_served_url_says_nothing_of_its_place(services: Services) -> None:
    opened = services.links.open(str(served(services)))
    assert isinstance(opened, ImageReference)
