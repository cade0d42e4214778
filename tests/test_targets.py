"""Everything by which an author may name an image, and whom it is asked of then."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from nonebot.adapters.onebot.v11 import MessageSegment

from nonebot_plugin_qqimage import Image
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.messages.segments import parts_of
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid

from .messages.test_events import message
from .world import PICTURE, make, services, world

__all__ = ["make", "services", "world"]  # fixtures

MD5 = PICTURE.info.md5.upper()
LINK = (
    "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid="
    f"{new_fileid(PICTURE.data)}&spec=0&rkey=CAQSKAB6"
)
SEGMENT = MessageSegment("image", {"file": f"{MD5}.png", "url": LINK, "file_size": "10"})
KIND, DATA = parts_of(SEGMENT)


@pytest.mark.parametrize(
    "target",
    [
        SEGMENT,
        {"type": KIND, "data": dict(DATA)},
        str(SEGMENT),
        SimpleNamespace(origin=SEGMENT),
        SimpleNamespace(origin=None, id=f"{MD5}.png", url=LINK),
    ],
)
def test_what_is_said_in_different_forms(services: Services, target: Any) -> None:
    reference = services.resolver.image(target).reference
    assert (reference.file, reference.url) == (f"{MD5}.png", LINK)


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        LINK.replace("multimedia.nt.qq.com.cn", "gchat.qpic.cn"),
        f"http://gchat.qpic.cn/gchatpic_new/0/0-0-{MD5}/0?term=2",
        "https://c2cpicdw.qpic.cn/offpic_new/0/x/0",
        LINK.replace("&", "&amp;"),
    ],
)
def test_links_of_qq(services: Services, link: str) -> None:
    assert services.resolver.image(link).reference.url == link.replace("&amp;", "&")


@pytest.mark.parametrize(
    "link",
    [
        "https://example.com/a.png",
        "https://qq.com.example.com/a.png",
        "https://example.com/qq.com/",
        "https://qq.com@example.com/a.png",
        "file:///etc/passwd",
        "base64://AAAA",
    ],
)
def test_links_of_others(services: Services, link: str) -> None:
    with pytest.raises(ValueError, match="not a qqimage"):
        services.resolver.image(link)


def test_a_handle_is_itself(services: Services) -> None:
    image = services.resolver.image(SEGMENT)
    assert isinstance(image, Image)
    assert services.resolver.image(image) is image


def test_with_its_event_it_has_its_place(services: Services) -> None:
    other = {"type": "image", "data": {"file": "other.png", "url": ""}}
    event = message([other, {"type": KIND, "data": dict(DATA)}], message_id=5)
    reference = services.resolver.image(event.message[-1], event=event).reference
    assert reference == services.resolver.message_images(event)[1].reference
    assert (reference.self_id, reference.message_id, reference.position) == ("10001", "5", 1)


def test_with_the_event_of_another_message(services: Services) -> None:
    event = message([{"type": "text", "data": {"text": "a"}}], message_id=5)
    reference = services.resolver.image(SEGMENT, event=event).reference
    assert (reference.self_id, reference.message_id) == ("10001", "")


def test_a_shared_file_belongs_to_the_group_of_the_event(services: Services) -> None:
    shared = MessageSegment("file", {"file": "a.png", "file_id": "/5"})
    event = message([{"type": "text", "data": {"text": "a"}}], group_id=7)
    assert services.resolver.image(shared, event=event).reference.group_id == 7


def test_another_bot_may_be_asked(services: Services) -> None:
    bot: Any = SimpleNamespace(self_id="10009")
    event = message([{"type": KIND, "data": dict(DATA)}], message_id=5)
    reference = services.resolver.image(SEGMENT, event=event, bot=bot).reference
    assert reference.message_id == ""  # which is of the other one
    assert services.resolver.image(cast(Any, f"qqimage:{'0' * 64}"), bot=bot).reference.bare
