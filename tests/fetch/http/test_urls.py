"""The same link is not tried twice."""

import pytest

from nonebot_plugin_qqimage.errors import Cause
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference

from ...implementation.fake_bot import FakeBot, unknown
from ..fetching import PNG, fetch
from ..http_server import Server, reply


async def test_the_answer_s_link_comes_first(server: Server) -> None:
    server["/fresh"] = reply(PNG)
    bot = FakeBot(get_image={"url": server.url("/fresh")})
    reference = ImageReference(self_id="1", file="a.png", url=server.url("/old"))
    assert (await fetch(reference, Implementation(bot))).source == "url in the answer"
    assert server.targets == ["/fresh"]


async def test_the_segment_s_link_comes_next(server: Server) -> None:
    server["/old"] = reply(PNG)
    bot = FakeBot(get_image={"url": server.url("/fresh")})
    reference = ImageReference(self_id="1", file="a.png", url=server.url("/old"))
    outcome = await fetch(reference, Implementation(bot))
    assert outcome.source == "url of the segment"
    assert outcome.failed == [("url in the answer", Cause.NOT_FOUND)]


async def test_everybody_gives_the_same_link(server: Server) -> None:
    url = server.url("/dead")
    segment = {"type": "image", "data": {"file": "a.png", "url": url}}
    bot = FakeBot(unknown(), get_image={"file": url, "url": url}, get_msg={"message": [segment]})
    reference = ImageReference(self_id="1", message_id="5", file="a.png", url=url)
    outcome = await fetch(reference, Implementation(bot))
    assert outcome.failed == [("url in the answer", Cause.NOT_FOUND)]
    assert server.targets == ["/dead"]


@pytest.mark.parametrize("face_id", ["", "x"])
async def test_a_link_alone_is_enough(server: Server, face_id: str) -> None:
    server["/x"] = reply(PNG)
    outcome = await fetch(ImageReference(url=server.url("/x"), face_id=face_id))
    assert outcome.source == "url of the segment"
    assert outcome.attempts == ()


async def test_no_link_is_no_attempt() -> None:
    assert (await fetch(ImageReference(), Implementation(FakeBot(unknown())))).attempts == ()
