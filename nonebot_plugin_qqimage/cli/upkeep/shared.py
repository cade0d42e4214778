"""``shared``: the store that bots on many hosts share; how it is, and what can be done with it."""

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from ...doctor.figures import duration_of, images_of, sightings_of, size_of
from ...doctor.machine.versions import versions
from ...language import localized, say
from ...masking import mask_password
from ...store.shared.opening import opened
from ...store.shared.shared import Host, Shared
from ...store.shared.verifying import Damaged, verified
from ..session.commands import Commands
from ..session.session import TROUBLE, UNUSABLE, Complaint, Result, Session
from ..terminal.terminal import Terminal

_PAGE = 50
"""Images verified between two lines of progress."""
_STEP = 64
"""Images removed at a time, so that no bot waits long for their rows."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "shared", shared, say("the store that bots on many hosts share"), needs_store=False
    )
    parser.add_argument(
        "action",
        choices=sorted(_ACTIONS),
        help=say(
            "status: how it is; import: send all that the local store holds; verify: read and "
            "verify every image there; gc: remove what exceeds its bounds"
        ),
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help=say("with verify: remove what is damaged, so that it can be sent again"),
    )


async def shared(session: Session, arguments: argparse.Namespace) -> Result:
    """Do what is asked for."""
    store = opened(session.config.shared_store)
    if store is None:
        raise Complaint(say("QQIMAGE__SHARED_STORE is not set"), UNUSABLE)
    try:
        await store.pulse(0, None, [])  # or say why not
        return await _ACTIONS[arguments.action](session, store, arguments)
    finally:
        await store.close()


async def _status(session: Session, store: Shared, _: argparse.Namespace) -> Result:
    status = await store.status()
    pulse = await store.pulse(0, None, [])
    waiting = await session.store.catalog.outbox() if session.there else {}
    document: dict[str, Any] = {
        "url": mask_password(session.config.shared_store),
        **asdict(status),
        "outbox": waiting,
        "clock_ahead": pulse.ahead,
    }

    def show(terminal: Terminal) -> None:
        totals = status.totals
        terminal.facts(
            {
                say("database"): mask_password(session.config.shared_store),
                say("server"): f"{status.server}, {status.latency * 1000:.1f} ms",
                say("images"): f"{totals.images} ({localized(size_of(totals.bytes))})",
                say("sightings"): status.sightings,
                say("pinned"): status.pinned,
                say("clock"): say("{seconds:+.3f} s from this machine's", seconds=pulse.ahead),
                say("outbox"): say("{count} wait to be sent", count=sum(waiting.values())),
            }
        )
        if status.hosts:
            terminal.line()
            names = say("process"), say("version"), say("heard"), say("bound")
            rows = [
                (
                    *(host.name, host.version, duration_of(host.age).local),
                    localized(size_of(host.max_size)),
                )
                for host in status.hosts
            ]
            terminal.table(names, rows)

    return Result(document, show)


async def _import(session: Session, store: Shared, _: argparse.Namespace) -> Result:
    if not session.there:
        raise Complaint(say("there is no local store yet, so there is nothing to send"), UNUSABLE)
    total = (await session.store.totals()).images
    document: dict[str, Any] = {}
    with session.terminal.progress("shared import", total) as advance:
        async for done in session.store.import_into(store):
            advance(done.images)
            document = asdict(done)

    def show(terminal: Terminal) -> None:
        terminal.line(
            say(
                "{images} sent, {there} were there already; {sightings}, "
                "{annotations} annotations, {pins} pins",
                images=images_of(document["sent"]),
                there=document["images"] - document["sent"] - document["damaged"],
                sightings=sightings_of(document["sightings"]),
                annotations=document["annotations"],
                pins=document["pins"],
            )
        )
        if document["damaged"]:
            count = images_of(document["damaged"])
            terminal.line(say("{images} left out, damaged: run verify --repair", images=count))

    return Result(document, show, TROUBLE if document["damaged"] else 0)


async def _verify(session: Session, store: Shared, arguments: argparse.Namespace) -> Result:
    total = (await store.status()).totals.images
    damaged: list[str] = []
    count, after = 0, ""
    with session.terminal.progress("shared verify", total) as advance:
        while page := await store.listed(after, _PAGE):
            for info in page:
                data = await store.fetch(info.sha256)
                try:
                    if data is not None:  # else it was removed meanwhile
                        await verified(info, data)
                except Damaged:
                    damaged.append(info.sha256)
                    if arguments.repair:
                        await store.drop(info.sha256)
            count, after = count + len(page), page[-1].sha256
            advance(count)
    document = {"images": count, "damaged": damaged, "repaired": arguments.repair}

    def show(terminal: Terminal) -> None:
        for sha256 in damaged:
            terminal.line(say("damaged: {sha256}", sha256=sha256))
        terminal.line(
            say("{images} read, {count} damaged", images=images_of(count), count=len(damaged))
        )

    return Result(document, show, TROUBLE if damaged and not arguments.repair else 0)


async def _collect(session: Session, store: Shared, _: argparse.Namespace) -> Result:
    config = session.config
    # its bounds count like those of a bot, for a while
    running = (await versions())["nonebot-plugin-qqimage"]
    host = Host("nb qqimage shared gc", 0.0, running, config.shared_max_size, config.max_age)
    await store.pulse(0, host, [])
    images = freed = 0
    while True:
        count, size = await store.collect(_STEP)
        if not count:
            break
        images, freed = images + count, freed + size
        session.terminal.note(say("{images} removed so far", images=images_of(images)))
    document = {"removed": images, "freed": freed}

    def show(terminal: Terminal) -> None:
        terminal.line(
            say("{images} removed ({size})", images=images_of(images), size=size_of(freed))
        )

    return Result(document, show)


_ACTIONS: dict[str, Callable[[Session, Shared, argparse.Namespace], Awaitable[Result]]] = {
    "status": _status,
    "import": _import,
    "verify": _verify,
    "gc": _collect,
}
