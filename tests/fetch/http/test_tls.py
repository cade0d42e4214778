"""QQ's image hosts offer only what Python no longer does by itself; verification stays on."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.http.downloader import Downloader
from nonebot_plugin_qqimage.fetch.http.tls import default_context, qq_context
from nonebot_plugin_qqimage.pipeline.fairness.budget import Reservation

from ..http_server import Request, Server, reply, serving

QQ_HOST = "multimedia.nt.qq.com.cn"
OTHER_HOST = "images.example"
NO_QQ_HOST = "qq.com.cn.example"
NAMES = (QQ_HOST, "gchat.qpic.cn", "p.qpic.cn", OTHER_HOST, NO_QQ_HOST)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.RSA)


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our authority takes the place of the system's."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """A server like QQ's: TLS 1.2, and nothing but RSA key exchange."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-GCM-SHA256")
    certificate = authority.issue_cert(*NAMES, key_type=trustme.KeyType.RSA)
    certificate.configure_cert(context)
    return context


@pytest.fixture
async def qq_server(authority: trustme.CA) -> AsyncGenerator[Server, None]:
    async with serving(ssl=server_context(authority)) as server:
        server["/x"] = reply(b"image")
        yield server


async def handshake(server: Server, context: ssl.SSLContext, host: str = QQ_HOST) -> str:
    """The cipher that the two agree on."""
    connecting = asyncio.open_connection(
        "127.0.0.1", server.port, ssl=context, server_hostname=host
    )
    _, writer = await asyncio.wait_for(connecting, 60)
    cipher = writer.get_extra_info("cipher")[0]
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return cipher


async def refused_by_python(server: Server) -> None:
    """Check the premise; some distributions build Python with wider ciphers."""
    with suppress(ssl.SSLError, ConnectionError):
        await handshake(server, default_context())
        pytest.skip("this build of Python offers RSA key exchange by default")


async def test_the_default_context_cannot_reach_qq(qq_server: Server) -> None:
    await refused_by_python(qq_server)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await handshake(qq_server, default_context())


async def test_our_context_reaches_qq(qq_server: Server) -> None:
    assert await handshake(qq_server, qq_context()) == "AES128-GCM-SHA256"


async def test_our_context_refuses_another_host_name(qq_server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname"):
        await handshake(qq_server, qq_context(), "c2cpicdw.qpic.cn")


async def test_our_context_refuses_an_unknown_authority() -> None:
    stranger = trustme.CA(key_type=trustme.KeyType.RSA)
    async with serving(ssl=server_context(stranger)) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(server, qq_context())


@pytest.mark.parametrize("make", [default_context, qq_context])
def test_every_context_verifies(make: Callable[[], ssl.SSLContext]) -> None:
    context = make()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    # Debian's Python lists PSK by default, and never uses it, as nobody gives it such a key
    weak = ("NULL", "RC4", "3DES", "MD5", "EXP", "ADH", *(("PSK",) if make is qq_context else ()))
    for cipher in context.get_ciphers():
        assert not any(word in cipher["name"] for word in weak)


async def test_a_modern_host_is_reached_in_the_modern_way(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES, key_type=trustme.KeyType.RSA).configure_cert(context)
    async with serving(ssl=context) as server:
        assert (await handshake(server, qq_context())).startswith("TLS_")


@pytest.fixture
async def downloader() -> AsyncGenerator[Downloader, None]:
    downloader = Downloader(
        timeout=30, max_size=1000, mirrors={}, proxy="", trusted_hosts=["127.0.0.1"]
    )
    yield downloader
    await downloader.close()


@pytest.mark.parametrize("host", [QQ_HOST, "gchat.qpic.cn", "p.qpic.cn", "GCHAT.QPIC.CN"])
async def test_downloads_reach_qq(
    qq_server: Server,
    downloader: Downloader,
    reservation: Reservation,
    resolve: Callable[..., None],
    host: str,
) -> None:
    resolve({host.lower(): "127.0.0.1"})
    url = f"https://{host}:{qq_server.port}/x"
    assert await asyncio.wait_for(downloader.get(url, reservation), 60) == b"image"


@pytest.mark.parametrize("host", [OTHER_HOST, NO_QQ_HOST])
async def test_other_hosts_get_no_old_ciphers(
    qq_server: Server,
    downloader: Downloader,
    reservation: Reservation,
    resolve: Callable[..., None],
    host: str,
) -> None:
    await refused_by_python(qq_server)
    resolve({host: "127.0.0.1"})
    with pytest.raises(AttemptFailed) as caught:
        await downloader.get(f"https://{host}:{qq_server.port}/x", reservation)
    assert caught.value.cause is Cause.UNREACHABLE
    assert not qq_server.requests


async def test_a_stranger_in_the_place_of_qq_is_refused(
    downloader: Downloader, reservation: Reservation, resolve: Callable[..., None]
) -> None:
    resolve({QQ_HOST: "127.0.0.1"})
    stranger = trustme.CA(key_type=trustme.KeyType.RSA)
    async with serving(ssl=server_context(stranger)) as server:
        with pytest.raises(AttemptFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await downloader.get(f"https://{QQ_HOST}:{server.port}/x", reservation)
    assert caught.value.cause is Cause.UNREACHABLE
    assert not server.requests


async def test_qq_is_reached_through_a_proxy(qq_server: Server, reservation: Reservation) -> None:
    async def tunnel(request: Request) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", qq_server.port)
        request.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(pipe(request.reader, writer), pipe(reader, request.writer))
        finally:
            writer.transport.abort()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async with serving() as proxy:
        proxy[f"{QQ_HOST}:443"] = tunnel
        downloader = Downloader(
            timeout=30,
            max_size=1000,
            mirrors={},
            proxy=f"http://127.0.0.1:{proxy.port}",
            trusted_hosts=[],
        )
        url = f"https://{QQ_HOST}/x"
        assert await asyncio.wait_for(downloader.get(url, reservation), 60) == b"image"
        assert [request.method for request in proxy.requests] == ["CONNECT"]
        await downloader.close()
