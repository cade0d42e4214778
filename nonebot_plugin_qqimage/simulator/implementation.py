"""The simulated implementation: what happens at QQ, told to the bot; its calls answered."""

import asyncio
import inspect
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from .behaviour import Behaviour, ConnectionBreaks, ScriptedAnswer
from .flavours import FLAVOURS
from .flavours.answers import Action, Answer, ImplementationSettings, Json, Over, Refused
from .image_host.cdn import SimulatedCdn
from .implementation_files import ImplementationFiles
from .links import Links
from .making import Content, MessageMaker
from .messages import Forward, Message, SharedFile
from .record import Record
from .sending import SENDING_ACTIONS, SentMessage, read_outgoing


@dataclass(frozen=True)
class Call:
    """A call the bot made."""

    action: str
    params: Json
    when: float
    """By the clock of the event loop."""


class SimulatedImplementation(MessageMaker):
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
        self.settings = ImplementationSettings(
            self_id, nickname, message_format, inline_base64, expand_forwards, token, version
        )
        self.files = ImplementationFiles(file_dir, reported_dir, reported_temp_dir)
        super().__init__(cdn, FLAVOURS[flavour](cdn, self.settings, self.files))
        self.report_own = report_own
        self.behaviour = Behaviour()
        self.answers: dict[str, ScriptedAnswer] = {}
        """Answers that take the place of the flavour's, by action."""
        self.calls: Record[Call] = Record()
        self.sent: Record[SentMessage] = Record()
        self.links = Links()
        self._serial = asyncio.Lock()
        self._waited_for = 0

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

    async def send_temporary(
        self,
        content: Content,
        *,
        user_id: int = 30009,
        group_id: int = 20001,
        quote: int | None = None,
        own: bool = False,
    ) -> int:
        """Let a stranger write to the bot through a group, or the bot's account to them.

        Whether a program says which group that is, and where, is the flavour's
        ``temporary_group_in``.
        """
        message = self.message(
            "private", content, user_id=user_id, implementation_id=user_id, quote=quote, own=own
        )
        return await self.announce(replace(message, temporary_group=group_id))

    async def send_elsewhere(
        self,
        message_type: str,
        content: Content,
        *,
        user_id: int = 30001,
        quote: int | None = None,
        own: bool = False,
        **fields: object,
    ) -> int:
        """Let somebody say something in a kind of chat that OneBot v11 does not know.

        Args:
            message_type: what the chat is said to be, such as ``guild``.
            content: the message.
            user_id: who says it.
            quote: the id of the message it quotes.
            own: whether the bot's account says it, from another device.
            **fields: what the event has besides, or instead, such as ``guild_id``.
        """
        message = self.message("group", content, user_id=user_id, quote=quote, own=own)
        message = replace(message, message_type=message_type, fields=fields)
        return await self.announce(message)

    async def announce(self, message: Message) -> int:
        """Tell the bot of a message and of the file in it; give its id."""
        self.remember(message)
        if message.own and not self.report_own:
            return message.message_id
        in_group = message.kind == "group" and message.message_type is None
        if in_group and self.flavour.tells_of_uploads:
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
        message = replace(message, temporary_group=outgoing.temporary_group)
        if why := self.flavour.why_unsendable(message):
            raise Refused(why)
        await self.announce(message)
        shown = replace(message, parts=tuple(outgoing.parts))
        self.sent.append(SentMessage(action, params, shown))
        if isinstance(content, Forward):
            return {"message_id": message.message_id, "forward_id": content.forward_id}
        return {"message_id": message.message_id}
