"""What the page shows, and what its forms do."""

import io
import re
import time
import zipfile
from dataclasses import replace

import PIL.Image
import pytest

from nonebot_plugin_qqimage.attempts import Attempt, Cause
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.doctor.line import Line
from nonebot_plugin_qqimage.errors import ImageUnavailable
from nonebot_plugin_qqimage.gallery.entry.addresses import Addresses
from nonebot_plugin_qqimage.gallery.gallery import Gallery
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.pipeline.failures import Failures
from nonebot_plugin_qqimage.simulator.pictures import PHOTO
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.facts import Selection

from ..samples import png
from .asking import HOST, Browser, text

SHA = re.compile(r"\?view=picture&amp;sha=([0-9a-f]{64})")
NEXT = re.compile(r'hx-get="\?([^"]+)"')
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def shown(browser: Browser, query: str) -> list[str]:
    """The SHA-256 of all pictures, page by page."""
    found: list[str] = []
    for _ in range(20):
        page = text(await browser.get(query))
        found += SHA.findall(page)
        following = NEXT.search(page)
        if following is None:
            return found
        query = following[1].replace("&amp;", "&")
    raise AssertionError("the pages have no end")


async def test_pages_show_every_picture_once_the_newest_first(
    browser: Browser, infos: list[ImageInfo]
) -> None:
    expected = [info.sha256 for info in reversed(infos)]
    assert await shown(browser, "") == expected


async def test_filters(browser: Browser, store: ImageStore, infos: list[ImageInfo]) -> None:
    seen = await store.sightings(limit=1000)
    by_sha = {info.sha256: info for info in infos}
    sources = {
        each.info.sha256: each.source
        for each in await store.catalog.select(Selection(), limit=1000)
    }
    for query, fits in {
        "chat=group:20001": lambda each: each.chat == "group:20001",
        "user=30005": lambda each: each.user == "30005",
        "user=30005&chat=group:20001": lambda each: (
            each.user == "30005" and each.chat == "group:20001"
        ),
        "type=gif": lambda each: by_sha[each.sha256].mime == "image/gif",
        "from=get_image": lambda each: sources[each.sha256] == "get_image",
        "type=png&from=get_image": lambda each: (
            by_sha[each.sha256].mime == "image/png" and sources[each.sha256] == "get_image"
        ),
        "chat=group:20001&type=png": lambda each: (
            each.chat == "group:20001" and by_sha[each.sha256].mime == "image/png"
        ),
        "chat=group:1": lambda each: False,
    }.items():
        expected = {each.sha256 for each in seen if fits(each)}
        found = await shown(browser, f"view=newest&{query}")
        assert (query, set(found)) == (query, expected)
        assert len(found) == len(expected)


async def test_days(browser: Browser, infos: list[ImageInfo]) -> None:
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 5 * 86400))
    some = await shown(browser, f"since={day}&until={day}")
    assert 0 < len(some) <= 9  # of 150 in 20 days
    since, until = await shown(browser, f"since={day}"), await shown(browser, f"until={day}")
    assert len(since) + len(until) - len(some) == len(infos)
    assert len(await shown(browser, "since=nonsense&until=99999-99-99")) == len(infos)


async def test_what_plugins_have_found(
    browser: Browser, store: ImageStore, infos: list[ImageInfo]
) -> None:
    for number, info in enumerate(infos[:70]):
        await store.annotations.put(info.sha256, "caption", f"a cat, number {number}", number)
    await store.annotations.put(infos[99].sha256, "caption", "一只狗 <script>alert(3)</script>")
    cats = [info.sha256 for info in reversed(infos[:70])]
    assert await shown(browser, "text=cat") == cats
    assert await shown(browser, "text=number+69") == cats[:1]
    assert await shown(browser, "text=%E7%8B%97") == [infos[99].sha256]
    assert await shown(browser, "text=nothing") == []
    seen = {each.sha256 for each in await store.sightings(chat="group:20001", limit=1000)}
    there = [sha256 for sha256 in cats if sha256 in seen]
    assert await shown(browser, "text=cat&chat=group:20001") == there
    gifs = {info.sha256 for info in infos if info.mime == "image/gif"}
    expected = [sha256 for sha256 in cats if sha256 in gifs]
    assert await shown(browser, "text=cat&type=gif") == expected
    page = text(await browser.get(f"view=picture&sha={infos[99].sha256}"))
    assert "一只狗 &lt;script&gt;" in page


async def test_similar_ones_and_duplicates(browser: Browser, store: ImageStore) -> None:
    twins: list[str] = []
    for size in ((400, 250), (320, 200)):
        picture = PIL.Image.open(io.BytesIO(PHOTO)).resize(size)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        info = inspect(buffer.getvalue(), max_size=1 << 30, max_pixels=1 << 30)
        await store.put(
            ImageReference(self_id="1", message_id=str(size)), info, buffer.getvalue(), "x"
        )
        await store.looks.make(info)
        twins.append(info.sha256)
    similar = text(await browser.get(f"view=similar&sha={twins[0]}"))
    assert twins[1] in SHA.findall(similar)
    assert "the same picture" in similar
    duplicates = text(await browser.get("view=duplicates"))
    assert {*twins} <= {*SHA.findall(duplicates)}
    later = text(await browser.get(f"view=duplicates&after={max(twins)}"))
    assert twins[0] not in SHA.findall(later)


async def test_one_picture(browser: Browser, store: ImageStore, infos: list[ImageInfo]) -> None:
    info = infos[-1]
    page = text(await browser.get(f"view=picture&sha={info.sha256}"))
    (sighting,) = await store.sightings(sha256=info.sha256, limit=2)
    for fact in (info.md5, info.uri, sighting.chat, sighting.user, sighting.reference.message_id):
        assert fact in page
    original = await browser.get(f"file={info.sha256}")
    assert original.content == await store.read(info)
    assert original.headers["Content-Type"] == info.mime
    assert "sandbox" in original.headers["Content-Security-Policy"]
    again = {"If-None-Match": original.headers["ETag"]}
    assert (await browser.get(f"file={info.sha256}", again)).status_code == 304


@pytest.mark.parametrize(
    "value",
    [
        *("../../secret", "..%2F..%2Fsecret", "/etc/passwd", "%00", "*", "", "' OR 1=1 --"),
        *("0" * 63, "0" * 65, "A" * 64, "0" * 63 + "/"),
    ],
)
async def test_no_way_out_of_the_store(browser: Browser, value: str) -> None:
    for name in ("file", "thumb", "sha", "asset"):
        answer = await browser.get(f"view=picture&{name}={value}")
        assert answer.status_code in (200, 404)
        assert b"root:" not in (answer.content or b"")
        if answer.status_code == 200:  # not taken for a file's name at all
            assert answer.headers["Content-Type"].startswith("text/html")
    for action in ("pin", "forget", "export"):
        assert (await browser.post(action=action, sha=value, sure="yes")).status_code == 400


async def test_pins(browser: Browser, store: ImageStore, infos: list[ImageInfo]) -> None:
    chosen = [infos[3].sha256, infos[100].sha256]
    for _ in range(2):  # a button may be pressed twice
        assert (await browser.post(action="pin", sha=chosen)).status_code == 303
    assert await shown(browser, "pinned=1") == chosen[::-1]
    await browser.post(action="unpin", sha=chosen[0])
    assert await shown(browser, "pinned=1") == chosen[1:]


async def test_forgetting_asks_first(
    browser: Browser, store: ImageStore, infos: list[ImageInfo]
) -> None:
    info = infos[-1]
    assert (await browser.get(f"thumb={info.sha256}")).headers["Content-Type"] == "image/webp"
    await store.pins.add(info.sha256, "some plugin")
    asked = await browser.post(action="forget", sha=info.sha256)
    assert asked.status_code == 200
    assert await store.browsing.info(info.sha256) is not None
    done = await browser.post(action="forget", sha=info.sha256, sure="yes")
    assert done.status_code == 303
    assert await store.browsing.info(info.sha256) is None
    assert await store.sightings(sha256=info.sha256, limit=1) == []
    assert await store.forgetting.is_forgotten(ImageReference(sha256=info.sha256))
    assert [*store.folder.rglob(f"*{info.sha256}*")] == []  # neither the file nor its thumbnail
    assert (await browser.get(f"file={info.sha256}")).status_code == 404
    assert (await browser.get(f"thumb={info.sha256}")).headers["Content-Type"] == "image/svg+xml"


async def test_forgetting_a_chat(
    browser: Browser, store: ImageStore, infos: list[ImageInfo]
) -> None:
    there = await store.sightings(chat="group:20001", limit=1000)
    asked = text(await browser.post(action="forget", chat="group:20001"))
    assert str(len(there)) in asked
    await browser.post(action="forget", chat="group:20001", sure="yes")
    assert await store.sightings(chat="group:20001", limit=1) == []
    assert len(await shown(browser, "")) == len(infos) - len(there)
    assert (await browser.post(action="forget", chat="20001", sure="yes")).status_code == 400


async def test_export(browser: Browser, store: ImageStore, infos: list[ImageInfo]) -> None:
    chosen = infos[10:20]
    digests = [info.sha256 for info in chosen]
    answer = await browser.post(action="export", sha=[*digests, "0" * 64, "../../secret"])
    assert isinstance(answer.content, bytes)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        found = [file.read(name) for name in file.namelist()]
        assert all(re.fullmatch(r"[0-9a-f]{16}\.[a-z]+", name) for name in file.namelist())
    assert found == [await store.read(info) for info in chosen]
    many = [f"{number:064x}" for number in range(501)]
    assert (await browser.post(action="export", sha=many)).status_code == 413


async def test_what_strangers_wrote_is_text(browser: Browser, store: ImageStore) -> None:
    data = png(shade=77)
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(self_id=HOSTILE, message_id=HOSTILE, file=HOSTILE)
    await store.put(reference, info, data, HOSTILE)
    store.saw(Sighting(reference, HOSTILE, HOSTILE, 1.7e9, info.sha256))
    unresolved = replace(reference, message_id="2", file=HOSTILE + "x")
    store.saw(Sighting(unresolved, HOSTILE, HOSTILE, 1.7e9))
    store.count("failed", HOSTILE)
    await store.pins.add(info.sha256, HOSTILE)
    for query in (
        f"view=picture&sha={info.sha256}",
        "view=newest",
        "view=failures",
        "view=figures",
        "view=doctor",
        "view=newest&chat=%22%3E%3Cscript%3E&user=%3Cscript%3E&from=%3Cscript%3E&type=%3Cscript%3E",
    ):
        page = text(await browser.get(query))
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "<b>full" not in page
    asked = await browser.post(action="forget", user=HOSTILE)
    assert "<script>" not in text(asked)


async def test_figures_and_failures(browser: Browser, store: ImageStore) -> None:
    for _ in range(7):
        store.count("resolved", "store")
    store.count("failed", "expired")
    figures = text(await browser.get("view=figures"))
    assert "<rect" in figures
    assert "group:20001" in figures
    assert "100 %" in figures
    failures = text(await browser.get("view=failures"))
    assert "expired" in failures
    assert "the link is dead" in failures  # the hint
    assert "<rect" in failures


async def test_what_is_missing_has_the_hint_of_its_failure(store: ImageStore) -> None:
    async def examine() -> list[Line]:
        return []

    missing = ImageReference(
        self_id="1", message_id="77", chat="group:1", file=HOSTILE, url="http://a/b"
    )
    for reference in (missing, replace(missing, message_id="78")):
        store.saw(Sighting(reference, "group:1", "7", time.time()))
    failures = Failures()
    attempt = Attempt("url of the segment", Cause.UNREACHABLE, HOSTILE, 1.0)
    failures.add(missing, ImageUnavailable("image", (attempt,)))
    gallery = Gallery(store, ScopedConfig(), examine, failures.hint)
    gallery.addresses = Addresses("", [f"http://{HOST}"])
    browser = Browser(gallery)
    await browser.log_in()
    page = text(await browser.get("view=failures"))
    (known,) = re.findall("<li>.*message 77.*</li>", page)
    (unknown,) = re.findall("<li>.*message 78.*</li>", page)
    assert "cannot be reached from this bot" in known
    assert "<p>" not in unknown
    assert "<script>" not in page.partition("<main")[2]
    await gallery.close()


@pytest.mark.parametrize(
    "query", ["after=x", "after=nan~1", "after=inf~g", "after=1e999~9", "after=" + "9" * 5000]
)
async def test_keys_that_are_none(browser: Browser, query: str) -> None:
    for filtered in ("", "&chat=group:20001"):
        assert (await browser.get(query + filtered)).status_code == 200
    assert (await browser.get("a" * 9000)).status_code == 400


async def test_forms_that_are_too_large(browser: Browser) -> None:
    assert (await browser.post(action="pin", sha="0" * 70_000)).status_code == 400
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await browser.post(form, action="pin")).status_code == 400
