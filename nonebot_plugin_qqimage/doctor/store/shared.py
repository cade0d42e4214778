"""What the doctor says of the shared store, as this machine sees it."""

from collections.abc import Iterator

from ...config import ScopedConfig
from ...errors import StoreError
from ...language import Text, with_semicolons
from ...masking import mask_password
from ...store.image_store import ImageStore
from ...store.shared.breaker import Refused
from ...store.shared.opening import opened
from ...store.shared.shared import Pulse, Status
from ..figures import duration_of, images_of, size_of
from ..line import Line

_ABOUT = Text("shared store")
_SLOW = 0.1
"""Seconds for one answer from which on it is worth a word: each new image costs some."""
_MANY = 10_000
"""Entries of the outbox from which on it is worth a word."""
_CLOCKS = 5.0
"""Seconds by which clocks may differ; nothing of ours depends on it, but logs are hard to read."""


async def about_shared(config: ScopedConfig, store: ImageStore | None) -> list[Line]:
    """How the shared store is; nothing where none is set.

    Args:
        config: the settings.
        store: the local store; None where there is none yet.
    """
    shared = opened(config.shared_store)
    if shared is None:
        return []
    lines = await _about_outbox(store) if store is not None else []
    try:
        pulse = await shared.pulse(0, None, [])
        status = await shared.status()
    except StoreError as error:
        text = Text("{url}: {error}", url=mask_password(config.shared_store), error=error.text)
        cure = Text(
            "start the database, and let this machine reach it; until then the bot goes on with "
            "its local store alone, and sends later what comes meanwhile"
        )
        if isinstance(error, Refused):  # which says itself what is to be done
            cure = Text(
                "until then the bot goes on with its local store alone, and sends later what comes "
                "meanwhile"
            )
        return [Line("failed", _ABOUT, text, cure), *lines]
    finally:
        await shared.close()
    return [*_about_status(config, status, pulse), *lines]


def _about_status(config: ScopedConfig, status: Status, pulse: Pulse) -> Iterator[Line]:
    bound = max((config.shared_max_size, *(host.max_size for host in status.hosts)))
    text = Text(
        "{url}: {server} answers within {latency:.1f} ms; {images}, {size} of at most {bound}",
        url=mask_password(config.shared_store),
        server=status.server,
        latency=status.latency * 1000,
        images=images_of(status.totals.images),
        size=size_of(status.totals.bytes),
        bound=size_of(bound),
    )
    slow = status.latency > _SLOW
    cure = Text("bring the database nearer, or its load down: each new image asks it twice")
    yield Line("warning" if slow else "ok", _ABOUT, text, cure if slow else "")
    if status.hosts:
        everybody = with_semicolons(
            Text(
                "{name} {version}, heard {age} ago",
                name=host.name,
                version=host.version,
                age=duration_of(host.age),
            )
            for host in status.hosts
        )
        differ = len({host.version for host in status.hosts}) > 1
        cure = Text("several versions run: upgrade the others, too")
        text = Text("used by {hosts}", hosts=everybody)
        yield Line("warning" if differ else "ok", _ABOUT, text, cure if differ else "")
    if abs(pulse.ahead) > _CLOCKS:
        text = Text("its clock is {seconds:+.0f} s from this machine's", seconds=pulse.ahead)
        yield Line("warning", _ABOUT, text, Text("set both clocks by NTP"))


async def _about_outbox(store: ImageStore) -> list[Line]:
    try:
        waiting = sum((await store.catalog.outbox()).values())
        dropped = (await store.catalog.counters("shared")).get("dropped", 0)
    except StoreError:  # which `about_store` will tell
        return []
    text: str = Text("{count} wait in the outbox", count=waiting)
    if dropped:
        text = Text(
            "{text}; {dropped} were never sent, for lack of room", text=text, dropped=dropped
        )
    if waiting > _MANY or dropped:
        return [Line("warning", _ABOUT, text, Text("let this machine reach the database"))]
    return [Line("ok", _ABOUT, text)]
