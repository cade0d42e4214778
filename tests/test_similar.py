"""Pictures seen before: found by what they look like, and never called the same for being near."""

import io
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from nonebot_plugin_qqimage import SimilarImage
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting

from .looks.changing import HELD, KEPT, SMALL_WORDS, WORDED, encoded, worded
from .looks.making import photo, screenshot, sticker
from .world import World, make, services, world

__all__ = ["make", "services", "world"]  # fixtures

HERE, THERE = "group:1", "group:2"


class Chat:
    """Messages with pictures, in any chat.

    Args:
        services: of the bot that sees them.
        world: where the pictures come from.
    """

    def __init__(self, services: Services, world: World) -> None:
        self.services, self.world = services, world
        self.messages = 0

    async def say(self, data: bytes, chat: str = HERE, *, look: bool = True) -> ImageReference:
        """Have a picture seen, stored and looked at."""
        self.messages += 1
        url = f"picture {self.messages}"
        self.world.data[url] = data
        reference = ImageReference(self_id="1", message_id=str(self.messages), url=url, chat=chat)
        image = self.services.resolver.image(reference)
        info = (await image).info
        store = self.services.store
        store.saw(Sighting(reference, chat, "30001", 1_700_000_000.0, info.sha256))
        if look and await store.looks.of(info.sha256) is None:
            await store.looks.make(info)
        return reference

    async def similar(self, data: bytes, **more: Any) -> list[SimilarImage]:
        """What is like a picture that has just come."""
        return await self.services.resolver.similar(await self.say(data), **more)


@pytest.fixture
def chat(services: Services, world: World) -> Chat:
    return Chat(services, world)


@pytest.mark.parametrize("name", [name for name in KEPT if name != "grey"])
async def test_a_picture_sent_on_is_the_same(chat: Chat, name: str) -> None:
    kinds: list[str] = []
    for make_picture in (photo, sticker, screenshot):
        for number in (1, 4):
            original = make_picture(number)
            before = await chat.say(encoded(original))
            (found,) = await chat.similar(KEPT[name](original))
            kinds.append(found.kind)
            assert found.distance <= 36
            assert [each.reference for each in found.sightings] == [before]
            assert found.difference is not None
            assert (found.difference <= 1) == (found.kind == "same")
    assert kinds.count("same") >= (4 if name == "three times JPEG 60" else 5), kinds


async def test_a_grey_copy_is_alike_for_nobody_knows_what_coloured_words_it_lacks(
    chat: Chat,
) -> None:
    for make_picture in (photo, sticker):
        await chat.say(encoded(make_picture(1)))
        (found,) = await chat.similar(KEPT["grey"](make_picture(1)))
        assert found.kind == "alike"


@pytest.mark.parametrize("name", {**WORDED, **SMALL_WORDS})
async def test_with_other_words_it_never_is(chat: Chat, name: str) -> None:
    for seed in (2, 3):
        for make_picture in (photo, sticker):
            original = make_picture(seed)
            first = worded(original, 1) if name.startswith("other") else original
            await chat.say(encoded(first, "JPEG", quality=90))
            found = await chat.similar({**WORDED, **SMALL_WORDS}[name](original))
            assert "same" not in [each.kind for each in found]


@pytest.mark.parametrize(
    "name", ["cut 4 % all round", "border 5 % black", "phone screenshot of it"]
)
async def test_one_picture_in_another(chat: Chat, name: str) -> None:
    original = photo(5)
    await chat.say(encoded(original))
    (found,) = await chat.similar(HELD[name](original))
    assert found.kind in ("contains", "alike")


async def test_the_picture_itself_was_seen_in_other_messages_only(chat: Chat) -> None:
    data = encoded(photo(6))
    assert await chat.similar(data) == []
    (found,) = await chat.similar(data)
    assert (found.kind, found.distance, found.difference) == ("same", 0, 0.0)
    assert [each.reference.message_id for each in found.sightings] == ["1"]


async def test_what_other_chats_have_seen_is_theirs(chat: Chat) -> None:
    data = encoded(photo(7))
    await chat.say(data, THERE)
    smaller = await chat.say(KEPT["longest side 200"](photo(7)), HERE)
    resolver = chat.services.resolver
    assert await resolver.similar(smaller) == []
    assert [each.kind for each in await resolver.similar(smaller, chat=THERE)] == ["same"]
    assert [each.kind for each in await resolver.similar(smaller, chat="all")] == ["same"]
    with pytest.raises(ValueError, match="which chat"):
        await resolver.similar(f"qqimage:{(await resolver.image(smaller).info()).sha256}")
    with pytest.raises(ValueError, match="no chat"):
        await resolver.similar(smaller, chat="2")


async def test_flat_pictures_are_found_by_their_digest_alone(chat: Chat) -> None:
    for colour in ("white", "#fefefe", "white"):
        found = await chat.similar(encoded(Pillow.new("RGB", (200, 200), colour)))
    assert [each.kind for each in found] == ["same"]
    assert {each.reference.message_id for each in found[0].sightings} == {"1"}


async def test_transparent_and_on_white_are_the_same(chat: Chat) -> None:
    original = sticker(8)
    original.putalpha(original.convert("L").point(lambda value: 255 * (value < 200)))
    await chat.say(encoded(original))
    (found,) = await chat.similar(encoded(original, "JPEG", quality=90))
    assert found.kind == "same"


async def test_a_photo_turned_by_exif_meets_its_own_copy(chat: Chat) -> None:
    original = photo(9)
    exif = Pillow.Exif()
    exif[0x0112] = 6
    made = io.BytesIO()
    original.transpose(Pillow.Transpose.ROTATE_90).save(made, "JPEG", exif=exif, quality=95)
    await chat.say(made.getvalue())
    (found,) = await chat.similar(encoded(original, "JPEG", quality=70))
    assert found.kind == "same"


async def test_animations_that_begin_alike_are_not_the_same(chat: Chat) -> None:
    white, first = Pillow.new("RGB", (300, 200), "white"), photo(10).resize((300, 200))
    frames = [white, first, *(photo(seed).resize((300, 200)) for seed in (11, 12))]

    def animation(*shown: Pillow.Image) -> bytes:
        made = io.BytesIO()
        shown[0].save(made, "GIF", save_all=True, append_images=shown[1:], duration=100)
        return made.getvalue()

    await chat.say(animation(*frames))
    (still,) = await chat.similar(encoded(first))
    assert still.kind != "same"
    others = await chat.similar(animation(*frames[:3]))
    assert "same" not in [each.kind for each in others if each.difference != 0.0]
    smaller = [frame.resize((240, 160)) for frame in frames]
    assert (await chat.similar(animation(*smaller)))[0].kind == "same"


async def test_huge_pictures_and_such_that_cannot_be_decoded_do_no_harm(chat: Chat) -> None:
    huge = Pillow.new("1", (9000, 9000))
    ImageDraw.Draw(huge).line((0, 0, 9000, 4000), 1, 400)
    broken = bytearray(encoded(photo(13)))
    broken[5000:6000] = bytes(1000)
    for data in (encoded(huge), bytes(broken)):
        assert await chat.similar(data) == []
        (found,) = await chat.similar(data)
        assert (found.kind, found.distance) == ("same", 0)
    assert (await chat.services.store.looks.progress()).without == 2


async def test_no_more_than_asked_for_and_the_surest_first(chat: Chat) -> None:
    original = photo(14)
    for name in ("other words on the lower edge", "JPEG 50", "cut 4 % all round", "WebP 75"):
        await chat.say({**KEPT, **HELD, **WORDED}[name](original))
    found = await chat.similar(encoded(original))
    assert [each.kind for each in found][:2] == ["same", "same"]
    assert len(await chat.similar(encoded(original), limit=2)) == 2
    assert await chat.similar(encoded(original), limit=0) == []
    assert await chat.similar(encoded(original), limit=-1) == []


async def test_annotations_by_the_resolver(chat: Chat) -> None:
    resolver = chat.services.resolver
    picture, other = await chat.say(encoded(photo(15))), await chat.say(encoded(photo(16)), THERE)
    await resolver.annotate(picture, "tests", "一只橘猫")
    await resolver.annotate(resolver.image(other), "tests", "两只橘猫")
    (known,) = await resolver.annotations(picture)
    assert (known.owner, known.text) == ("tests", "一只橘猫")
    assert [each.text for each in await resolver.search("猫", chat=HERE)] == ["一只橘猫"]
    assert [each.text for each in await resolver.search("橘 猫", chat="all")] == [
        "两只橘猫",
        "一只橘猫",
    ]
    assert await resolver.search("猫", owner="others", chat="all") == []
    assert await resolver.image(known.uri).info() == await resolver.image(picture).info()
    with pytest.raises(ValueError, match="which chat"):
        await resolver.search("猫")
    with pytest.raises(TypeError):
        await resolver.annotate(picture, "", "text")
    assert await resolver.forget(chat=THERE) == (1, 1)
    assert [each.text for each in await resolver.search("猫", chat="all")] == ["一只橘猫"]
