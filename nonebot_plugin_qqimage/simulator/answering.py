"""The bot's calls, answered as the flavour does it or as the behaviour of the moment wants it."""

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from .behaviour import (
    Behaviour,
    ConnectionBreaks,
    MessageFault,
    ScriptedAnswer,
    spoil_message,
)
from .flavours.answers import Action, Answer, Json, Over, Refused
from .flavours.base import Flavour
from .record import Record
from .sending import SENDING_ACTIONS


@dataclass(frozen=True)
class Call:
    """A call the bot made."""

    action: str
    params: Json
    when: float
    """By the clock of the event loop."""


class Send(Protocol):
    """Sends a message for the bot."""

    async def __call__(self, action: str, params: Json) -> Json:
        """Give the ``data`` of the answer."""
        ...


class Answering:
    """Answers calls.

    Args:
        flavour: knows the actions that ask.
        send: carries out those that send.
    """

    def __init__(self, flavour: Flavour, send: Send) -> None:
        self.behaviour = Behaviour()
        self.answers: dict[str, ScriptedAnswer] = {}
        self.calls: Record[Call] = Record()
        self._flavour = flavour
        self._sending: Mapping[str, Action] = {
            action: partial(send, action) for action in SENDING_ACTIONS
        }
        self._serial = asyncio.Lock()

    async def handle(self, action: str, params: Json, over: Over) -> Answer:
        """Answer a call.

        Raises:
            ConnectionBreaks: instead of an answer.
        """
        self.calls.append(Call(action, params, asyncio.get_running_loop().time()))
        if not self.behaviour.serial:
            return await self._answer(action, params, over)
        async with self._serial:
            return await self._answer(action, params, over)

    async def _answer(self, action: str, params: Json, over: Over) -> Answer:
        await asyncio.sleep(self.behaviour.delays.get(action, 0.0))
        if action in self.behaviour.dropping:
            raise ConnectionBreaks
        if self._hangs(action, params):
            await asyncio.Event().wait()
        scripted = self.answers.get(action)
        if scripted is not None:
            body = scripted(params) if callable(scripted) else scripted
            return Answer(dict(await body if inspect.isawaitable(body) else body))
        try:
            return Answer(self._flavour.ok(await self._data(action, params)))
        except Refused as refusal:
            return self._flavour.refuse(action, refusal, over)

    def _hangs(self, action: str, params: Json) -> bool:
        behaviour = self.behaviour
        silent = action == "get_msg" and behaviour.message_fault is MessageFault.SILENT
        files = {str(params.get(name)) for name in ("file", "file_id")}
        return silent or action in behaviour.hanging or bool(files & behaviour.hanging_files)

    async def _data(self, action: str, params: Json) -> Any:
        do = {**self._flavour.actions(), **self._sending}.get(action)
        if do is None or action in self.behaviour.missing:
            raise Refused("", "unknown")
        if action != "get_msg":
            return await do(params)
        if self.behaviour.message_fault is MessageFault.REFUSED:
            raise Refused("消息不存在或已被撤回")
        return spoil_message(await do(params), self.behaviour.message_fault)
