"""The first read of what another host has fetched: its bytes are there before they are kept."""

import asyncio
from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.image import Image
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import Hosts


@pytest.fixture
def elsewhere(picture: Picture) -> ImageReference:
    """A reference to the picture, as another bot receives it."""
    return replace(picture.reference, self_id="2", message_id="elsewhere", chat="group:1")


@pytest.fixture
async def other(hosts: Hosts, picture: Picture) -> ImageStore:
    """A host that has not read yet what another has put."""
    one = await hosts.start("one")
    await one.put(picture.reference, picture.info, picture.data, "test")
    assert one.tier is not None
    assert await one.tier.sent(5)
    return await hosts.start("other")


def image(store: ImageStore, reference: ImageReference) -> Image:
    """As a plugin gets it."""
    config = ScopedConfig()
    return Services.of(config, store, Fetcher(config), dict).resolver.image(reference)


async def test_its_bytes_are_there_and_then_its_file(
    other: ImageStore, picture: Picture, elsewhere: ImageReference
) -> None:
    wanted = image(other, elsewhere)

    assert await wanted.read() == picture.data
    assert await wanted.info() == picture.info
    assert (await wanted.path()).read_bytes() == picture.data
    assert await other.find(elsewhere, here=True) == picture.info


async def test_many_who_want_it_get_it(
    other: ImageStore, picture: Picture, elsewhere: ImageReference
) -> None:
    config = ScopedConfig()
    resolver = Services.of(config, other, Fetcher(config), dict).resolver
    images = [resolver.image(replace(elsewhere, message_id=f"{n}")) for n in range(20)]

    assert await asyncio.gather(*(each.read() for each in images)) == [picture.data] * 20
    paths = await asyncio.gather(*(each.path() for each in images))
    assert {path.read_bytes() for path in paths} == {picture.data}


async def test_it_is_given_where_it_cannot_be_kept(
    other: ImageStore, picture: Picture, elsewhere: ImageReference
) -> None:
    (other.folder / "images").write_bytes(b"in the way of the folder")
    wanted = image(other, elsewhere)

    assert await wanted.read() == picture.data
    with pytest.raises(StoreError, match="no file"):
        await wanted.path()


async def test_what_is_forgotten_before_it_is_kept_is_not(
    other: ImageStore, picture: Picture, elsewhere: ImageReference
) -> None:
    other.saw(Sighting(elsewhere, "group:1", "u", 1.0))
    assert await other.sightings(limit=1)
    brought = await other.shared_images.bring(elsewhere)
    assert brought is not None

    await other.forgetting.forget(chat="group:1")

    assert await brought.keep() is None
    assert not other.path(picture.info).exists()
    assert await other.find(elsewhere, here=True) is None
