"""Where the page is, and which requests come from it: its hosts, and the origin of its forms."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from yarl import URL

from ...serving.urls import ANYWHERE

PATH = "/qqimage/page"
"""Where the page is, below the base URL; everything else is in the query."""
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


class Addresses:
    """What the page is called by those who may open it.

    Args:
        public: the setting ``QQIMAGE__PUBLIC_URL``; empty for none.
        bases: other URLs of servers that have the page, each with a host.
    """

    def __init__(self, public: str = "", bases: Iterable[str] = ()) -> None:
        self.public = public.rstrip("/")
        """How everybody reaches it, as the operator says; empty where nobody does."""
        self.bases = [base.rstrip("/") for base in bases]
        """Where it is served."""
        self._hosts = {_host_of(base) for base in (self.public, *self.bases) if base}
        self._anywhere = not self._hosts.isdisjoint(ANYWHERE)

    @property
    def secure(self) -> bool:
        """Whether cookies are for HTTPS alone."""
        return self.public.lower().startswith("https://")

    @property
    def cookie_path(self) -> str:
        """The path of cookies; empty for the folder of the page, whatever a proxy calls it."""
        return "" if self.public and URL(self.public).path not in ("", "/") else "/qqimage"

    def know(self, host: str) -> bool:
        """Whether a ``Host`` is one of ours. A page of strangers has a name of its own, which may
        be made to lead here (DNS rebinding); an address as such cannot.

        Args:
            host: the header, with or without a port.
        """
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip("[]").lower()
        with suppress(ValueError):
            address = ipaddress.ip_address(name)
            return address.is_loopback or self._anywhere or str(address) in self._hosts
        return name == "localhost" or name in self._hosts

    def is_own_form(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from a form of the page itself, and not of another site.

        Args:
            headers: of the request. Every browser says an origin with a form that it posts.
        """
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        scheme, separator, netloc = headers.get("origin", "").lower().partition("://")
        if not separator or scheme not in ("http", "https"):
            return False  # such as "null"
        if self.public and f"{scheme}://{netloc}" == str(URL(self.public).origin()):
            return True  # a proxy may have changed the Host
        return netloc == headers.get("host", "").lower()


def is_loopback(base: str) -> bool:
    """Whether a base URL leads to this machine alone."""
    host = _host_of(base)
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _host_of(base: str) -> str:
    return (URL(base).host or "").lower()
