"""URLs, tokens and segments that an earlier version gave out stand for the same images today.

``fixtures/links.json`` was written by the code of version 0.1.0 with the secret beside it, and
``links-before-sealed-tokens.json`` by the last code whose tokens could be read by everybody. Bots
have such URLs in their histories, and plugins have such segments in their databases, for years.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.messages.names.link_key import without_key
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.segments import from_segment
from nonebot_plugin_qqimage.serving.links import Links

FIXTURES = Path(__file__).parent / "fixtures"
FILES = ("links.json", "links-before-sealed-tokens.json")


@pytest.fixture(params=FILES)
def earlier(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads((FIXTURES / request.param).read_text("utf-8"))


@pytest.fixture
async def links(tmp_path: Path) -> Links:
    """The links of a bot that has the secret of then, and another address now."""
    shutil.copy(FIXTURES / "secret", tmp_path)
    links = Links(ScopedConfig(base_url="http://127.0.0.1:9999"))
    await links.load(tmp_path)
    return links


async def test_urls_and_tokens_are_opened(links: Links, earlier: dict[str, Any]) -> None:
    for made in earlier["urls"]:
        said = ImageReference(**made["reference"])
        assert links.open(made["token"]) == said
        assert links.open(made["url"]) == said
        assert links.opened(ImageReference("2", "3", url=made["url"])) == said


async def test_segments_with_served_urls_stand_for_what_was_received(
    links: Links, earlier: dict[str, Any]
) -> None:
    for number, made in enumerate(earlier["segments"]):
        place = earlier["self_id"], earlier["message_id"], number
        received = from_segment(made["received"], *place)
        assert from_segment(made["rewritten"], *place) == received
        if received is not None:  # who saved only the URL has the image all the same
            opened = links.open(made["rewritten"]["data"]["url"])
            said = replace(received, url=without_key(received.url), named_md5="")
            assert opened == said


async def test_with_another_secret_nothing_is_opened(
    tmp_path: Path, earlier: dict[str, Any]
) -> None:
    links = Links(ScopedConfig())
    await links.load(tmp_path)
    assert all(links.open(made["url"]) is None for made in earlier["urls"])
