"""Downloads, from a host that may do anything."""

import asyncio
import logging
import sys
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.http.downloader import Downloader
from nonebot_plugin_qqimage.fetch.reservation import memory_for
from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget, Reservation

from ... import samples
from ..http_server import Request, Server, reply, serving

pytestmark = pytest.mark.usefixtures("one_authority")

LOOPBACK = "127.0.0.0/8"
MAX = 100_000
EXPIRED = b'{"retcode":-5503007,"retmsg":"download url has expired","retryflag":0}'
INVALID = b'{"retcode":-5503010,"retmsg":"invalid rkey","retryflag":1}'

Make = Callable[..., Downloader]


@pytest.fixture
async def make() -> AsyncGenerator[Make, None]:
    made: list[Downloader] = []

    def make(**settings: Any) -> Downloader:
        defaults = {
            "timeout": 30.0,
            "max_size": MAX,
            "mirrors": {},
            "proxy": "",
            "trusted_hosts": [LOOPBACK],
        }
        made.append(Downloader(**{**defaults, **settings}))
        return made[-1]

    yield make
    for downloader in made:
        await downloader.close()


class Get:
    """Downloads, with a generous bound on the wait."""

    def __init__(self, make: Make, reservation: Reservation) -> None:
        self._downloader = make()
        self._make = make
        self.reservation = reservation

    def using(self, **settings: Any) -> "Get":
        other = Get(self._make, self.reservation)
        other._downloader = self._make(**settings)
        return other

    async def __call__(self, url: str) -> bytes:
        return await asyncio.wait_for(self._downloader.get(url, self.reservation), 60)

    async def refusal(self, url: str) -> AttemptFailed:
        with pytest.raises(AttemptFailed) as caught:
            await self(url)
        return caught.value


@pytest.fixture
def get(make: Make, reservation: Reservation) -> Get:
    return Get(make, reservation)


def chunked(*chunks: bytes, end: bool = True) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + body + (b"0\r\n\r\n" if end else b"")


async def test_an_image(server: Server, get: Get) -> None:
    server["/x.png"] = reply(samples.png())
    assert await get(server.url("/x.png?rkey=abc&x=%2F")) == samples.png()
    assert server.targets == ["/x.png?rkey=abc&x=%2F"]
    assert server.requests[0].method == "GET"
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(chunked(b"ab", b"c"), b"abc", id="chunked"),
        pytest.param(chunked(), b"", id="chunked and empty"),
        pytest.param(reply(b""), b"", id="empty"),
        pytest.param(reply(b"<html>login</html>", content_type="text/html"), b"<html>login</html>"),
        pytest.param(reply(b'{"retcode":0}'), b'{"retcode":0}', id="JSON"),
        pytest.param(reply(b"x" * MAX), b"x" * MAX, id="as large as allowed"),
        pytest.param(chunked(b"x" * MAX), b"x" * MAX, id="as large as allowed, chunked"),
        pytest.param(reply(b"zip", content_encoding="gzip"), b"zip", id="encoded all the same"),
    ],
)
async def test_what_comes_with_status_200_is_judged_later(
    server: Server, get: Get, answer: bytes, body: bytes
) -> None:
    server["/x"] = answer
    assert await get(server.url("/x")) == body
    assert get.reservation.size == memory_for(len(body))


async def test_a_body_that_ends_with_the_connection(server: Server, get: Get) -> None:
    async def answer(request: Request) -> None:
        request.writer.write(b"HTTP/1.0 200 OK\r\n\r\nabc")
        await request.writer.drain()
        request.writer.write_eof()
        await request.reader.read()

    server["/x"] = answer
    assert await get(server.url("/x")) == b"abc"


@pytest.mark.parametrize(
    ("answer", "cause", "word"),
    [
        pytest.param(reply(EXPIRED, "400 Bad Request"), Cause.EXPIRED, "has expired", id="expired"),
        pytest.param(reply(INVALID, "400 Bad Request"), Cause.EXPIRED, "invalid", id="bad key"),
        pytest.param(reply(EXPIRED), Cause.EXPIRED, "has expired", id="expired, with status 200"),
        pytest.param(reply(b"", "404 Not Found"), Cause.NOT_FOUND, "HTTP 404", id="404"),
        pytest.param(reply(b"gone", "410 Gone"), Cause.NOT_FOUND, "gone", id="410"),
        pytest.param(reply(b"no", "400 Bad Request"), Cause.FAILED, "HTTP 400: no", id="400"),
        pytest.param(reply(b"", "403 Forbidden"), Cause.FAILED, "HTTP 403", id="403"),
        pytest.param(reply(b"oh", "500 Oh"), Cause.FAILED, "HTTP 500: oh", id="500"),
        pytest.param(reply(b"x", "206 Partial Content"), Cause.FAILED, "HTTP 206", id="206"),
        pytest.param(reply(b"", "302 Found"), Cause.FAILED, "HTTP 302", id="redirect to nowhere"),
        pytest.param(reply(b"x" * MAX, "502 Bad"), Cause.FAILED, "HTTP 502", id="a long error"),
    ],
)
async def test_other_statuses(
    server: Server, get: Get, answer: bytes, cause: Cause, word: str
) -> None:
    server["/x"] = answer
    failure = await get.refusal(server.url("/x?rkey=SECRETKEY"))
    assert failure.cause is cause
    assert word in failure.detail
    assert len(failure.detail) < 400


async def test_too_large_by_its_own_account_is_not_read(server: Server, get: Get) -> None:
    async def answer(request: Request) -> None:
        request.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (MAX + 1))
        await asyncio.Event().wait()  # no body comes, and nobody waits for it

    server["/x"] = answer
    failure = await get.refusal(server.url("/x"))
    assert failure.cause is Cause.TOO_LARGE
    assert str(MAX) in failure.detail


async def endless(request: Request) -> None:
    while True:
        request.writer.write(b"%x\r\n%b\r\n" % (10_000, b"x" * 10_000))
        await request.writer.drain()


async def endless_image(request: Request) -> None:
    request.writer.write(chunked(end=False))
    await endless(request)


async def test_a_body_without_end_is_cut_off(server: Server, get: Get) -> None:
    server["/x"] = endless_image
    assert (await get.refusal(server.url("/x"))).cause is Cause.TOO_LARGE
    assert get.reservation.size <= 2 * MAX + (1 << 20)


async def test_an_error_without_end_is_cut_off(server: Server, get: Get) -> None:
    async def answer(request: Request) -> None:
        request.writer.write(b"HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n")
        await endless(request)

    server["/x"] = answer
    assert (await get.refusal(server.url("/x"))).cause is Cause.FAILED


async def test_a_redirect_without_end_is_cut_off(server: Server, get: Get) -> None:
    async def answer(request: Request) -> None:
        head = "HTTP/1.1 302 Found\r\nlocation: /image\r\ntransfer-encoding: chunked\r\n\r\n"
        request.writer.write(head.encode())
        await endless(request)

    server["/x"] = answer
    server["/image"] = reply(b"image")
    assert await get(server.url("/x")) == b"image"


async def short(request: Request) -> None:
    request.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    await request.writer.drain()


async def short_chunked(request: Request) -> None:
    request.writer.write(chunked(b"abc", end=False))
    await request.writer.drain()


async def reset(request: Request) -> None:
    request.writer.transport.abort()


async def nonsense(request: Request) -> None:
    request.writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await request.writer.drain()


async def two_lengths(request: Request) -> None:
    request.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde")
    await request.writer.drain()


@pytest.mark.parametrize("answer", [short, short_chunked, reset, nonsense, two_lengths])
async def test_a_connection_that_breaks(
    server: Server, get: Get, answer: Callable[[Request], Awaitable[None]]
) -> None:
    server["/x"] = answer
    failure = await get.refusal(server.url("/x?rkey=SECRETKEY"))
    assert failure.cause is Cause.UNREACHABLE
    assert failure.detail
    assert "SECRETKEY" not in failure.detail


def in_turn(*answers: bytes | Callable[[Request], Awaitable[None]]) -> Any:
    """One answer after the other; the last one stays."""
    left = list(answers)

    async def answer(request: Request) -> None:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, bytes):
            request.writer.write(now)
            await request.writer.drain()
        else:
            await now(request)

    return answer


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(reply(b"", "503 Busy"), id="503"),
        pytest.param(reply(b"", "500 Oh"), id="500"),
        pytest.param(reply(b"", "429 Too Many"), id="429"),
        pytest.param(reset, id="reset"),
        pytest.param(short, id="cut short"),
        pytest.param(short_chunked, id="cut short, chunked"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
async def test_what_may_pass_is_tried_again(
    server: Server, get: Get, failure: bytes | Callable[[Request], Awaitable[None]], times: int
) -> None:
    server["/x"] = in_turn(*[failure] * times, reply(b"image"))
    assert await get(server.url("/x")) == b"image"
    assert len(server.requests) == times + 1
    assert get.reservation.size == memory_for(len(b"image"))


@pytest.mark.parametrize("failure", [reply(b"", "503 Busy"), reset, short])
async def test_it_is_given_up_after_three(
    server: Server, get: Get, failure: bytes | Callable[[Request], Awaitable[None]]
) -> None:
    server["/x"] = in_turn(failure)
    failed = await get.refusal(server.url("/x"))
    assert failed.cause in (Cause.FAILED, Cause.UNREACHABLE)
    # aiohttp asks once more by itself where a connection breaks before the answer
    assert len(server.requests) == (6 if failure is reset else 3)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(reply(b"", "404 Not Found"), id="404"),
        pytest.param(reply(b"", "410 Gone"), id="410"),
        pytest.param(reply(b"", "403 Forbidden"), id="403"),
        pytest.param(reply(EXPIRED, "400 Bad Request"), id="expired"),
        pytest.param(reply(INVALID, "400 Bad Request"), id="bad key"),
        pytest.param(reply(EXPIRED, "503 Busy"), id="expired, with status 503"),
        pytest.param(reply(EXPIRED), id="expired, with status 200"),
        pytest.param(reply(b"x" * (MAX + 1)), id="too large"),
        pytest.param(reply(b"", "302 Found", location="/x"), id="redirects for ever"),
    ],
)
async def test_what_does_not_pass_is_tried_once(server: Server, get: Get, failure: bytes) -> None:
    server["/x"] = in_turn(failure, failure, failure, failure, failure, failure, reply(b"image"))
    await get.refusal(server.url("/x"))
    assert len(server.requests) == (6 if b"302" in failure else 1)


async def test_the_deadline_holds_for_all_tries_together(server: Server, get: Get) -> None:
    server["/x"] = in_turn(reset, silent)
    failure = await get.using(timeout=0.5).refusal(server.url("/x"))
    assert failure.cause is Cause.TIMEOUT


async def test_tries_of_many_do_not_mix(server: Server, get: Get) -> None:
    for number in range(20):
        server[f"/{number}"] = in_turn(reset, reply(b"", "503 Busy"), reply(b"%d" % number))
    found = await asyncio.gather(*(get(server.url(f"/{number}")) for number in range(20)))
    assert found == [b"%d" % number for number in range(20)]
    assert len(server.requests) == 60


async def test_nobody_listens(get: Get) -> None:
    async with serving() as server:
        url = server.url("/x")
    assert (await get.refusal(url)).cause is Cause.UNREACHABLE


async def silent(request: Request) -> None:
    await asyncio.Event().wait()


async def trickle(request: Request) -> None:
    request.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        request.writer.write(b"x")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [silent, trickle])
async def test_a_host_that_takes_for_ever(
    server: Server, get: Get, answer: Callable[[Request], Awaitable[None]]
) -> None:
    server["/x"] = answer
    failure = await get.using(timeout=0.3).refusal(server.url("/x"))
    assert failure.cause is Cause.TIMEOUT


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
async def test_redirects_are_followed(server: Server, get: Get, status: str) -> None:
    server["/a"] = reply(b"moved", status, location="/b?x=1")
    server["/b"] = reply(b"", status, location=server.url("/c"))
    server["/c"] = reply(b"image")
    assert await get(server.url("/a")) == b"image"
    assert server.targets == ["/a", "/b?x=1", "/c"]
    assert server.connections == 1


async def test_a_redirect_loop_ends(server: Server, get: Get) -> None:
    server["/x"] = reply(b"", "302 Found", location="/x")
    failure = await get.refusal(server.url("/x"))
    assert failure.cause is Cause.FAILED
    assert "redirects" in failure.detail
    assert len(server.requests) < 20


@pytest.mark.parametrize("host", ["127.0.0.2", "169.254.169.254", "[::1]"])
async def test_a_redirect_into_the_private_network_is_refused(
    server: Server, get: Get, host: str
) -> None:
    server["/x"] = reply(b"", "302 Found", location=server.url("/secret", host))
    server["/secret"] = reply(b"secret")
    failure = await get.using(trusted_hosts=["127.0.0.1/32", "::2"]).refusal(server.url("/x"))
    assert failure.cause is Cause.REFUSED
    assert server.targets == ["/x"]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://h/x", "http://", "http://[", ""])
async def test_a_redirect_to_something_odd(server: Server, get: Get, location: str) -> None:
    server["/x"] = reply(b"", "302 Found", location=location)
    assert (await get.refusal(server.url("/x"))).cause in (Cause.UNREACHABLE, Cause.FAILED)


async def test_loopback_is_refused_unless_trusted(server: Server, get: Get) -> None:
    server["/x"] = reply(b"secret")
    untrusting = get.using(trusted_hosts=[])
    for _ in range(70):  # a refusal must not use up the pool's connections
        failure = await untrusting.refusal(server.url("/x"))
        assert failure.cause is Cause.REFUSED
        assert "127.0.0.1" in failure.detail
    assert server.connections == 0


async def test_a_mirror_gets_path_and_query(server: Server, get: Get) -> None:
    server["/qq/a/download"] = reply(b"image")
    mirrored = get.using(
        mirrors={"Multimedia.nt.qq.com.cn": server.url("/qq/a/")}, trusted_hosts=[]
    )
    url = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=a%2Fb&rkey=k-_"
    assert await mirrored(url) == b"image"
    assert server.targets == ["/qq/a/download?appid=1407&fileid=a%2Fb&rkey=k-_"]
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


async def test_a_mirror_at_the_root(server: Server, get: Get) -> None:
    server["/download"] = reply(b"image")
    mirrored = get.using(mirrors={"gchat.qpic.cn": server.url("")})
    assert await mirrored("http://GCHAT.qpic.cn:80/download?x=1") == b"image"
    assert server.targets == ["/download?x=1"]


async def test_a_proxy_is_used(server: Server, get: Get) -> None:
    """The proxy gets the whole URL, and the name is not looked up here."""
    server["http://images.example/x"] = reply(b"image")
    proxied = get.using(proxy=f"http://user:secret@127.0.0.1:{server.port}", trusted_hosts=[])
    assert await proxied("http://images.example/x?a=1") == b"image"
    assert server.targets == ["http://images.example/x?a=1"]
    assert server.requests[0].headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_down(get: Get, scheme: str) -> None:
    async with serving() as server:
        proxy = f"{scheme}://user:secret@127.0.0.1:{server.port}"
    failure = await get.using(proxy=proxy).refusal("http://images.example/x")
    assert failure.cause is Cause.UNREACHABLE
    assert "secret" not in str(failure)


async def test_the_environment_names_no_proxy(
    server: Server, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server["/x"] = reply(b"image")
    assert await get.using()(server.url("/x")) == b"image"


async def test_a_connection_is_used_again(server: Server, get: Get) -> None:
    server["/x"] = reply(b"image")
    server["/gone"] = reply(b"gone", "404 Not Found")
    for _ in range(3):
        assert await get(server.url("/x")) == b"image"
        await get.refusal(server.url("/gone"))
    assert server.connections == 1


async def test_many_at_once(server: Server, get: Get) -> None:
    server["/x"] = reply(b"image")
    results = await asyncio.gather(*(get(server.url("/x")) for _ in range(200)))
    assert results == [b"image"] * 200


async def test_the_log_shows_no_key(
    server: Server, get: Get, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server["/x"] = reply(b"image")
    server["/y"] = reply(b"", "302 Found", location="/x?rkey=SECRETKEY2&token=SECRETKEY3")
    await get(server.url("/x?rkey=SECRETKEY&spec=0"))
    await get(server.url("/y?rkey=SECRETKEY&spec=0", "user:SECRETKEY4@127.0.0.1"))
    assert "SECRETKEY" not in caplog.text
    assert "spec=0" in caplog.text  # httpx does log its requests


async def test_what_others_log_by_httpx_stays_as_it_is(
    server: Server, get: Get, caplog: pytest.LogCaptureFixture
) -> None:
    server["/x"] = reply(b"image")
    await get(server.url("/x"))
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    log = logging.getLogger("httpx")
    log.info("%s of\n%s \x1b", "x" * 1000, {"a": 1})
    log.info("rkey=%s", "SECRETKEY")
    log.info("nothing to fill in: 100%")
    assert caplog.messages == ["x" * 1000 + " of\n{'a': 1} \x1b", "rkey=***", caplog.messages[2]]


@pytest.mark.parametrize(
    "target",
    [
        "/x?sign=%2B%2f%7e%3A&b=a+b&rkey=k-_~",
        "/x?a=%zz&b=%E5%9B%BE&c='\"<>[]{}|^`\\",
        "/x?url=http://h/?a=b%26c&&=",
        "/%78/../%2E/x;a=1",
    ],
)
async def test_a_url_arrives_as_it_was_written(server: Server, get: Get, target: str) -> None:
    """Whoever has signed it may compare every letter."""
    server[target.partition("?")[0]] = reply(b"image")
    server["/redirect"] = reply(b"", "302 Found", location=server.url(target))
    assert await get(server.url(target)) == b"image"
    assert await get(server.url("/redirect")) == b"image"
    assert server.targets == [target, "/redirect", target]


async def test_what_cannot_be_sent_is_escaped(server: Server, get: Get) -> None:
    server["/%E5%9B%BE"] = reply(b"image")
    assert await get(server.url("/图?a=b c")) == b"image"
    assert server.targets in (["/%E5%9B%BE?a=b+c"], ["/%E5%9B%BE?a=b%20c"])


async def test_a_user_in_the_url_is_sent_as_such(server: Server, get: Get) -> None:
    server["/x"] = reply(b"image")
    assert await get(server.url("/x?a=%2F", "me:secret@127.0.0.1")) == b"image"
    assert server.targets == ["/x?a=%2F"]
    assert server.requests[0].headers["authorization"] == "Basic bWU6c2VjcmV0"
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


async def test_cookies_are_not_kept(server: Server, get: Get) -> None:
    server["/a"] = reply(b"", "302 Found", location="/x", set_cookie="a=1; Path=/")
    server["/x"] = reply(b"image", set_cookie="b=1; Path=/")
    for _ in range(2):
        assert await get(server.url("/a")) == b"image"
    assert not any("cookie" in request.headers for request in server.requests)
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_client_can_be_made_ready_beforehand(server: Server, make: Make) -> None:
    downloader = make()
    await asyncio.gather(*(downloader.warm_up() for _ in range(3)))
    assert server.connections == 0
    server["/x"] = reply(b"image")
    async with ByteBudget(1).reserve(1) as reservation:
        assert await downloader.get(server.url("/x"), reservation) == b"image"


async def test_the_reservation_follows_what_is_held(server: Server, make: Make) -> None:
    """A declared size may be a lie; the memory is real."""
    sizes: list[int] = []
    more = asyncio.Event()

    async def answer(request: Request) -> None:
        request.writer.write(chunked(b"x" * 5000, end=False))
        await more.wait()
        request.writer.write(b"0\r\n\r\n")
        await request.writer.drain()

    server["/x"] = answer
    async with ByteBudget(1 << 20).reserve(10) as reservation:
        task = asyncio.create_task(make().get(server.url("/x"), reservation))
        for _ in range(1000):
            sizes.append(reservation.size)
            if sizes[-1] >= memory_for(5000):
                break
            await asyncio.sleep(0.01)
        more.set()
        assert len(await asyncio.wait_for(task, 60)) == 5000
        assert sizes[-1] == memory_for(5000)
        assert reservation.size == memory_for(5000)


async def test_cancelling_a_download_frees_its_connection(server: Server, get: Get) -> None:
    server["/hang"] = silent
    server["/x"] = reply(b"image")
    for _ in range(70):
        task = asyncio.create_task(get(server.url("/hang")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=30)
    assert await get(server.url("/x")) == b"image"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"proxy": "127.0.0.1:7890"}, "QQIMAGE__PROXY"),
        ({"proxy": "ftp://127.0.0.1:7890"}, "QQIMAGE__PROXY"),
        ({"proxy": "http://"}, "QQIMAGE__PROXY"),
        ({"proxy": "http://user:secret@h:port"}, "QQIMAGE__PROXY"),
        ({"proxy": "nonsense"}, "QQIMAGE__PROXY"),
        ({"mirrors": {"gchat.qpic.cn": "mirror.example"}}, "QQIMAGE__MIRRORS"),
        ({"mirrors": {"gchat.qpic.cn": ""}}, "QQIMAGE__MIRRORS"),
        ({"mirrors": {"gchat.qpic.cn": "ftp://mirror.example"}}, "QQIMAGE__MIRRORS"),
        ({"mirrors": {"gchat.qpic.cn": "http://[::1"}}, "QQIMAGE__MIRRORS"),
        ({"mirrors": {"gchat.qpic.cn": "http://user:secret@h:99999/"}}, "QQIMAGE__MIRRORS"),
        ({"mirrors": {"gchat.qpic.cn": "https:///x"}}, "QQIMAGE__MIRRORS"),
    ],
)
def test_a_wrong_setting_is_named(make: Make, settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        make(**settings)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_is_used(server: Server, get: Get, scheme: str) -> None:
    """It is given the name, which is not looked up here."""
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x02")  # by user name and password
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00")
        assert (await reader.readexactly(4))[3] == 3  # a name
        host = await reader.readexactly((await reader.readexactly(1))[0])
        await reader.readexactly(2)
        asked.extend([user, password, host])
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        await server.serve(reader, writer)

    server["/x"] = reply(b"image")
    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        proxied = get.using(proxy=f"{scheme}://me:secret@127.0.0.1:{port}", trusted_hosts=[])
        assert await proxied("http://images.example/x") == b"image"
    assert asked == [b"me", b"secret", b"images.example"]


async def test_a_socks_proxy_that_refuses(get: Get) -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\xff")
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        proxied = get.using(proxy=f"socks5://127.0.0.1:{port}")
        failure = await proxied.refusal("http://images.example/x")
    assert failure.cause is Cause.UNREACHABLE
    assert failure.detail


def test_a_socks_proxy_that_nothing_here_can_use_is_named(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp_socks", None)
    with pytest.raises(ValueError, match=r"QQIMAGE__PROXY.*SOCKS"):
        make(proxy="socks5://127.0.0.1:1080")


async def test_closing_what_was_never_used(make: Make) -> None:
    await make().close()


ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(rests=st.lists(ODD | st.text("0123456789.:/@[]%?#a"), max_size=20))
@settings(max_examples=25, deadline=None)
def test_no_url_is_too_odd(rests: list[str]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()

        async def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
            return [(2, 1, 6, "", ("10.0.0.1", port))]

        loop.getaddrinfo = getaddrinfo  # pyright: ignore
        downloader = Downloader(timeout=30, max_size=MAX, mirrors={}, proxy="", trusted_hosts=[])
        async with ByteBudget(1).reserve(1) as reservation:
            for rest in rests:
                with pytest.raises(AttemptFailed):
                    await downloader.get(f"http://{rest}", reservation)
        await downloader.close()

    asyncio.run(run())


async def test_nothing_is_allocated_for_a_promise(server: Server, make: Make) -> None:
    """Forty links promise 32 MB each, and drip."""
    promised = 32 << 20

    async def drip(request: Request) -> None:
        request.writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {promised}\r\n\r\n".encode())
        while True:
            request.writer.write(b"x" * 10)
            await request.writer.drain()
            await asyncio.sleep(0.02)

    server["/x"] = drip
    budget = ByteBudget(128 << 20)
    downloader = make(max_size=promised, timeout=1.5)

    async def get() -> None:
        async with budget.reserve(100) as reservation:
            with pytest.raises(AttemptFailed, match="not downloaded within"):
                await downloader.get(server.url("/x"), reservation)

    await downloader.warm_up()
    tracemalloc.start()
    try:
        await asyncio.gather(*(get() for _ in range(40)))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


async def test_more_than_was_declared_waits_for_room_or_fails_in_words(
    server: Server, make: Make
) -> None:
    server["/x"] = chunked(b"x" * 50_000)
    budget, downloader = ByteBudget(memory_for(60_000)), make(timeout=1.0)
    async with budget.reserve(memory_for(40_000)) as other:
        async with budget.reserve(10) as reservation:
            with pytest.raises(AttemptFailed, match="QQIMAGE__MAX_BYTES_IN_FLIGHT") as caught:
                await downloader.get(server.url("/x"), reservation)
            assert caught.value.cause is Cause.BUSY
            assert reservation.size + other.size <= memory_for(60_000)
            task = asyncio.create_task(downloader.get(server.url("/x"), reservation))
            await asyncio.sleep(0.1)
            assert not task.done()
            other.resize(10)
            assert await task == b"x" * 50_000
