"""The simulated implementation: what happens at QQ, told to the bot; its calls answered."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from .answering import Answering, Call
from .flavours import FLAVOURS
from .flavours.answers import Answer, ImplementationSettings, Json, Over, Refused
from .image_host.cdn import SimulatedCdn
from .implementation_files import ImplementationFiles
from .links import Links, Transport
from .making import Content, MessageMaker
from .messages import Forward, Message, SharedFile
from .record import Record
from .sending import SentMessage, read_outgoing


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
        settings = ImplementationSettings(
            self_id, nickname, message_format, inline_base64, expand_forwards, token, version
        )
        self.files = ImplementationFiles(file_dir, reported_dir, reported_temp_dir)
        super().__init__(cdn, FLAVOURS[flavour](cdn, settings, self.files))
        self.report_own = report_own
        self._answering = Answering(self.flavour, self._send)
        self.behaviour = self._answering.behaviour
        """What is wrong with it at the moment."""
        self.answers = self._answering.answers
        """Answers that take the place of the flavour's, by action."""
        self.calls = self._answering.calls
        """The calls of bots, in order."""
        self.sent: Record[SentMessage] = Record()
        self.links = Links()
        self.transports: list[Transport] = []
        """The ways to bots that are open."""
        self._waited_for = 0

    @property
    def settings(self) -> ImplementationSettings:
        """What the owner has set up."""
        return self.flavour.settings

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
        """Lose what the program has in memory alone, as when it starts anew."""
        self.flavour.restart()

    async def away(self, seconds: float = 0.0, *, forget: bool = False) -> None:
        """End the program with all its connections, and start it again on the same ports.

        Args:
            seconds: how long it is away.
            forget: whether it loses what it has on disk, too.
        """
        await self.drop_connections()
        for transport in list(self.transports):
            await transport.stop()
        self.flavour.restart()
        if forget:
            self.flavour.forget()
        await asyncio.sleep(seconds)
        for transport in self.transports:
            await transport.start()

    def set_up(self, **changes: Any) -> None:
        """Change what the owner sets up while the program runs, such as ``inline_base64=True``."""
        self.flavour.settings = replace(self.flavour.settings, **changes)

    # What the bot calls

    async def next_sent(self, timeout: float = 10.0) -> SentMessage:
        """Wait for the next message the bot sends and nobody has waited for yet.

        Raises:
            asyncio.TimeoutError: none came in time.
        """
        await self.sent.reach(self._waited_for + 1, timeout=timeout)
        self._waited_for += 1
        return self.sent[self._waited_for - 1]

    async def called(self, action: str, count: int = 1, timeout: float = 10.0) -> None:
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
        return await self._answering.handle(action, params, over)

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
