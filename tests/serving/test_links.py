"""Links: from a picture to its URL and back, also after a restart."""

from pathlib import Path
from typing import cast

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import QQImageError
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.names.link_key import without_key
from nonebot_plugin_qqimage.serving.links import Links
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .conftest import URL, World, picture


def test_authors_get_urls(services: Services) -> None:
    image = services.resolver.image(picture())
    local = image.url()
    assert local.startswith("http://127.0.0.1:8080/qqimage/download?appid=1407&fileid=png&")
    assert image.url(public=True) == local.replace(
        "http://127.0.0.1:8080", "https://bot.example.com"
    )
    assert services.links.open(local) == services.links.open(image.url(public=True)) == picture()


async def test_a_url_outlives_the_bot_and_its_port(tmp_path: Path) -> None:
    urls: list[str] = []
    for port in (8080, 9090):
        links = Links(ScopedConfig())
        await links.load(tmp_path)
        links.served_at(f"http://127.0.0.1:{port}")
        opened = links.open(urls[0]) if urls else None
        urls.append(links.url(picture()))
    assert urls[1] == urls[0].replace("8080", "9090")
    assert opened is not None
    assert opened.url == without_key(URL.format("png"))
    assert (opened.self_id, opened.message_id) == ("1", "")


def test_the_newest_key_is_remembered(services: Services) -> None:
    links, new = services.links, picture("png&rkey=NEW", 2)
    assert links.url(picture()) == links.url(new)
    assert links.open(links.url(new)) == new
    without = picture().__class__(self_id="1", message_id="3", url=without_key(picture().url))
    assert links.url(without) == links.url(new)
    assert links.open(links.url(without)) in (picture(), new)


def test_memory_is_bounded(services: Services) -> None:
    links = services.links
    first = links.url(picture("png0"))
    for number in range(1, 4097):
        links.url(picture(f"png{number}"))
    opened = links.open(first)
    assert opened is not None
    assert "rkey" not in opened.url
    assert links.open(links.url(picture("png4096"))) == picture("png4096")


def test_what_comes_back_is_known_again(services: Services) -> None:
    url = services.resolver.image(picture()).url()
    echoed = picture("x", message=99).__class__(self_id="2", message_id="99", url=url)
    assert services.links.opened(echoed) == picture()
    assert services.links.opened(picture("other")) == picture("other")


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://x", "https://", "http://[", "https://x/?a=b"]
)
@pytest.mark.parametrize("setting", ["base_url", "public_url"])
def test_a_setting_that_is_no_url_is_named(setting: str, url: str) -> None:
    with pytest.raises(ValueError, match=f"QQIMAGE__{setting.upper()}"):
        Links(ScopedConfig(**{setting: url}))


async def test_where_no_urls_can_be_had_errors_say_why(world: World, tmp_path: Path) -> None:
    store = ImageStore(tmp_path, max_size=1 << 30, max_age=1e9)
    services = Services.of(ScopedConfig(), store, cast(Fetcher, world), dict)
    image = services.resolver.image(picture())
    assert not services.links.can_serve
    with pytest.raises(QQImageError, match="DRIVER=~fastapi"):
        image.url()
    await services.links.load(tmp_path)
    assert not services.links.can_serve
    services.links.served_at("http://127.0.0.1:1")
    assert services.links.can_serve
    with pytest.raises(QQImageError, match="QQIMAGE__PUBLIC_URL"):
        image.url(public=True)
    nameless = services.resolver.image(picture().__class__(content="base64://AAAA"))
    with pytest.raises(QQImageError, match="no name"):
        nameless.url()
    await services.pipeline.close()
