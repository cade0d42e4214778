"""What pydantic cannot tell: whether URLs, hosts, networks and chats are what they should be."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from urllib.parse import urlsplit

from yarl import URL

from ..config import ScopedConfig
from ..language import Text
from ..masking import mask_password
from .forms import UnusableSettings, unusable

_PROXIES = ("http", "https", "socks5", "socks5h")
_DATABASES = ("postgresql://", "postgres://")
_CHAT = re.compile(r"(?:(?:group|private):)?[0-9]+")
_HOST = re.compile(r"(?!-)[^\s/\\:@?#\[\]*,\"']{1,253}")
_LOOPBACK = "127.0.0.1"
"""Where only programs on this machine reach what listens."""
_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+")


def check(config: ScopedConfig) -> None:
    """Check what the settings say beyond their types.

    Raises:
        UnusableSettings: some make no sense.
    """
    troubles = [*_troubles(config)]
    if troubles:
        raise UnusableSettings(troubles)


def proxy_url(proxy: str) -> str:
    """The proxy's URL, or an empty string for none.

    Raises:
        UnusableSettings: it is no usable URL, or nothing here speaks SOCKS.
    """
    if not proxy:
        return ""
    url = _url(proxy)
    if url is None or url.scheme not in _PROXIES:
        raise UnusableSettings([unusable("proxy", proxy)])
    if url.scheme.startswith("socks") and find_spec("aiohttp_socks") is None:
        text = Text("QQIMAGE__PROXY: for SOCKS, install nonebot-plugin-qqimage[socks]")
        raise UnusableSettings([text])
    return proxy


def database_url(url: str) -> str:
    """The URL of a database, or an empty string for none.

    Raises:
        UnusableSettings: it is no such URL, or the client for it is not installed.
    """
    if not url:
        return ""
    if not url.startswith(_DATABASES) or url != url.strip() or not _has_port(url):
        raise UnusableSettings([unusable("shared_store", mask_password(url))])
    if find_spec("asyncpg") is None:
        text = Text("QQIMAGE__SHARED_STORE: install nonebot-plugin-qqimage[cluster] for it")
        raise UnusableSettings([text])
    return url


def mirror_url(host: str, base: str) -> URL:
    """The URL of an image host's mirror.

    Raises:
        UnusableSettings: it is no http(s) URL, or the host is more than a host.
    """
    url = _url(base)
    if url is None or url.scheme not in ("http", "https") or not _is_host(host):
        raise UnusableSettings([unusable("mirrors", {host: base})])
    return url


def base_url(field: str, value: str) -> str:
    """A URL to put paths after, or an empty string for none.

    Args:
        field: the name of the setting, in lower case.
        value: what it says.

    Raises:
        UnusableSettings: it is no such URL.
    """
    url = _url(value)
    if value and (url is None or url.scheme not in ("http", "https") or url.query_string):
        raise UnusableSettings([unusable(field, value)])
    return value


def listen_at(value: str) -> tuple[str, int]:
    """Where the server of our own listens: a host, and a port, 0 for one that is chosen.

    Raises:
        UnusableSettings: it is no host, with or without a port.
    """
    host, colon, port = (value or _LOOPBACK).rpartition(":")
    if not colon or value.endswith("]") or _is_address(value):
        host, colon, port = value or _LOOPBACK, "", ""
    number = int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
    if not _is_host(host) or (colon and not 0 < number < 65536):
        raise UnusableSettings([unusable("listen", value)])
    return host.strip("[]"), number


def _troubles(config: ScopedConfig) -> Iterator[str]:
    checks: list[Callable[[], object]] = [
        partial(proxy_url, config.proxy),
        partial(database_url, config.shared_store),
        *(partial(mirror_url, host, base) for host, base in config.mirrors.items()),
        *(partial(base_url, name, getattr(config, name)) for name in ("base_url", "public_url")),
        partial(listen_at, config.listen),
    ]
    for check_one in checks:
        try:
            check_one()
        except UnusableSettings as error:
            yield from error.troubles
    for host in config.trusted_hosts:
        if not _is_host_or_network(host):
            yield unusable("trusted_hosts", host)
    for theirs, ours in config.path_map.items():
        if not theirs.strip() or not ours.strip() or "://" in theirs or "://" in ours:
            yield unusable("path_map", {theirs: ours})
    chats = config.rewrite_url if isinstance(config.rewrite_url, list) else []
    for chat in chats:
        if not _CHAT.fullmatch(str(chat)):
            yield unusable("rewrite_url", chat)


def _has_port(url: str) -> bool:
    """Whether what stands where the port does can be one; a password with a slash cannot."""
    try:
        parts = urlsplit(url)
        return parts.port != 0 and bool(parts.netloc or parts.path.strip("/"))
    except ValueError:
        return False


def _url(text: str) -> URL | None:
    """The URL that a text is, if it is one with a host and names no port that cannot be."""
    try:
        url = URL(text)
        return url if url.host and url.port != 0 and text == text.strip() else None
    except ValueError:
        return None


def _is_host_or_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return _is_host(text)
    return True


def _is_host(text: str) -> bool:
    """Whether a text can be a host as it stands in a URL: a name or an address, and no more."""
    if _is_address(text.strip("[]")):
        return True
    return bool(_HOST.fullmatch(text)) and not _LIKE_AN_ADDRESS.fullmatch(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
