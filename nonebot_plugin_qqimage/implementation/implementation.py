"""One implementation: what is known of it, and what it can be asked."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Bot

from ..errors import AttemptFailed, Cause
from ..language import Text
from ..messages.contents import forward_nodes, message_content
from .answers import ImageAnswer, Key, Kind, image_answer, keys, version_info
from .calls import Caller, ConnectionLost
from .connection import is_made_for_a_test
from .frames import Frames
from .profile import ConnectionHistory, Profile

_IDENTIFICATION = 3.0
"""Seconds for the implementation to say what it is."""
_BESIDE = 1.0
"""Seconds after the first call, until it is asked what it is: the call itself comes first."""
_SILENCE = 60.0
"""Seconds for which an action that gave no answer is not called again."""
_KEY_ACTIONS = {"get_rkey": 5.0, "get_rkey_server": 5.0, "nc_get_rkey": 2.0}
"""The actions that give keys, and the seconds to wait for each. The last one has been seen never to
answer."""


class Implementation:
    """The implementation at the other end of one bot's connection.

    Args:
        bot: the connected bot.
        history: what went wrong with the bot's earlier connections.
        frame_limit: bytes of the largest answer its connection survives, if the operator knows.
    """

    def __init__(
        self, bot: Bot, history: ConnectionHistory | None = None, frame_limit: int | None = None
    ) -> None:
        self.profile = Profile()
        """What is known of it."""
        self.connected = time.time()
        """Since when it is known, in seconds since the epoch."""
        self._bot = bot
        self._caller = Caller(bot)
        self._history = history or ConnectionHistory()
        self.frames = Frames(bot, self.profile, self._history, frame_limit)
        """Judges which answers its connection survives."""
        self._identification: asyncio.Task[None] | None = None
        self._beside: asyncio.TimerHandle | None = None
        self._keys: dict[Kind, Key] = {}
        self._asking_for_keys = asyncio.Lock()
        self._silent_until: dict[str, float] = {}

    @property
    def bot(self) -> Bot:
        """The bot that it is the implementation of."""
        return self._bot

    @property
    def history(self) -> ConnectionHistory:
        """What went wrong with the bot's connections so far."""
        return self._history

    @property
    def frame_limit(self) -> int | None:
        """Bytes of the largest answer that its connection survives; None if no limit is known."""
        return self.frames.limit

    def lacks(self, action: str) -> bool:
        """Whether it has said, over this connection, that it has no such action."""
        return self._caller.lacks(action)

    async def identify(self) -> None:
        """Ask it what it is, once for each connection; it is given a few seconds to answer."""
        if self._identification is None:
            self._identification = asyncio.create_task(self._get_version())
        await asyncio.shield(self._identification)  # for others who wait for it, too

    def disconnected(self) -> None:
        """End every call under way."""
        if self._beside is not None:
            self._beside.cancel()
        self._caller.disconnected()

    async def _call(self, action: str, timeout: float, **params: Any) -> object:
        asked = self._identification or self._beside
        if asked is None and not is_made_for_a_test(self._bot):
            # it is called anyway, so that is the time to learn what it is, too
            loop = asyncio.get_running_loop()
            self._beside = loop.call_later(_BESIDE, self._identify_beside)
        return await self._caller.call(action, timeout, **params)

    def _identify_beside(self) -> None:
        if self._identification is None:
            self._identification = asyncio.create_task(self._get_version())

    async def get_image(
        self,
        file: str,
        timeout: float,
        *,
        size: int | None = None,
        download: bool = True,
        forwarded: bool = False,
    ) -> ImageAnswer:
        """Ask for an image by its file name.

        Args:
            file: the segment's ``file``.
            timeout: seconds to wait.
            size: bytes that the segment declares.
            download: False asks for a fresh URL alone, where the implementation can do that.
            forwarded: whether it stands in a forwarded record. Trouble with these says nothing
                about other images, and who does not find them is not waited for.

        Raises:
            AttemptFailed: it has no such action, does not know the file, or did not answer.
        """
        extra = {} if download else {"download": False}
        if forwarded:
            timeout = self.profile.forwarded_timeout(timeout)
        if not timeout:
            detail = Text("it could not give images in forwarded records a short time ago")
            raise AttemptFailed(Cause.UNSUPPORTED, detail)
        try:
            data = await self._call("get_image", timeout, file=file, **extra)
        except ConnectionLost:
            self.frames.lost(file, size)
            raise
        except AttemptFailed as failure:
            if forwarded and failure.cause in (Cause.TIMEOUT, Cause.NOT_FOUND):
                self.profile.forwarded_unknown()
            elif failure.cause is Cause.TIMEOUT:
                self.profile.timed_out()
            else:
                self.profile.answered()
            raise
        self.profile.answered()
        if not isinstance(data, Mapping):
            raise AttemptFailed(Cause.FAILED, Text("answered without any data"))
        if forwarded:
            self.profile.finds_forwarded = True
        answer = image_answer(cast(object, data))
        self.learn_size(file, answer.size)
        if answer.base64 or answer.file:
            self.profile.inlines = bool(answer.base64)
            self.frames.remember_inlining()
        return answer

    def learn_size(self, file: str, size: int | None) -> None:
        """Learn how large a file is, from an answer of ``get_image`` to whomever.

        Args:
            file: the segment's ``file``.
            size: bytes of the file; None where the answer does not say.
        """
        if size:
            self._history.sizes[file] = size

    async def would_break(self, file: str, size: int | None, *, last_way: bool = False) -> str:
        """Why asking for an image could break the connection; empty if it cannot.

        Args:
            file: the segment's ``file``.
            size: bytes that the segment or its link declares.
            last_way: whether the image is lost otherwise, which is worth a small risk.
        """
        if self.frames.fits(file, size):
            return ""
        if self.profile.inlines is None:
            await self.identify()
        return self.frames.danger(file, size, last_way=last_way)

    async def can_skip_download(self) -> bool:
        """Whether it can be asked for a fresh URL without downloading the picture."""
        if not self.profile.name:
            await self.identify()
        return self.profile.can_skip_download

    async def fresh_key(self, kind: Kind, refused: str) -> str | None:
        """A key for pictures of one kind.

        Args:
            kind: what the picture was sent to.
            refused: a key that did not open it.

        Returns:
            None when the implementation has none but the refused one.

        Raises:
            AttemptFailed: it has no action that gives keys, or none that works.
        """
        async with self._asking_for_keys:  # the second caller finds the keys that the first one got
            key = self._keys.get(kind)
            if key is None or key.value == refused or key.expires <= time.time():
                self._keys = await self._get_keys()
                key = self._keys.get(kind)
        return None if key is None or key.value == refused else key.value

    def key_end(self, kind: Kind, value: str) -> float | None:
        """Until when a key is used (seconds since the epoch); None where it is not the last one."""
        key = self._keys.get(kind)
        return key.expires if key is not None and key.value == value else None

    def key_life(self, kind: Kind) -> float:
        """For how many seconds it has said that keys live; 0 where it has not."""
        key = self._keys.get(kind)
        return key.life if key is not None else 0.0

    async def get_msg(self, message_id: int, timeout: float) -> object:
        """The content of a message, with fresh links: segments or CQ codes.

        Raises:
            AttemptFailed: it does not know the message (any more).
        """
        return message_content(await self._call("get_msg", timeout, message_id=message_id))

    async def get_forward_msg(self, forward_id: str, timeout: float) -> list[object]:
        """The messages in a forwarded record, each for `message_content`.

        Raises:
            AttemptFailed: it does not know the record (any more).
        """
        # the standard says `id`, LLOneBot before 3.27 knows `message_id` alone
        data = await self._call("get_forward_msg", timeout, id=forward_id, message_id=forward_id)
        return forward_nodes(data)

    async def get_file(
        self, file_id: str, timeout: float, *, size: int | None = None
    ) -> ImageAnswer:
        """Ask for a shared file by its id.

        Args:
            file_id: the file's id.
            timeout: seconds to wait.
            size: bytes that the segment or the notice declares.

        Raises:
            AttemptFailed: it has no such action, does not know the file, or did not answer.
        """
        try:
            return image_answer(await self._call("get_file", timeout, file_id=file_id))
        except ConnectionLost:
            self.frames.lost(file_id, size)
            raise

    async def get_group_file_url(self, group_id: int, file_id: str, timeout: float) -> str:
        """The URL of a group's shared file.

        Raises:
            AttemptFailed: it has no such action, or does not know the file.
        """
        data = await self._call("get_group_file_url", timeout, group_id=group_id, file_id=file_id)
        return image_answer(data).url

    async def _get_keys(self) -> dict[Kind, Key]:
        failure = AttemptFailed(Cause.UNSUPPORTED, Text("this implementation gives no keys"))
        for action, timeout in _KEY_ACTIONS.items():
            if self._caller.lacks(action) or time.monotonic() < self._silent_until.get(action, 0):
                continue
            try:
                found = keys(await self._call(action, timeout))
            except AttemptFailed as error:
                if error.cause is Cause.TIMEOUT:
                    self._silent_until[action] = time.monotonic() + _SILENCE
                if failure.cause is Cause.UNSUPPORTED:
                    failure = error
                continue
            if found:
                return found
            detail = Text("{action} answered without a key", action=action)
            failure = AttemptFailed(Cause.FAILED, detail)
        raise failure

    async def _get_version(self) -> None:
        try:
            data = await self._caller.call("get_version_info", _IDENTIFICATION)
        except AttemptFailed:
            data = None
        self.profile.identify(*version_info(data))
        self.frames.remember_inlining()
