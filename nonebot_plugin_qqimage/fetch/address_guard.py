"""Keeps downloads away from the operator's private network.

URLs come from strangers. What counts is the address that is really connected to, so the name is
resolved here, once, and a checked address of it is dialled: a second look-up with another answer
(DNS rebinding) cannot happen, and each hop of a redirect passes here too.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

from aiohttp.abc import AbstractResolver, ResolveResult

from ..errors import AttemptFailed, Cause

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""For protocols (and one cloud's metadata); older Pythons call most of it global."""


class AddressGuard(AbstractResolver):
    """Resolves names to public addresses, and to those the operator trusts.

    Args:
        trusted: host names, addresses or networks (``10.1.0.0/16``) that may be private.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in trusted:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(entry.lower())

    def check(self, host: str) -> None:
        """Let a host pass that is a name, or an address that may be reached.

        To be called before each request, for aiohttp resolves names only, and dials an address
        that stands in the URL as it is.

        Raises:
            AttemptFailed: it is a private address that is not trusted, or no proper one.
        """
        if ":" not in host and not host.replace(".", "").isdigit():  # which aiohttp asks, too
            return
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # such as 127.1, which systems understand all the same
            raise AttemptFailed(Cause.REFUSED, f"{host} is no address") from None
        if not self._allows(address):
            raise AttemptFailed(Cause.REFUSED, f"{host} is a private address")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The acceptable addresses of a host.

        Raises:
            AttemptFailed: every address of the host is private and not trusted.
            OSError: it has none.
        """
        addresses = await self._look_up(host, port)
        allowed = addresses
        if host.lower() not in self._names:
            allowed = [address for address in addresses if self._allows(address)]
        if addresses and not allowed:
            raise AttemptFailed(Cause.REFUSED, f"{host} is the private address {addresses[0]}")
        if not allowed:
            raise OSError(f"{host} has no address")
        return [
            {
                "hostname": host,
                "host": str(address),
                "port": port,
                "family": socket.AF_INET if address.version == 4 else socket.AF_INET6,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in allowed
        ]

    async def close(self) -> None:
        """Nothing is held."""

    async def _look_up(self, host: str, port: int) -> list[Address]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OSError(f"{host} cannot be resolved: {error}") from None
        return [ipaddress.ip_address(entry[4][0]) for entry in found]

    def _allows(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, whatever it is wrapped in.

    IPv4 inside IPv6 (mapped, 6to4, Teredo, NAT64) is judged by the IPv4 address.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or int(address) >> 32 == 0:  # ::a.b.c.d, long deprecated
            return False
    if address in _PROTOCOLS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
