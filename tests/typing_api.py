"""The types a plugin author sees. Checked by pyright, never run."""

from pathlib import Path
from typing import Annotated, Literal

from nonebot.adapters.onebot.v11 import Bot, MessageEvent, MessageSegment
from nonebot.matcher import Matcher
from nonebot_plugin_alconna import Image as UniImage
from typing_extensions import assert_type

from nonebot_plugin_qqimage import (
    Annotation,
    Attempt,
    Cause,
    Image,
    ImageInfo,
    ImageReference,
    ImageResolver,
    Images,
    ImagesOrAsk,
    ImageUnavailable,
    Resolver,
    Sighting,
    SimilarImage,
    StoredImage,
    get_resolver,
)
from nonebot_plugin_qqimage.testing import Kit, SentMessage, SimulatedImplementation, isolated


async def handler(matcher: Matcher, images: Images, resolver: Resolver) -> None:
    assert_type(images, list[Image])
    assert_type(resolver, ImageResolver)
    for image in images:
        assert_type(await image, StoredImage)
        assert_type(await image.read(), bytes)
        assert_type(await image.path(), Path)
        assert_type(await image.info(), ImageInfo)
        assert_type(await image.data_url(), str)
        small = await image.data_url(
            max_bytes=5_000_000, max_pixels=4_000_000, formats=("png", "jpeg"), animation="sheet"
        )
        assert_type(small, str)
        assert_type(await image.uri(), str)
        assert_type(image.url(), str)
        assert_type(image.url(public=True), str)
        assert_type(await image.segment(), MessageSegment)
        assert_type(image.reference, ImageReference)
        assert_type((await image.info()).uri, str)
        await matcher.send(await image.segment())


async def remember(event: MessageEvent, resolver: Resolver) -> None:
    assert_type(await resolver.latest(event), list[Image])
    last = await resolver.latest(event, 10, own=False, distinct=True, before=True)
    assert_type(last, list[Image])
    assert_type(await resolver.pins("owner"), list[Image])
    for sighting in await resolver.find(chat="group:1", since=0.0):
        assert_type(sighting, Sighting)
        assert_type(resolver.image(sighting), Image)
        await resolver.pin(resolver.image(sighting), "owner")
        await resolver.pin(sighting, "owner")
        await resolver.unpin(f"qqimage:{sighting.sha256}", "owner")
    assert_type(await resolver.forget(user="1"), tuple[int, int])


async def known(image: Image, resolver: Resolver) -> None:
    for found in await resolver.similar(image, chat="all", limit=3):
        assert_type(found, SimilarImage)
        assert_type(found.image, Image)
        assert_type(found.kind, Literal["same", "contains", "alike", "near"])
        assert_type(found.distance, int)
        assert_type(found.difference, float | None)
        assert_type(found.sightings, tuple[Sighting, ...])
    await resolver.annotate("qqimage:0", "owner", "text")
    assert_type(await resolver.annotations(image), list[Annotation])
    for annotation in await resolver.search("text", owner="owner", chat="group:1", limit=5):
        assert_type(annotation.text, str)
        assert_type(resolver.image(annotation.uri), Image)


async def asked(
    images: Annotated[list[Image], ImagesOrAsk("Please send one", timeout=30, cancel=("no",))],
) -> None:
    assert_type(images, list[Image])


def targets(resolver: Resolver, event: MessageEvent, bot: Bot, image: UniImage) -> None:
    assert_type(resolver.image(image), Image)
    assert_type(resolver.image({"type": "image", "data": {}}, event=event), Image)
    assert_type(resolver.image(event.message[0], bot=bot), Image)
    assert_type(resolver.image(resolver.image(image)), Image)


def job(segment: MessageSegment) -> None:
    assert_type(get_resolver().image(segment), Image)
    assert_type(get_resolver().image("qqimage:0"), Image)


def explain(error: ImageUnavailable) -> None:
    assert_type(error.attempts, tuple[Attempt, ...])
    assert_type(error.hint, str)
    assert_type(error.kept_until, float)


async def test(qqimage: Kit, folder: Path) -> None:
    assert_type(qqimage.picture(b""), MessageSegment)
    assert_type(qqimage.failing(Cause.EXPIRED), MessageSegment)
    assert_type(qqimage.event("text", qqimage.picture(), group_id=None), MessageEvent)
    async with qqimage.bot("napcat", inline_base64=True) as chat:
        assert_type(chat, SimulatedImplementation)
        assert_type(await chat.send_group(["text", chat.picture(b"")]), int)
        assert_type(await chat.next_sent(), SentMessage)
    async with isolated(folder, prefetch=True) as kit:
        assert_type(kit, Kit)
