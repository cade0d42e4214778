"""Who gets in, and who does not."""

import os
import secrets
import time

import pytest

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.gallery.entry.addresses import Addresses
from nonebot_plugin_qqimage.gallery.gallery import Gallery
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .asking import HOST, Browser, text
from .conftest import make_gallery

TRIES = int(os.environ.get("QQIMAGE_TEST_TOKENS", "500"))
VIEWS = ["", "view=login", "view=newest", "view=picture&sha=0", "asset=page.css", "view=doctor"]


@pytest.mark.parametrize("query", VIEWS)
async def test_nothing_is_open_before_somebody_asks(gallery: Gallery, query: str) -> None:
    stranger = Browser(gallery)
    assert (await stranger.get(query)).status_code == 404
    assert (await stranger.post(action="login", token="x")).status_code == 404


async def test_a_store_that_cannot_be_used_opens_nothing(
    browser: Browser, store: ImageStore
) -> None:
    await store.close()
    answer = await browser.get()
    assert (answer.status_code, text(answer)) == (404, "not found\n")


async def test_a_link_lets_in_once(gallery: Gallery, store: ImageStore) -> None:
    link = await store.browsing.admit("link", 600, who="80001")
    browser, late = Browser(gallery), Browser(gallery)
    answer = await browser.post(action="login", token=link)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/qqimage", "Max-Age=43200"):
        assert attribute in cookie
    assert "Secure" not in cookie
    shown = await browser.get("view=newest")
    assert shown.status_code == 200
    assert "80001" in text(shown)
    again = await late.post(action="login", token=link)
    assert again.status_code == 403
    assert "Set-Cookie" not in again.headers
    assert (await late.get("view=newest")).status_code == 401


async def test_a_link_that_is_too_old_lets_nobody_in(
    gallery: Gallery, store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await store.browsing.admit("link", 600, who="80001")
    session = Browser(gallery)
    await session.log_in()
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await Browser(gallery).post(action="login", token=link)).status_code == 403
    assert (await session.get()).status_code == 200
    later += 12 * 3600
    assert (await session.get()).status_code == 404  # nobody has a session or a link any more


async def test_getting_a_page_spends_no_link(gallery: Gallery, store: ImageStore) -> None:
    """Chat clients fetch links before people do."""
    link = await store.browsing.admit("link", 600, who="80001")
    scanner = Browser(gallery)
    for query in ("view=login", f"view=login&token={link}", f"action=login&token={link}"):
        assert (await scanner.get(query)).status_code in (200, 401)
        assert not scanner.cookie
    assert (await Browser(gallery).post(action="login", token=link)).status_code == 303


async def test_logging_out_ends_the_session(browser: Browser) -> None:
    cookie = browser.cookie
    other = Browser(browser.gallery)
    await other.log_in()
    assert (await browser.post(action="logout")).status_code == 200
    browser.cookie = cookie
    assert (await browser.get()).status_code == 401
    assert (await other.get()).status_code == 200


async def test_a_command_ends_every_session(browser: Browser, store: ImageStore) -> None:
    await store.browsing.admit("link", 600, who="80001")
    assert await store.browsing.end_all() == 2
    assert (await browser.get()).status_code == 404


async def test_all_processes_of_a_folder_share_sessions(
    browser: Browser, store: ImageStore
) -> None:
    beside = ImageStore(store.folder, max_size=1 << 40, max_age=1e9)
    gallery = make_gallery(beside)
    try:
        other = Browser(gallery)
        other.cookie = browser.cookie
        assert (await other.get()).status_code == 200
    finally:
        await gallery.close()
        await beside.close()


async def test_another_bot_on_this_host_opens_nothing(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cookies know no ports, so its page gets ours."""
    store = ImageStore(tmp_path_factory.mktemp("other"), max_size=1 << 40, max_age=1e9)
    gallery = make_gallery(store)
    try:
        theirs = Browser(gallery)
        await theirs.log_in()
        assert theirs.cookie.partition("=")[0] != browser.cookie.partition("=")[0]
        stranger = Browser(gallery)
        stranger.cookie = browser.cookie
        assert (await stranger.get()).status_code == 401
        name, secret = theirs.cookie.partition("=")[0], browser.cookie.partition("=")[2]
        stranger.cookie = f"{name}={secret}"
        assert (await stranger.get()).status_code == 401
    finally:
        await gallery.close()
        await store.close()


async def test_a_cookie_from_before_is_no_session(gallery: Gallery) -> None:
    """Somebody may have put a cookie of theirs into the browser (session fixation)."""
    victim = Browser(gallery)
    name = await gallery.cookie_name()
    victim.cookie = f"{name}=chosen-by-somebody-else"
    await victim.log_in()
    assert "chosen" not in victim.cookie
    thief = Browser(gallery)
    thief.cookie = f"{name}=chosen-by-somebody-else"
    assert (await thief.get()).status_code == 401
    # before ours, as one of a longer path would be
    victim.cookie = f"{name}=chosen-by-somebody-else; {victim.cookie}"
    assert (await victim.get()).status_code == 200


@pytest.mark.timeout(600)
async def test_no_token_is_found_by_trying(gallery: Gallery, store: ImageStore) -> None:
    link = await store.browsing.admit("link", 600, who="80001")
    stranger = Browser(gallery)
    tries = [secrets.token_urlsafe(32) for _ in range(TRIES)]
    tries += [link[:-1], link + "A", link.lower(), link.swapcase(), "", "%00", "*", "' OR ''='"]
    for token in tries:
        answer = await stranger.post(action="login", token=token)
        assert answer.status_code == 403
    name = await gallery.cookie_name()
    for token in tries:
        stranger.cookie = f"{name}={token}"
        assert (await stranger.get()).status_code == 401
    assert (await Browser(gallery).post(action="login", token=link)).status_code == 303


async def test_neither_links_nor_sessions_are_in_the_store(
    browser: Browser, store: ImageStore
) -> None:
    link = await store.browsing.admit("link", 600, who="80001")
    await store.close()
    everything = b"".join(path.read_bytes() for path in store.folder.glob("index*"))
    assert link.encode() not in everything
    assert browser.cookie.partition("=")[2].encode() not in everything


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": None},
        {"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": None},
        {"Origin": "null", "Sec-Fetch-Site": None},
        {"Origin": None, "Sec-Fetch-Site": None},
        {"Origin": "http://127.0.0.1:8080.evil.example", "Sec-Fetch-Site": None},
        {"Origin": "http://127.0.0.1:8080@evil.example", "Sec-Fetch-Site": None},
        {"Origin": f"file://{HOST}", "Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_forms_of_other_sites_do_nothing(
    browser: Browser, store: ImageStore, infos: list[ImageInfo], headers: dict[str, str | None]
) -> None:
    sha256 = infos[-1].sha256
    for action in ("forget", "pin", "export", "logout"):
        answer = await browser.post(headers, action=action, sha=sha256, sure="yes")
        assert answer.status_code == 403
    assert await store.browsing.info(sha256) is not None
    assert await store.pins.of("qqimage page") == []
    link = await store.browsing.admit("link", 600, who="80001")
    assert (await browser.post(headers, action="login", token=link)).status_code == 403
    assert (await browser.get()).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.1.2.3"])
async def test_names_of_this_machine(browser: Browser, host: str) -> None:
    browser.host = host
    assert (await browser.get()).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("", "a b", "127.0.0.1:8080@evil.example", "192.168.1.5:8080", "[::1].evil", "８.8.8.8"),
    ],
)
async def test_other_names_get_nothing(browser: Browser, host: str) -> None:
    """A name of strangers may be made to lead here (DNS rebinding)."""
    browser.host = host
    for answer in (await browser.get(), await browser.get("asset=page.css")):
        assert answer.status_code == 421
    assert (await browser.post(action="logout")).status_code == 421


def test_a_server_that_listens_everywhere_has_every_address() -> None:
    """An address as such cannot be made to lead here; a name can."""
    everywhere = Addresses("", ["http://0.0.0.0:8090"])
    assert everywhere.know("192.168.1.5:8090")
    assert not everywhere.know("evil.example:8090")
    one = Addresses("", ["http://192.168.1.5:8090"])
    assert one.know("192.168.1.5:8090")
    assert not one.know("192.168.1.6:8090")


async def test_behind_a_reverse_proxy(store: ImageStore) -> None:
    gallery = make_gallery(store, "https://bot.example.com")
    browser = Browser(gallery)
    try:
        for host in ("bot.example.com", HOST):  # as it came, or as the proxy changes it
            browser.host = host
            link = await store.browsing.admit("link", 600, who="80001")
            origin = {"Origin": "https://bot.example.com"}
            answer = await browser.post(origin, action="login", token=link)
            assert answer.status_code == 303
            assert "Secure" in answer.headers["Set-Cookie"]
            assert (await browser.get()).status_code == 200
        browser.host = "evil.example"
        assert (await browser.get()).status_code == 421
    finally:
        await gallery.close()


async def test_every_answer_says_what_browsers_may_do(browser: Browser) -> None:
    for query in (*VIEWS, "view=nonsense", f"thumb={'0' * 64}", "view=figures"):
        headers = (await browser.get(query)).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "public" not in headers["Cache-Control"]
