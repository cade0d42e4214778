import hashlib

import pytest
from nonebot.adapters.onebot.v11 import Bot
from nonebug import App

from nonebot_plugin_qqimage import Cause, get_resolver
from nonebot_plugin_qqimage.testing import (
    ANIMATION,
    FLAVOURS,
    PHOTO,
    Fault,
    Kit,
    noise_png,
)


async def test_a_picture_needs_no_call(app: App, qqimage: Kit) -> None:
    event = qqimage.event("/peek", qqimage.picture(PHOTO), qqimage.picture())
    async with app.test_matcher() as context:
        bot = context.create_bot(base=Bot, self_id="10001")
        context.receive_event(bot, event)
        context.should_call_send(event, "320x200 image/jpeg")
        context.should_call_send(event, "32x20 image/png")


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (Cause.EXPIRED, "ImageExpired"),
        (Cause.NOT_FOUND, "ImageNotFound"),
        (Cause.TOO_LARGE, "ImageRejected"),
        (Cause.TIMEOUT, "ImageUnavailable"),
    ],
)
async def test_a_picture_fails_as_wanted(app: App, qqimage: Kit, cause: Cause, error: str) -> None:
    event = qqimage.event("/peek", qqimage.failing(cause))
    async with app.test_matcher() as context:
        bot = context.create_bot(base=Bot, self_id="10001")
        context.receive_event(bot, event)
        context.should_call_send(event, error)


async def test_the_store_is_this_test_s_own(qqimage: Kit) -> None:
    stored = await get_resolver().image(qqimage.picture())
    assert qqimage.folder in stored.path.parents
    assert len(await get_resolver().pins("me")) == 0


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_every_implementation(qqimage: Kit, flavour: str) -> None:
    async with qqimage.bot(flavour) as chat:
        await chat.send_group(["/peek", chat.picture(ANIMATION)])
        assert (await chat.next_sent()).text == "160x100 image/gif"


async def test_an_expired_link(qqimage: Kit) -> None:
    async with qqimage.bot() as chat:
        qqimage.cdn.faults.set(Fault.EXPIRED)
        await chat.send_group(["/peek", chat.picture(PHOTO)])
        assert (await chat.next_sent()).text == "ImageExpired"


class TestSlow:
    @pytest.fixture
    def qqimage_settings(self) -> dict[str, object]:
        return {"get_image_timeout": 0.1}

    async def test_get_image(self, qqimage: Kit) -> None:
        async with qqimage.bot() as chat:
            chat.behaviour.delays["get_image"] = 5
            await chat.send_group(["/peek", chat.picture(PHOTO)])
            assert (await chat.next_sent()).text == "320x200 image/jpeg"


async def test_base64_and_a_frame_that_is_too_large(qqimage: Kit) -> None:
    async with qqimage.bot(inline_base64=True, max_frame=1 << 20) as chat:
        qqimage.cdn.faults.set(Fault.RESET)
        await chat.send_group(["/peek", chat.picture(PHOTO)])
        assert (await chat.next_sent()).text == "320x200 image/jpeg"
        qqimage.cdn.faults.clear()
        large = chat.picture(noise_png(2 << 20))
        await chat.send_group(["/peek", large])
        await chat.connected(2)  # a handler that was faster could not answer
        await chat.send_group(["/peek", large])
        assert (await chat.next_sent()).text.endswith(" image/png")


async def test_forwarded_records_and_restarts(qqimage: Kit) -> None:
    async with qqimage.bot("luckylilliabot-8") as chat:
        record = chat.forward([[chat.picture(PHOTO)], [chat.picture(ANIMATION)]])
        await chat.send_group(["/records", record])
        assert (await chat.next_sent()).text == str(len(PHOTO) + len(ANIMATION))
        await chat.away(forget=True)
        await chat.connected(2)
        await chat.send_group(["/peek", chat.picture(PHOTO)])
        assert (await chat.next_sent()).text == "320x200 image/jpeg"


async def test_asking_for_a_picture(qqimage: Kit) -> None:
    async with qqimage.bot() as chat:
        await chat.send_group("/again")
        assert (await chat.next_sent()).text == "which?"
        await chat.send_group(chat.picture(PHOTO))
        assert (await chat.next_sent()).pictures == [PHOTO]


async def test_what_was_seen_of_two_bots(qqimage: Kit) -> None:
    async with qqimage.bot("napcat") as chat, qqimage.bot("lagrange", self_id=10002) as other:
        await other.send_group(other.picture(ANIMATION))
        await chat.send_group(chat.picture(PHOTO))
        await chat.send_group("/last")
        assert (await chat.next_sent()).text == hashlib.sha256(PHOTO).hexdigest()[:8]
