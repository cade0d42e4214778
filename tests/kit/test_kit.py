"""What the kit promises: no calls, chosen failures, a store of its own, and bots as in life."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from nonebot import get_bots
from nonebot.adapters.onebot.v11 import Bot, MessageSegment, PrivateMessageEvent
from nonebug import App

from nonebot_plugin_qqimage import (
    Cause,
    ImageExpired,
    ImageNotFound,
    ImageRejected,
    ImageUnavailable,
    QQImageError,
    get_resolver,
)
from nonebot_plugin_qqimage.testing import (
    PHOTO,
    Fault,
    Kit,
    isolated,
    noise_png,
    png,
    qqimage,
    qqimage_settings,
)

__all__ = ["qqimage", "qqimage_settings"]  # fixtures
KINDS = {
    Cause.EXPIRED: ImageExpired,
    Cause.NOT_FOUND: ImageNotFound,
    Cause.UNSUPPORTED: ImageNotFound,
    Cause.FORGOTTEN: ImageNotFound,
    Cause.REJECTED: ImageRejected,
    Cause.TOO_LARGE: ImageRejected,
}


async def test_a_picture_comes_from_its_source_and_from_the_store(qqimage: Kit) -> None:
    image = get_resolver().image(qqimage.picture(PHOTO))
    assert image.state == "new"
    assert await image.read() == PHOTO
    uri, path = await image.uri(), await image.path()
    assert qqimage.folder in path.parents
    assert await get_resolver().image(uri).read() == PHOTO
    assert await image.read(fresh=True) == PHOTO


async def test_a_picture_is_served(qqimage: Kit) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(get_resolver().image(qqimage.picture(PHOTO)).url())
    assert response.content == PHOTO


@pytest.mark.parametrize("cause", Cause)
async def test_a_picture_fails_with_its_cause(qqimage: Kit, cause: Cause) -> None:
    with pytest.raises(ImageUnavailable) as raised:
        await get_resolver().image(qqimage.failing(cause, "as planned")).read()
    assert type(raised.value) is KINDS.get(cause, ImageUnavailable)
    assert [attempt.cause for attempt in raised.value.attempts] == [cause]
    assert "as planned" in raised.value.text


async def test_pictures_differ_and_what_is_none_is_refused(qqimage: Kit) -> None:
    segments = [qqimage.picture(), qqimage.picture(), qqimage.failing(), qqimage.failing()]
    assert len({segment.data["file"] for segment in segments}) == 4
    with pytest.raises(QQImageError):
        qqimage.picture(b"<html>")


async def test_an_event_is_one_of_the_adapter(qqimage: Kit) -> None:
    event = qqimage.event("look: ", qqimage.picture(), group_id=None, self_id=5)
    assert isinstance(event, PrivateMessageEvent)
    assert (event.self_id, event.get_plaintext()) == (5, "look: ")
    (image,) = get_resolver().message_images(event)
    assert len(await image.read()) == int(event.message[1].data["file_size"])


async def test_each_has_its_own_store_and_leaves_the_bot_as_it_was(tmp_path: Path) -> None:
    before = get_resolver()
    async with isolated(tmp_path / "a") as one:
        uri = await get_resolver().image(one.picture(PHOTO)).uri()
        async with isolated(tmp_path / "b"):
            with pytest.raises(ImageNotFound):
                await get_resolver().image(uri).read()
        assert await get_resolver().image(uri).read() == PHOTO
    assert get_resolver() is before
    with pytest.raises(TypeError, match="prefech"):
        async with isolated(tmp_path / "c", prefech=True):
            pass


async def test_nothing_is_prefetched(qqimage: Kit) -> None:
    async with qqimage.bot() as chat:
        await chat.send_group(chat.picture(PHOTO))
        await asyncio.sleep(0.2)
        assert chat.calls == []
        assert list(get_bots()) == ["10001"]
    assert not get_bots()


class TestPrefetching:
    @pytest.fixture
    def qqimage_settings(self) -> dict[str, Any]:
        return {"prefetch": True, "get_image_timeout": 0.2}

    async def test_a_bot_with_a_connection(self, qqimage: Kit) -> None:
        async with qqimage.bot("lagrange", self_id=123, token="secret") as chat:
            await chat.send_private(chat.picture(PHOTO, kind="private"), user_id=30005)
            await qqimage.cdn.requests.reach(1)
            for _ in range(200):
                (sighting,) = await get_resolver().find(bot="123", chat="private:30005")
                if sighting.sha256:
                    break
                await asyncio.sleep(0.02)
            assert await get_resolver().image(sighting).read() == PHOTO

    @pytest.mark.parametrize("self_id", ["10002", "test"])
    async def test_but_not_for_bots_of_nonebug(self, app: App, qqimage: Kit, self_id: str) -> None:
        async with qqimage.bot("lagrange") as chat, app.test_matcher([]) as context:
            written = chat.flavour.event(chat.message("group", chat.picture(PHOTO)))["message"]
            event = qqimage.event(MessageSegment(**written[0]), self_id=10002)
            context.receive_event(context.create_bot(base=Bot, self_id=self_id), event)
        await asyncio.sleep(0.2)
        assert not qqimage.cdn.requests
        (sighting,) = await get_resolver().find(bot="10002")
        assert sighting.reference.url

    async def test_slow_answers_and_a_key_that_dies(self, qqimage: Kit) -> None:
        async with qqimage.bot() as chat:
            chat.behaviour.delays["get_image"] = 30
            picture, begun = chat.picture(PHOTO), time.monotonic()
            message = chat.message("group", picture)
            chat.remember(message)
            frame = chat.flavour.event(message)
            qqimage.cdn.rotate_keys()
            await chat.push(frame)
            image = get_resolver().image(frame["message"][0])
            assert await image.read() == PHOTO
            assert time.monotonic() - begun < 10


@pytest.mark.parametrize("limit", [1 << 20, None], ids=["of the test", "of the driver"])
async def test_an_answer_that_breaks_the_connection(qqimage: Kit, limit: int | None) -> None:
    async with qqimage.bot(inline_base64=True, max_frame=limit) as chat:
        data = noise_png(2 << 20 if limit else 4 << 20)
        qqimage.cdn.faults.set(Fault.RESET)
        await chat.send_group(chat.picture(png()))
        picture = chat.picture(data, size=0)  # which says nothing of its size
        await chat.send_group(picture)
        bot = get_bots()["10001"]
        with pytest.raises(Exception, match="timeout"):
            await bot.call_api("get_image", file=picture.name, _timeout=0.5)
        await chat.connected(2)


async def test_two_bots_need_two_accounts(qqimage: Kit) -> None:
    async with qqimage.bot() as chat, qqimage.bot(self_id=10002) as other:
        assert sorted(get_bots()) == ["10001", "10002"]
        with pytest.raises(RuntimeError, match="10001"):
            async with qqimage.bot("lagrange"):
                pass
        for bot in get_bots().values():
            await bot.call_api("get_status")
        assert [call.action for call in (*chat.calls, *other.calls)] == ["get_status"] * 2


async def test_a_restart(qqimage: Kit) -> None:
    async with qqimage.bot() as chat:
        await chat.away(forget=True)
        await chat.connected(2)
        for _ in range(200):
            if get_bots():
                break
            await asyncio.sleep(0.02)
        bot = get_bots()["10001"]
        assert (await bot.call_api("get_login_info"))["user_id"] == 10001
