"""URLs of one host open on every other one, and those from before go on opening where they did."""

from pathlib import Path

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.serving.links import Links

from .hosts import Hosts

REFERENCE = ImageReference(self_id="1", message_id="2", file="0" * 32 + ".png")


async def links(folder: Path) -> Links:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  a moment, in a test
    made = Links(ScopedConfig())
    await made.load(folder)
    made.served_at("http://127.0.0.1:1")
    return made


async def test_urls_open_on_every_host(hosts: Hosts, tmp_path: Path) -> None:
    one, other = [(await hosts.start(name)).tier for name in ("one", "other")]
    assert one is not None
    assert other is not None
    here, there = await links(tmp_path / "l1"), await links(tmp_path / "l2")
    before = there.url(REFERENCE)
    assert await here.share(tmp_path / "l1", one.agree)
    assert await there.share(tmp_path / "l2", other.agree)

    assert here.open(there.url(REFERENCE)) is not None
    restarted = await links(tmp_path / "l2")  # while the database is away
    for url in (here.url(REFERENCE), before):
        assert restarted.open(url) is not None
    assert restarted.url(REFERENCE) == here.url(REFERENCE)
    assert (await links(tmp_path / "l3")).open(before) is None
