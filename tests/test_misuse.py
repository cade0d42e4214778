"""What authors are told who use it wrongly."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
from nonebot.adapters.onebot.v11 import Message, MessageSegment

from nonebot_plugin_qqimage import ImageNotFound, ImageReference, QQImageError, Sighting
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.language import use

from .messages.test_events import message
from .world import PICTURE, Make, World, make, services, world

__all__ = ["make", "services", "world"]  # fixtures


async def never() -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (5, "a int names no image"),
        (None, "a NoneType names no image"),
        (b"GIF89a", "a bytes names no image"),
        (Path("a.png"), "names no image"),
        (Message(MessageSegment.image("a.png")), "give one of what is in it"),
        ([MessageSegment.image("a.png")], "give one of what is in it"),
        (message([]), "await resolver.images"),
    ],
)
def test_of_a_wrong_type(services: Services, target: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        services.resolver.image(target)


def test_a_forgotten_await(services: Services) -> None:
    with pytest.raises(TypeError, match="must be awaited first"):
        services.resolver.image(cast(Any, never()))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (MessageSegment.text("a"), "not an image segment: text"),
        ({"type": "image"}, "not an image segment"),
        ("[CQ:face,id=1]", "not an image segment: face"),
        ("[CQ:image,file=a.png] and more", "more than one CQ code"),
        ("a.png", "not a qqimage:<sha256> URI, CQ code or link of QQ: 'a.png'"),
    ],
)
def test_that_names_none(services: Services, target: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        services.resolver.image(target)


async def test_no_event_and_no_owner(services: Services) -> None:
    resolver, wrong = services.resolver, cast(Any, Message("a"))
    for ask in (resolver.images, resolver.latest, resolver.forwarded_images):
        with pytest.raises(TypeError, match="an event is needed here, not a Message"):
            await ask(wrong)
    for look in (resolver.message_images, resolver.quoted_images, resolver.chat_of):
        with pytest.raises(TypeError, match="an event is needed here"):
            look(wrong)
    with pytest.raises(TypeError, match="an owner is a text"):
        await resolver.pin(f"qqimage:{'0' * 64}", cast(Any, None))
    with pytest.raises(ValueError, match="20001 is no chat"):
        await resolver.find(chat=cast(Any, 20001))


def test_in_chinese(services: Services) -> None:
    use("zh")
    try:
        with pytest.raises(TypeError, match="图片"):
            services.resolver.image(cast(Any, 5))
    finally:
        use("en")


async def test_a_uri_that_is_unknown_and_one_that_was_evicted(make: Make, world: World) -> None:
    services = make(max_store_size=1)
    with pytest.raises(ImageNotFound, match="never stored here"):
        await services.resolver.image(f"qqimage:{'0' * 64}").read()
    world.data["http://good"] = PICTURE.data
    data = {"file": "a.png", "url": "http://good"}
    (image,) = await services.resolver.images(message([{"type": "image", "data": data}]))
    services.store.saw(sighting_of(image.reference))
    uri = await image.uri()
    await services.store.upkeep.evict()
    world.data.clear()
    with pytest.raises(QQImageError, match="evicted since it was last seen"):
        await services.resolver.image(uri).read()


def sighting_of(reference: ImageReference) -> Any:
    return Sighting(reference, "group:1", "1", time.time())


async def test_a_closed_resolver(make: Make) -> None:
    services = make()
    image = services.resolver.image(ImageReference("1", "1", url="good"))
    await services.pipeline.close()
    with pytest.raises(QQImageError, match="it is closed, because the bot ends"):
        await image.read()
    for ask in (services.resolver.find(), services.resolver.pins("me")):
        with pytest.raises(QQImageError, match="closed"):
            await ask


@pytest.mark.parametrize(
    ("locale", "says"), [("en_US.UTF-8", "call require"), ("zh_CN", "require")]
)
def test_a_forgotten_require(locale: str, says: str) -> None:
    code = "from nonebot_plugin_qqimage import get_resolver; get_resolver()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={"LANG": locale, "PATH": "", "PYTHONUTF8": "1"},
        check=False,
    )
    error = done.stderr.decode().splitlines()[-1]
    assert error.startswith("RuntimeError: ")
    assert says in error
    assert ("没有加载" in error) is (locale == "zh_CN")
