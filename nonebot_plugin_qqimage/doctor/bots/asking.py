"""Asking the bots that run to try each way: by notes in the store, as nothing else leads to all.

The command line leaves a request, and every bot that uses the store answers it within moments.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from ...store.image_store import ImageStore
from ..line import Line

_REQUEST, _ANSWER = "try:", "tried:"
"""What the names of the notes start with: then the request's own name, and a bot's."""
_MAX_AGE = 30.0
"""Seconds after which a request is answered no more; whoever left it has gone."""
_POLL = 0.2
"""Seconds between two looks for answers."""


@dataclass(frozen=True)
class Answer:
    """What a bot that runs has found."""

    lines: list[Line]
    """A line for each way."""
    served: dict[str, str] = field(default_factory=dict[str, str])
    """The URL under which it serves the image: its own one, and the public one."""
    unserved: str = ""
    """Why it serves none."""


async def ask(store: ImageStore, bots: Sequence[str], timeout: float) -> dict[str, Answer]:
    """Ask the bots that run, and wait for their answers.

    Args:
        store: theirs.
        bots: the names of their notes.
        timeout: seconds.

    Returns:
        The answers by those names; one that does not answer in time has none.

    Raises:
        StoreError: the store cannot be used.
    """
    request = secrets.token_hex(8)
    answers: dict[str, Answer] = {}
    await store.notes.leave(_REQUEST + request, "")
    try:
        with anyio.move_on_after(timeout):
            while not answers.keys() >= set(bots):
                await anyio.sleep(_POLL)
                prefix = f"{_ANSWER}{request}:"
                for name, (text, _) in (await store.notes.find(prefix)).items():
                    answers[name.removeprefix(prefix)] = _load(json.loads(text))
    finally:
        with anyio.CancelScope(shield=True):
            for name in (_REQUEST + request, f"{_ANSWER}{request}:"):
                await store.notes.forget(name, before=time.time() + 1)
    return answers


async def requests(store: ImageStore) -> list[str]:
    """The requests that wait for an answer.

    Raises:
        StoreError: the store cannot be read.
    """
    waiting, now = await store.notes.find(_REQUEST), time.time()
    return [name for name, (_, left) in waiting.items() if now - left < _MAX_AGE]


async def answer(store: ImageStore, request: str, bot: str, given: Answer) -> None:
    """Answer a request.

    Args:
        store: where it was left.
        request: one of `requests`.
        bot: the name of the bot's note.
        given: the answer.

    Raises:
        StoreError: the store cannot be written.
    """
    text = json.dumps(
        {
            "lines": [line.packed() for line in given.lines],
            "served": given.served,
            "unserved": Line("ok", "", given.unserved).packed(),
        }
    )
    name = f"{_ANSWER}{request.removeprefix(_REQUEST)}:{bot}"
    await store.notes.leave(name, text)


async def forget_old(store: ImageStore) -> None:
    """Forget what nobody came back for.

    Raises:
        StoreError: the store cannot be written.
    """
    for prefix in (_REQUEST, _ANSWER):
        await store.notes.forget(prefix, before=time.time() - 10 * _MAX_AGE)


def _load(said: dict[str, Any]) -> Answer:
    lines = [Line.unpacked(kept) for kept in said["lines"]]
    return Answer(lines, said["served"], Line.unpacked(said["unserved"]).text)
