"""The simulated implementation: what happens at QQ, told to the bot; its calls answered."""

import asyncio
import inspect
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from .behaviour import Behaviour, ConnectionBreaks, ScriptedAnswer
from .flavours import FLAVOURS
from .flavours.answers import Action, Answer, ImplementationSettings, Json, Over, Refused
from .image_host.cdn import SimulatedCdn
from .image_host.keys import Kind
from .implementation_files import ImplementationFiles
from .links import Links
from .making import PartMaker
from .messages import Forward, Message, Part, Quote, SharedFile, Text
from .record import Record
from .sending import SENDING_ACTIONS, SentMessage, read_outgoing

Content = str | Part | Sequence[str | Part]
"""What a message may be written as: text, one part, or several of either."""


@dataclass(frozen=True)
class Call:
    """A call the bot made."""

    action: str
    params: Json
    when: float
    """By the clock of the event loop."""


class SimulatedImplementation(PartMaker):
    """An implementation of OneBot v11 with a QQ account that does what you say.

    Args:
        flavour: which implementation it behaves as, a name in ``FLAVOURS``.
        cdn: where its pictures are.
        file_dir: the folder it writes files to; without one the paths it reports lead nowhere.
        reported_dir: what reported paths start with instead of ``file_dir``.
        reported_temp_dir: the same for temporary files.
        inline_base64: whether answers hold pictures too, where the implementation can do that.
        expand_forwards: whether events hold the content of forwarded records, likewise.
        report_own: whether the bot hears of what it sends itself.
        token: what a bot must know to connect.
        version: which version of it, where flavours tell versions apart.
    """

    def __init__(
        self,
        flavour: str,
        cdn: SimulatedCdn,
        *,
        self_id: int = 10001,
        nickname: str = "SimulatedBot",
        file_dir: Path | None = None,
        reported_dir: str | None = None,
        reported_temp_dir: str | None = None,
        message_format: Literal["array", "string"] = "array",
        inline_base64: bool = False,
        expand_forwards: bool = False,
        report_own: bool = False,
        token: str | None = None,
        version: str | None = None,
    ) -> None:
        super().__init__(cdn)
        self.settings = ImplementationSettings(
            self_id, nickname, message_format, inline_base64, expand_forwards, token, version
        )
        self.files = ImplementationFiles(file_dir, reported_dir, reported_temp_dir)
        self.flavour = FLAVOURS[flavour](cdn, self.settings, self.files)
        self.report_own = report_own
        self.behaviour = Behaviour()
        self.answers: dict[str, ScriptedAnswer] = {}
        """Answers that take the place of the flavour's, by action."""
        self.calls: Record[Call] = Record()
        self.sent: Record[SentMessage] = Record()
        self.links = Links()
        self.next_message_id: int | None = None
        """The id of the next message, if it has to be a certain one."""
        self.next_seq = 1001
        self._dice = random.Random(self_id)
        self._serial = asyncio.Lock()
        self._waited_for = 0

    # What there is to send

    def forward(
        self, nodes: Sequence[Message | Content], *, forward_id: str | None = None
    ) -> Forward:
        """Give a forwarded record of some messages."""
        forward_id = forward_id or str(self._dice.randrange(7 * 10**18, 8 * 10**18))
        messages = [
            node if isinstance(node, Message) else self.message("group", node) for node in nodes
        ]
        return Forward(forward_id, tuple(messages))

    def message(
        self,
        kind: Kind,
        content: Content,
        *,
        user_id: int = 30001,
        nickname: str = "Tester",
        implementation_id: int | None = None,
        seq: int | None = None,
        at: int | None = None,
        quote: int | None = None,
        own: bool = False,
    ) -> Message:
        """Write a message which nobody has heard of yet."""
        if isinstance(content, str) or not isinstance(content, Sequence):
            content = [content]
        parts = [Text(part) if isinstance(part, str) else part for part in content]
        if quote is not None:
            parts.insert(0, Quote(quote))
        if own:
            user_id, nickname = self.settings.self_id, self.settings.nickname
        return Message(
            kind,
            tuple(parts),
            self._take_message_id(),
            self._take_seq() if seq is None else seq,
            int(time.time()) if at is None else at,
            user_id,
            nickname,
            own=own,
            implementation_id=implementation_id or (20001 if kind == "group" else 30001),
        )

    # What happens

    async def send_group(
        self,
        content: Content,
        *,
        user_id: int = 30001,
        group_id: int = 20001,
        quote: int | None = None,
        own: bool = False,
    ) -> int:
        """Let a member say something in a group, or the bot's account from another device."""
        message = self.message(
            "group", content, user_id=user_id, implementation_id=group_id, quote=quote, own=own
        )
        return await self.announce(message)

    async def send_private(
        self,
        content: Content,
        *,
        user_id: int = 30001,
        quote: int | None = None,
        own: bool = False,
    ) -> int:
        """Let somebody write to the bot, or the bot's account to them from another device."""
        message = self.message(
            "private", content, user_id=user_id, implementation_id=user_id, quote=quote, own=own
        )
        return await self.announce(message)

    async def announce(self, message: Message) -> int:
        """Tell the bot of a message and of the file in it; give its id."""
        self.remember(message)
        if message.own and not self.report_own:
            return message.message_id
        if message.kind == "group":
            for part in message.parts:
                if isinstance(part, SharedFile):
                    await self.push(self.flavour.upload_notice(part, message))
        await self.push(self.flavour.event(message))
        return message.message_id

    def remember(self, message: Message) -> None:
        """Let a message happen without telling the bot, as one from before it connected."""
        self.flavour.remember(message)

    async def push(self, frame: Json) -> None:
        """Send any frame over all connections that take events."""
        for link in list(self.links.open):
            await link.send_event(frame)

    async def drop_connections(self) -> None:
        """Break all connections that take events."""
        for link in list(self.links.open):
            await link.drop()

    async def connected(self, count: int = 1, timeout: float = 10.0) -> None:
        """Wait until there were that many connections, counting those that broke since.

        Raises:
            asyncio.TimeoutError: they did not come in time.
        """
        await self.links.ever.reach(count, timeout=timeout)

    def restart(self) -> None:
        """Start the program anew: what it has in memory alone is lost."""
        self.flavour.restart()

    # What the bot calls

    async def next_sent(self, timeout: float = 5.0) -> SentMessage:
        """Wait for the next message the bot sends and nobody has waited for yet.

        Raises:
            asyncio.TimeoutError: none came in time.
        """
        await self.sent.reach(self._waited_for + 1, timeout=timeout)
        self._waited_for += 1
        return self.sent[self._waited_for - 1]

    async def called(self, action: str, count: int = 1, timeout: float = 5.0) -> None:
        """Wait until the bot called an action that often.

        Raises:
            asyncio.TimeoutError: it did not in time.
        """
        await self.calls.reach(count, timeout=timeout, where=lambda call: call.action == action)

    def calls_of(self, action: str) -> list[Call]:
        """Give the calls of one action."""
        return [call for call in self.calls if call.action == action]

    def refusal(self, message: str) -> Json:
        """Write the answer of an action that fails, to be put into :attr:`answers`."""
        return self.flavour.refuse("", Refused(message), "ws").body

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
        if action in self.behaviour.hanging:
            await asyncio.Event().wait()
        scripted = self.answers.get(action)
        if scripted is not None:
            body = scripted(params) if callable(scripted) else scripted
            return Answer(dict(await body if inspect.isawaitable(body) else body))
        try:
            do = (self.flavour.actions() | self._sending()).get(action)
            if do is None or action in self.behaviour.missing:
                raise Refused("", "unknown")
            return Answer(self.flavour.ok(await do(params)))
        except Refused as refusal:
            return self.flavour.refuse(action, refusal, over)

    def _sending(self) -> dict[str, Action]:
        return {action: partial(self._send, action) for action in SENDING_ACTIONS}

    async def _send(self, action: str, params: Json) -> Json:
        outgoing = await read_outgoing(action, params, self.picture)
        content = self.forward([outgoing.parts]) if outgoing.forwarded else outgoing.parts
        message = self.message(outgoing.kind, content, implementation_id=outgoing.target, own=True)
        await self.announce(message)
        shown = replace(message, parts=tuple(outgoing.parts))
        self.sent.append(SentMessage(action, params, shown))
        if isinstance(content, Forward):
            return {"message_id": message.message_id, "forward_id": content.forward_id}
        return {"message_id": message.message_id}

    def _take_message_id(self) -> int:
        taken, self.next_message_id = self.next_message_id, None
        return self.flavour.new_message_id(self._dice) if taken is None else taken

    def _take_seq(self) -> int:
        self.next_seq += 1
        return self.next_seq - 1
