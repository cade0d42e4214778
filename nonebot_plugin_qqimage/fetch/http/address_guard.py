"""Keeps downloads away from the operator's private network.

URLs come from strangers. What counts is the address that is really connected to, so it is checked
where a connection is opened: for every name, every address in a URL, and every hop of a redirect.
A name is resolved once, and a checked address of it is dialled, so a second look-up with another
answer (DNS rebinding) cannot happen.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ...errors import Cause
from ...language import Text

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

requested: ContextVar[URL] = ContextVar("qqimage_requested")
"""The URL that is being requested, for those below who are told only a part of it. Where an address
is dialled, for example, the name it belongs to is not known."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""For protocols (and one cloud's metadata); older Pythons call most of it global."""
_LOCAL = (
    *(".localhost", ".localdomain", ".local", ".internal", ".lan", ".home.arpa"),
    *(".home", ".corp", ".private", ".intranet"),
)
"""How names end that mean something in a private network only (RFC 6761, 6762, 8375, ICANN)."""


class BadHost(OSError):
    """A host that must not be connected to, or that has no address.

    It is an `OSError`, because the libraries in between take that for a failed connection, and pass
    it on as the cause of their own errors.

    Args:
        cause: what is wrong.
        detail: what is wrong, in words.
    """

    def __init__(self, cause: Cause, detail: Text) -> None:
        super().__init__(detail)
        self.cause = cause
        """What is wrong."""
        self.detail = detail
        """What is wrong, in words."""


class AddressGuard(AbstractResolver):
    """Lets downloads connect to public addresses, and to those that the operator trusts.

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

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name that may be dialled.

        They are filtered here, so that of public and private ones the public ones are tried.

        Raises:
            BadHost: it has none, or only private ones that are not trusted.
        """
        addresses = await _look_up(host, port)
        if not addresses:
            raise BadHost(Cause.UNREACHABLE, Text("{host} has no address", host=host))
        allowed = addresses
        if host.lower() not in self._names:
            allowed = [address for address in addresses if self._allows(address)]
        if not allowed:
            raise BadHost(
                Cause.REFUSED,
                Text("{host} is the private address {address}", host=host, address=addresses[0]),
            )
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

    def open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for one connection to this address; called for every one that is dialled.

        Names were checked by `resolve`. Addresses in URLs are not resolved and come here at once.

        Args:
            address: as `socket.getaddrinfo` gives it: family, type, protocol, name, and where.

        Raises:
            BadHost: it is a private address that is not trusted, or none at all.
        """
        family, kind, protocol, _, where = address
        if (requested.get().raw_host or "").lower() not in self._names:
            self._check(str(where[0]))
        return socket.socket(family, kind, protocol)

    def check(self, host: str, *, proxied: bool) -> None:
        """Check a host before it is requested, for what cannot be seen when it is dialled.

        A proxy resolves the name and connects, maybe from within the private network, so all that
        can be refused then are private addresses and the names of private networks.

        Args:
            host: a name or an address, as it stands in the URL.
            proxied: whether a proxy will be asked for it.

        Raises:
            BadHost: it may not be requested.
        """
        name = host.lower().rstrip(".")
        try:  # systems understand 127.1 and 2130706433, too
            address = socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            address = ""
        if address and address != name:
            raise BadHost(Cause.REFUSED, Text("{host} is no address", host=host))
        if not proxied or name in self._names:
            return
        if address or ":" in name:
            self._check(name)
        elif "." not in name or "%" in name or name.endswith(_LOCAL):
            raise BadHost(Cause.REFUSED, Text("{host} is a name of a private network", host=host))

    def _check(self, written: str) -> None:
        try:
            address = ipaddress.ip_address(written)
        except ValueError:  # such as 127.1
            raise BadHost(Cause.REFUSED, Text("{host} is no address", host=written)) from None
        if not self._allows(address):
            raise BadHost(Cause.REFUSED, Text("{host} is a private address", host=written))

    def _allows(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self._networks)


async def _look_up(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        detail = Text("{host} cannot be resolved: {error}", host=host, error=str(error))
        raise BadHost(Cause.UNREACHABLE, detail) from None
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


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
