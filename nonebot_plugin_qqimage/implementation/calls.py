"""Calls of actions: each with a deadline of our own, and every failure as an `AttemptFailed`."""

import asyncio
from contextvars import ContextVar
from typing import Any, cast

from nonebot.adapters.onebot.v11 import ActionFailed, Bot, NetworkError
from nonebot.exception import ApiNotAvailable

from ..errors import AttemptFailed, Cause
from ..language import Text

calling: ContextVar[bool] = ContextVar("qqimage_calling", default=False)
"""True while the plugin itself calls an API, for API hooks to leave such calls alone."""

_UNKNOWN_ACTION = (404, 1404)
_UNKNOWN_ACTION_WORDS = ("不支持的api", "api 不存在")
_NOT_FOUND_WORDS = ("file not found", "消息不存在", "not found")
_BAD_LINK_WORDS = ("statustext: bad request", "-5503007", "-5503010")
_GRACE = 1.0
"""Seconds the adapter's own timeout outlasts ours, so that ours decides."""


class ConnectionLost(AttemptFailed):
    """The bot's connection broke during the call."""


class Caller:
    """Calls actions of one bot's implementation.

    Args:
        bot: the connected bot.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._gone = asyncio.Event()
        self._missing: set[str] = set()

    def disconnected(self) -> None:
        """End every call under way: no answer can come over a connection that is gone."""
        self._gone.set()

    def lacks(self, action: str) -> bool:
        """Whether the implementation has said, over this connection, that it has no such action."""
        return action in self._missing

    async def call(self, action: str, timeout: float, **params: Any) -> object:
        """The ``data`` of the answer, whatever it is.

        Args:
            action: its name.
            timeout: seconds to wait; implementations themselves wait up to 30 minutes.
            **params: its parameters.

        Raises:
            AttemptFailed: it has no such action, refused, or did not answer.
        """
        if action in self._missing:
            detail = Text("this implementation has no {action}", action=action)
            raise AttemptFailed(Cause.UNSUPPORTED, detail)
        answer = asyncio.create_task(self._answer(action, timeout, params))
        gone = asyncio.create_task(self._gone.wait())
        try:
            # the adapter itself would wait for its whole timeout on a connection that is gone
            await asyncio.wait((answer, gone), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
        except AttemptFailed as failure:
            if failure.cause is Cause.UNSUPPORTED:
                self._missing.add(action)
            raise
        finally:
            answer.cancel()
            gone.cancel()
        if self._gone.is_set():
            raise ConnectionLost(Cause.UNREACHABLE, Text("the connection broke during the call"))
        detail = Text("no answer within {seconds:g} s", seconds=timeout)
        raise AttemptFailed(Cause.TIMEOUT, detail)

    async def _answer(self, action: str, timeout: float, params: dict[str, Any]) -> object:
        calling.set(True)  # in the context of this task alone
        try:
            return await self._bot.call_api(action, _timeout=timeout + _GRACE, **params)
        except Exception as error:  # noqa: BLE001  drivers raise whatever their library raises
            raise _failure(error) from None


def _failure(error: Exception) -> AttemptFailed:
    """What an exception of a call means."""
    if isinstance(error, ActionFailed):
        info = cast(dict[str, Any], error.info)  # pyright: ignore[reportUnknownMemberType]
        retcode = info.get("retcode")
        message = str(info.get("message") or info.get("wording") or info.get("msg") or "")[:500]
        detail = f"retcode {retcode}: {message}"
        if not message:
            detail = Text("retcode {retcode}: no message", retcode=str(retcode))
        return AttemptFailed(_cause(retcode, message.lower()), detail)
    if isinstance(error, ApiNotAvailable):
        detail = Text("the bot has no connection to call an API on")
        return AttemptFailed(Cause.UNREACHABLE, detail)
    if isinstance(error, NetworkError):
        message = str(error.msg or "")
        if "status code: 404" in message:
            return AttemptFailed(Cause.UNSUPPORTED, message)
        return AttemptFailed(Cause.TIMEOUT if "timeout" in message else Cause.UNREACHABLE, message)
    return AttemptFailed(Cause.UNREACHABLE, f"{type(error).__name__}: {error}")


def _cause(retcode: object, message: str) -> Cause:
    if retcode in _UNKNOWN_ACTION or any(words in message for words in _UNKNOWN_ACTION_WORDS):
        return Cause.UNSUPPORTED
    if any(words in message for words in _BAD_LINK_WORDS):
        return Cause.EXPIRED
    if any(words in message for words in _NOT_FOUND_WORDS):
        return Cause.NOT_FOUND
    return Cause.TIMEOUT if message.startswith("timeout") else Cause.FAILED
