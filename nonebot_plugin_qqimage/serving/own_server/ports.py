"""Where the server of our own listens: on a port that is chosen once for each bot project."""

import contextlib
import errno
import itertools
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

_FILE = "ports.json"
_FIRST, _COUNT = 20_000, 10_000
"""The ports chosen from: below those that systems give to outgoing connections."""
_TRIES = 64
"""Ports tried before there seems to be none."""
_MAX_REMEMBERED = 8
"""Ports of one project: as many as its processes that run at once."""
_MAX_PROJECTS = 256
_BACKLOG = 1024
"""Connections that wait to be accepted."""
_TAKEN = (errno.EADDRINUSE, errno.EACCES)
"""What a port gives that somebody else has; Windows says that it is forbidden."""


def listen(folder: Path, host: str, port: int) -> tuple[socket.socket, list[int]]:
    """A socket that listens on this project's port, or on another one where that is taken. Blocks.

    Args:
        folder: where the ports of all projects that use the store are remembered, in a file that
            the bot's user alone can read.
        host: the address or name to listen at.
        port: the port that the operator wants; 0 for the chosen one.

    Returns:
        The socket, and the ports that were taken.

    Raises:
        OSError: nothing can listen at that host, or every port that was tried is taken.
    """
    remembered, taken = _remembered(folder), list[int]()
    candidates = [port] if port else []
    candidates += [each for each in remembered if each != port]
    candidates += itertools.islice(_new_ports(), _TRIES)
    for candidate in dict.fromkeys(candidates):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listening = socket.create_server((host, candidate), family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            taken.append(candidate)
        else:
            if candidate not in (port, *remembered):
                _remember(folder, [*remembered, candidate][:_MAX_REMEMBERED])
            return listening, taken
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _new_ports() -> Iterator[int]:
    """Ports to choose from. Each project begins elsewhere, and at the same one each time.

    So what two processes write to the file at the same moment may be lost without harm.
    """
    digest = blake2b(os.getcwd().encode("utf-8", "surrogateescape"), digest_size=4).digest()
    start = int.from_bytes(digest, "big")
    return (_FIRST + (start + number) % _COUNT for number in itertools.count())


def _read(folder: Path) -> dict[str, Any]:
    try:
        found: object = json.loads((folder / _FILE).read_text("utf-8"))
    except (OSError, ValueError):  # not there, unreadable, or damaged: another one is chosen
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _remembered(folder: Path) -> list[int]:
    """The ports of this project, the first choice first."""
    found: object = _read(folder).get(os.getcwd())
    ports = cast(list[object], found) if isinstance(found, list) else []
    return [port for port in ports if type(port) is int and 0 < port < 65536]


def _remember(folder: Path, ports: list[int]) -> None:
    known = _read(folder)
    known.pop(os.getcwd(), None)
    kept = dict([*known.items()][1 - _MAX_PROJECTS :])  # the newest, if there are too many
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)  # for this user alone
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({**kept, os.getcwd(): ports}, file, ensure_ascii=True)
        os.replace(temporary, folder / _FILE)
    except OSError:  # then it is chosen anew after a restart, and is most likely the same
        with contextlib.suppress(OSError):
            os.unlink(temporary)
