"""The OneBot implementation behind a bot: calling it, and parsing its answers into our types.

What it can and cannot do is learned per connection.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import anyio
from nonebot.adapters.onebot.v11 import ActionFailed, Bot, NetworkError
from nonebot.exception import ApiNotAvailable

from .errors import AttemptFailed, Cause

calling: ContextVar[bool] = ContextVar("qqimage_calling", default=False)
"""True while the plugin itself calls an API, for API hooks to leave such calls alone."""

_UNKNOWN_ACTION = (404, 1404)
_UNKNOWN_ACTION_WORDS = ("不支持的api", "api 不存在")
_NOT_FOUND_WORDS = ("file not found", "消息不存在", "not found")
_BAD_LINK_WORDS = ("statustext: bad request", "-5503007", "-5503010")
_GRACE = 1.0
"""Seconds the adapter's own timeout outlasts ours, so that ours decides."""


@dataclass(frozen=True)
class ImageAnswer:
    """What ``get_image`` answered. Every field may be empty, and none can be trusted."""

    base64: str = ""
    """The content, inlined, with or without a ``base64://`` prefix."""
    file: str = ""
    """A path on the peer's host."""
    url: str = ""
    """An http(s) URL, usually with a fresh key."""


class Peer:
    """The implementation at the other end of one bot's connection.

    Args:
        bot: the connected bot.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._missing: set[str] = set()

    async def get_image(self, file: str, timeout: float) -> ImageAnswer:
        """Ask for an image by its file name.

        Args:
            file: the segment's ``file``.
            timeout: seconds to wait; implementations themselves wait up to 30 minutes.

        Raises:
            AttemptFailed: it has no such action, does not know the file, or did not answer.
        """
        data = await self._call("get_image", timeout, file=file)
        path, url = _text(data, "file"), _text(data, "url")
        if _is_url(path):
            path, url = "", url if _is_url(url) else path
        return ImageAnswer(base64=_text(data, "base64"), file=path, url=url if _is_url(url) else "")

    async def _call(self, action: str, timeout: float, **params: Any) -> Mapping[str, Any]:
        if action in self._missing:
            raise AttemptFailed(Cause.UNSUPPORTED, f"this peer has no {action}")
        token = calling.set(True)
        try:
            with anyio.fail_after(timeout):
                data = await self._bot.call_api(action, _timeout=timeout + _GRACE, **params)
        except TimeoutError:
            raise AttemptFailed(Cause.TIMEOUT, f"no answer within {timeout:g} s") from None
        except Exception as error:  # noqa: BLE001  drivers raise whatever their library raises
            failure = _failure(error)
            if failure.cause is Cause.UNSUPPORTED:
                self._missing.add(action)
            raise failure from None
        finally:
            calling.reset(token)
        if not isinstance(data, Mapping):
            raise AttemptFailed(Cause.FAILED, "answered without any data")
        return cast(Mapping[str, Any], data)


def _failure(error: Exception) -> AttemptFailed:
    """What an exception of a call says, in our words."""
    if isinstance(error, ActionFailed):
        info = cast(dict[str, Any], error.info)  # pyright: ignore[reportUnknownMemberType]
        retcode = info.get("retcode")
        message = str(info.get("message") or info.get("wording") or info.get("msg") or "")[:500]
        return AttemptFailed(
            _cause(retcode, message.lower()), f"retcode {retcode}: {message or 'no message'}"
        )
    if isinstance(error, ApiNotAvailable):
        return AttemptFailed(Cause.UNREACHABLE, "the bot has no connection to call an API on")
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


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    return value if isinstance(value, str) else ""


def _is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))
