"""Keeps downloads away from the operator's private network.

URLs come from strangers. What counts is the address that is really connected to, so the name is
resolved here, once, and a checked address of it is dialled: a second look-up with another answer
(DNS rebinding) cannot happen, and each hop of a redirect passes here too.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable

import httpcore
import httpx

from ..errors import AttemptFailed, Cause

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""For protocols (and one cloud's metadata); older Pythons call most of it global."""


class AddressGuard(httpcore.AsyncNetworkBackend):
    """A network backend that connects to public addresses, and to those the operator trusts.

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
        self._dialler: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first acceptable address of a host that answers.

        Raises:
            AttemptFailed: every address of the host is private and not trusted, or there can be
                no such port.
        """
        if port > 65535:
            raise AttemptFailed(Cause.UNREACHABLE, f"{host} has no port {port}")
        error: Exception | None = None
        for address in await self._allowed(host, port):
            try:
                return await self._dialler.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
        raise error or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore calls it between its own retries."""
        await asyncio.sleep(seconds)

    async def _allowed(self, host: str, port: int) -> list[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from None
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        if host.lower() in self._names:
            return addresses
        allowed = [address for address in addresses if is_public(address) or self._trusts(address)]
        if addresses and not allowed:
            raise AttemptFailed(Cause.REFUSED, f"{host} is the private address {addresses[0]}")
        return allowed

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx over an `AddressGuard`.

    Args:
        guard: makes the connections.
        context: the TLS context.
        limits: how many connections there may be.
    """

    def __init__(self, guard: AddressGuard, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=context, trust_env=False, limits=limits)
        # httpx has no parameter for it, but the pool that it uses does
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=guard,
        )


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
