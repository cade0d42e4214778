"""Whether QQ's image hosts can be reached from here, by the way that downloads really take."""

import asyncio
import ssl
import time

import anyio.to_thread

from ...config import ScopedConfig
from ...errors import AttemptFailed, Cause
from ...fetch.http.downloader import Downloader
from ...fetch.http.tls import default_context, offers_rsa, qq_context
from ...language import Text
from ...masking import mask_keys
from ...pipeline.fairness.budget import ByteBudget
from ..line import Line

HOST = "multimedia.nt.qq.com.cn"
"""Where QQ keeps pictures."""
_DEADLINE = 8.0
_MAX_ANSWER = 1 << 20
_NO_WAY = (Cause.TIMEOUT, Cause.UNREACHABLE, Cause.REFUSED)


async def speaks_tls() -> Line:
    """Whether this Python can open TLS connections as QQ's image hosts want them."""
    return await anyio.to_thread.run_sync(_tls)


def _tls() -> Line:
    about = Text("TLS")
    try:
        ours = offers_rsa(qq_context())
    except ssl.SSLError as error:
        text = Text("no context can be made: {error}", error=str(error))
        return Line("failed", about, text, _OTHER_PYTHON)
    if not ours:
        text = Text(
            "{openssl} offers no RSA key exchange, which some of QQ's hosts want",
            openssl=ssl.OPENSSL_VERSION,
        )
        return Line("failed", about, text, _OTHER_PYTHON)
    if offers_rsa(default_context()):
        return Line("ok", about, Text("RSA key exchange is offered, as QQ's hosts want it"))
    text = Text(
        "RSA key exchange is offered to QQ's hosts; this Python does not offer it by itself, so "
        "other plugins may fail with SSLV3_ALERT_HANDSHAKE_FAILURE where this one does not"
    )
    return Line("ok", about, text)


async def reaches_hosts(config: ScopedConfig) -> list[Line]:
    """Whether the image host answers, directly, by the proxy or by its mirror.

    Args:
        config: the settings.
    """
    downloader = Downloader(
        timeout=_DEADLINE,
        max_size=_MAX_ANSWER,
        mirrors=config.mirrors,
        proxy=config.proxy,
        trusted_hosts=config.trusted_hosts,
    )
    try:
        hosts = dict.fromkeys((HOST, *config.mirrors))
        return await asyncio.gather(*(_reaches(downloader, config, host) for host in hosts))
    finally:
        await downloader.close()


async def _reaches(downloader: Downloader, config: ScopedConfig, host: str) -> Line:
    about, started = Text("image host {host}", host=host), time.perf_counter()
    answer, failure = b"", None
    try:
        async with ByteBudget(_MAX_ANSWER).reserve(0) as reservation:
            answer = await downloader.get(f"https://{host}/download", reservation)
    except AttemptFailed as error:
        failure = error
    way, seconds = _way(config, host), time.perf_counter() - started
    if failure is not None and failure.cause in _NO_WAY:
        text = Text(
            "no answer {way} within {seconds:.2f} s: {detail}",
            way=way,
            seconds=seconds,
            detail=failure.detail,
        )
        return Line("failed", about, text, _cure(config, host))
    said = "" if failure is None else failure.detail
    if said.startswith("HTTP 5") or answer.lstrip()[:1] == b"<":
        what = said or Text("a web page")
        text = Text("{way} something else answers in its place: {what}", way=way, what=what)
        return Line("warning", about, text, _cure(config, host))
    return Line("ok", about, Text("answers {way} in {seconds:.2f} s", way=way, seconds=seconds))


def _way(config: ScopedConfig, host: str) -> Text:
    mirror, proxy = mask_keys(config.mirrors.get(host, "")), mask_keys(config.proxy)
    if mirror and proxy:
        return Text("by its mirror {mirror} and by the proxy {proxy}", mirror=mirror, proxy=proxy)
    if mirror:
        return Text("by its mirror {mirror}", mirror=mirror)
    return Text("by the proxy {proxy}", proxy=proxy) if proxy else Text("directly")


def _cure(config: ScopedConfig, host: str) -> Text:
    if host in config.mirrors:
        return Text(
            "look whether the reverse proxy in QQIMAGE__MIRRORS runs, and is reachable from here"
        )
    if config.proxy:
        return Text("look whether QQIMAGE__PROXY runs, and lets this host through")
    return Text("check the network, or set QQIMAGE__PROXY or QQIMAGE__MIRRORS")


_OTHER_PYTHON = Text("use a Python with another OpenSSL, or a mirror: QQIMAGE__MIRRORS")
