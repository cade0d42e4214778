"""Which addresses downloads may reach."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from nonebot_plugin_qqimage.errors import AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.http.address_guard import AddressGuard, BadHost, is_public
from nonebot_plugin_qqimage.fetch.http.downloader import Downloader
from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget

from ..http_server import Server, reply, serving

pytestmark = pytest.mark.usefixtures("one_authority")

Resolve = Callable[..., None]

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "100::1",
    # IPv4 wrapped in IPv6
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::",
    "2001:0:0:0:0:0:80ff:fffe",  # Teredo of 127.0.0.1
    "2001:0:808:808:0:0:f5ff:fffe",  # Teredo of 10.0.0.1
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "11.0.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2400:3200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


async def get(url: str, *trusted: str) -> bytes:
    downloader = Downloader(
        timeout=30, max_size=1000, mirrors={}, proxy="", trusted_hosts=list(trusted)
    )
    try:
        async with ByteBudget(1).reserve(1) as reservation:
            return await asyncio.wait_for(downloader.get(url, reservation), 60)
    finally:
        await downloader.close()


async def refusal(url: str, *trusted: str) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        await get(url, *trusted)
    return caught.value


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_for_a_private_address_is_refused(resolve: Resolve, address: str) -> None:
    resolve({"images.example": address})
    failure = await refusal("http://images.example/")
    assert failure.cause is Cause.REFUSED
    assert "images.example" in failure.detail


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_is_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    failure = await refusal(f"http://{host}/")
    assert failure.cause is Cause.REFUSED
    assert address in failure.detail


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "localhost.", "127.0.0.1.", "127.1", "127.0.1", "2130706433"),
        *("0x7f000001", "0x7f.1", "0177.0.0.1", "0", "0.0", "127.0.0.01", "%31%32%37.0.0.1"),
        *("１２７.0.0.1", "①27.0.0.1"),
        *("[::1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]"),
    ],
)
async def test_spelling_loopback_otherwise_does_not_help(server: Server, host: str) -> None:
    failure = await refusal(server.url("/x", host))
    assert failure.cause in (Cause.REFUSED, Cause.UNREACHABLE)
    assert server.connections == 0


@pytest.mark.parametrize(
    "entry",
    ["127.0.0.1", "127.0.0.0/8", "127.0.0.5/8", "0.0.0.0/0", "Images.Example", "images.example"],
)
async def test_trusted_by_address_network_or_name(
    server: Server, resolve: Resolve, entry: str
) -> None:
    resolve({"images.example": "127.0.0.1"})
    server["/x"] = reply(b"image")
    url = server.url("/x", "images.example")
    assert await get(url, "10.0.0.0/8", "other.example", entry) == b"image"


@pytest.mark.parametrize("entry", ["127.0.0.2", "10.0.0.0/8", "example", "127.0.0.1:80", "", "*"])
async def test_other_trust_does_not_help(server: Server, resolve: Resolve, entry: str) -> None:
    resolve({"images.example": "127.0.0.1"})
    for host in ("images.example", "127.0.0.1"):
        assert (await refusal(server.url("/x", host), entry)).cause is Cause.REFUSED
    assert server.connections == 0


@pytest.mark.parametrize("entry", ["[::1]", "::1", "[::1/128]"])
@pytest.mark.parametrize("host", ["images.example", "[::1]"])
async def test_trust_in_ipv6(resolve: Resolve, entry: str, host: str) -> None:
    resolve({"images.example": "::1"})
    failure = await refusal(f"http://{host}:1/", entry)
    assert failure.cause is Cause.UNREACHABLE  # nobody listens, but it was tried


async def test_private_addresses_among_others_are_left_out(
    server: Server, resolve: Resolve
) -> None:
    resolve({"images.example": ["10.0.0.1", "169.254.169.254", "127.0.0.1"]})
    server["/x"] = reply(b"image")
    assert await get(server.url("/x", "images.example"), "127.0.0.1") == b"image"
    assert server.connections == 1


async def test_the_next_address_is_tried(server: Server, resolve: Resolve) -> None:
    resolve({"images.example": ["127.0.0.2", "127.0.0.1"]})
    server["/x"] = reply(b"image")
    assert await get(server.url("/x", "images.example"), "127.0.0.0/8") == b"image"


async def test_a_name_without_an_address(resolve: Resolve) -> None:
    resolve({})
    failure = await refusal("http://images.example/")
    assert failure.cause is Cause.UNREACHABLE
    assert failure.detail == "images.example has no address"


async def test_the_name_is_looked_up_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up could give another address than the one that was checked."""
    looked_up: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        looked_up.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    server["/x"] = reply(b"image")
    await get(server.url("/x", "images.example"), "127.0.0.1")
    assert looked_up.count("images.example") == 1


class Rebinding:
    """A resolver that gives another address at each look-up."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked = 0

    async def getaddrinfo(self, host: str, port: int, **_: object) -> list[object]:
        name = host.decode() if isinstance(host, bytes) else host
        if name != "images.example":
            return [(2, 1, 6, "", (name, port))]
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(10 if ":" in one else 2, 1, 6, "", (one, port)) for one in found]


async def dialled(guard: AddressGuard) -> list[str]:
    """What may be dialled for a host."""
    with contextlib.suppress(BadHost):
        return [found["host"] for found in await guard.resolve("images.example", 80)]
    return []


@pytest.mark.parametrize(
    "private", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"]
)
async def test_rebinding_does_not_help(monkeypatch: pytest.MonkeyPatch, private: str) -> None:
    """The address that was checked is the one dialled, whatever the name means by then."""
    resolver = Rebinding(["8.8.8.8"], [private])
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver.getaddrinfo)
    guard = AddressGuard([])
    assert await dialled(guard) == ["8.8.8.8"]
    assert resolver.asked == 1
    assert await dialled(guard) == []  # the next connection is checked anew


async def test_of_a_public_and_a_private_address_the_public_one_is_dialled(
    resolve: Resolve,
) -> None:
    for found in (["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["::1", "8.8.8.8", "::"]):
        resolve({"images.example": found})
        assert await dialled(AddressGuard([])) == ["8.8.8.8"]


async def test_a_mapped_address_is_dialled_only_where_it_is_public(resolve: Resolve) -> None:
    resolve({"images.example": ["::ffff:127.0.0.1", "::ffff:8.8.8.8"]})
    (address,) = await dialled(AddressGuard([]))
    # Python 3.13 writes it another way than those before
    assert ipaddress.ip_address(address) == ipaddress.ip_address("::ffff:8.8.8.8")


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://[::ffff:7f00:1]:{port}/secret",
        "http://[64:ff9b::127.0.0.1]/secret",
        "http://[2002:7f00:1::]/secret",
        "http://2130706433:{port}/secret",
        "//127.0.0.2:{port}/secret",
        "http://images.example:{port}/secret",
    ],
)
async def test_a_redirect_leads_nowhere_private(
    server: Server, resolve: Resolve, location: str
) -> None:
    addresses = {"127.0.0.1": "127.0.0.1", "images.example": "127.0.0.3", "2130706433": "127.0.0.1"}
    addresses |= {one: one for one in ("10.0.0.1", "169.254.169.254", "127.0.0.2", "::1")}
    addresses |= {one: one for one in ("::ffff:127.0.0.1", "::ffff:7f00:1", "2002:7f00:1::")}
    addresses |= {"64:ff9b::127.0.0.1": "64:ff9b::7f00:1", "start.example": "127.0.0.1"}
    resolve(addresses)
    server["/x"] = reply(b"", "302 Found", location=location.format(port=server.port))
    server["/secret"] = reply(b"secret")
    with pytest.raises(AttemptFailed) as caught:
        await get(server.url("/x", "start.example"), "start.example")
    assert caught.value.cause is Cause.REFUSED
    assert server.targets == ["/x"]


@pytest.mark.parametrize("number", range(2))
async def test_the_address_of_a_trusted_name_is_not_trusted_itself(
    server: Server, resolve: Resolve, number: int
) -> None:
    resolve({"images.example": "127.0.0.1", "other.example": "127.0.0.1"})
    server["/x"] = reply(b"image")
    other = ("127.0.0.1", "other.example")[number]
    server["/y"] = reply(b"", "302 Found", location=server.url("/secret", other))
    assert await get(server.url("/x", "images.example"), "images.example") == b"image"
    failure = await refusal(server.url("/y", "images.example"), "images.example")
    assert failure.cause is Cause.REFUSED
    assert server.targets == ["/x", "/y"]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.1"),
        *(
            "localhost",
            "LOCALHOST.",
            "redis",
            "router.lan",
            "x.internal",
            "printer.local",
            "a.b.lan",
            "localhost.localdomain",
            "wiki.corp",
        ),
        *("[::ffff:7f00:1]", "[0:0:0:0:0:ffff:10.0.0.1]", "017700000001", "0", "127。0。0。1"),
        *("127.0.0.1.", "%31%32%37.0.0.1", "１２７.0.0.1", "[fe80::1%25eth0]"),
    ],
)
async def test_a_proxy_is_not_asked_for_the_private_network(server: Server, host: str) -> None:
    """It may stand within that network, as it often does."""
    downloader = Downloader(
        timeout=30,
        max_size=1000,
        mirrors={},
        proxy=f"http://127.0.0.1:{server.port}",
        trusted_hosts=["images.example"],
    )
    async with ByteBudget(1).reserve(1) as reservation:
        with pytest.raises(AttemptFailed) as caught:
            await asyncio.wait_for(downloader.get(f"http://{host}/x", reservation), 60)
    await downloader.close()
    assert caught.value.cause is Cause.REFUSED
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.5", "redis", "images.example", "8.8.8.8"])
async def test_a_proxy_is_asked_for_what_is_trusted(server: Server, host: str) -> None:
    server[f"http://{host}/x"] = reply(b"image")
    downloader = Downloader(
        timeout=30,
        max_size=1000,
        mirrors={},
        proxy=f"http://127.0.0.1:{server.port}",
        trusted_hosts=["127.0.0.5", "redis"],
    )
    async with ByteBudget(1).reserve(1) as reservation:
        assert await downloader.get(f"http://{host}/x", reservation) == b"image"
    await downloader.close()


async def test_a_redirect_to_a_name_that_is_rebound(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver.getaddrinfo)
    async with serving() as other:
        server["/x"] = reply(b"", "302 Found", location=other.url("/secret", "images.example"))
        other["/secret"] = reply(b"secret")
        with pytest.raises(AttemptFailed) as caught:
            await get(server.url("/x", "images.example"), "127.0.0.1")
        assert caught.value.cause is Cause.REFUSED
        assert other.connections == 0


@pytest.mark.parametrize("port", [65536, 99999, 10**9])
async def test_ports_that_do_not_exist(port: int) -> None:
    with pytest.raises(AttemptFailed) as caught:
        await get(f"http://127.0.0.1:{port}/", "127.0.0.1")
    assert caught.value.cause is Cause.UNREACHABLE


@pytest.mark.parametrize("proxied", [False, True])
async def test_a_mirror_opens_its_address_for_mirrored_requests_alone(
    server: Server, proxied: bool
) -> None:
    """Neither other ports of that address, nor the mirror's own when it is asked directly."""
    async with serving() as mirror, serving() as inside:
        inside["/x"] = reply(b"secret")
        mirror["/qq/x"], mirror["/x"] = reply(b"image"), reply(b"secret")
        mirror["/qq/out"] = reply(b"", "302 Found", location=inside.url("/x"))
        mirror["/qq/on"] = reply(b"", "302 Found", location="/qq/x")
        for path in ("/qq/x", "/qq/out", "/qq/on"):  # where the proxy has them
            server[mirror.url(path)] = mirror.answers[path]
        downloader = Downloader(
            timeout=30,
            max_size=1000,
            mirrors={"gchat.qpic.cn": mirror.url("/qq/")},
            proxy=server.url("") if proxied else "",
            trusted_hosts=[],
        )
        async with ByteBudget(1 << 20).reserve(1) as reservation:

            async def fetched(url: str) -> bytes:
                return await asyncio.wait_for(downloader.get(url, reservation), 60)

            assert await fetched("http://gchat.qpic.cn/x") == b"image"
            assert await fetched("http://gchat.qpic.cn/on") == b"image"
            for url in (
                inside.url("/x"),
                mirror.url("/x"),  # over the connection that is kept open to it
                mirror.url("/qq/x", "localhost"),
                "http://gchat.qpic.cn/out",
            ):
                with pytest.raises(AttemptFailed) as caught:
                    await fetched(url)
                assert caught.value.cause is Cause.REFUSED, url
        await downloader.close()
        assert inside.connections == 0
        assert "/x" not in mirror.targets
