"""A bot whose implementation answers as the test says."""

import asyncio
from typing import Any, cast

from nonebot.adapters.onebot.v11 import ActionFailed, Adapter, Bot

from nonebot_plugin_qqimage.implementation.calls import calling

HANG = object()


class FakeBot(Bot):
    """Answers calls with a result, an exception, or silence.

    Args:
        reply: for every action without a reply of its own.
        adapter: where its connection would be.
        **replies: by action; `Turns` are used up one after the other.
    """

    def __init__(
        self,
        reply: object = None,
        *,
        adapter: object = None,
        self_id: str = "10001",
        **replies: Any,
    ) -> None:
        super().__init__(cast(Adapter, adapter), self_id)
        self.reply = reply
        self.replies = replies
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.marked: list[bool] = []

    async def call_api(self, api: str, **data: Any) -> Any:
        self.calls.append((api, data))
        self.marked.append(calling.get())
        reply = self.replies.get(api, self.reply)
        if isinstance(reply, Turns):
            reply = reply.pop(0)
        if reply is HANG:
            await asyncio.Event().wait()
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.calls]


class Turns(list[Any]):
    """Replies to be used up in turn."""


def failed(retcode: object, **fields: object) -> ActionFailed:
    return ActionFailed(status="failed", retcode=retcode, data=None, **fields)


def unknown() -> ActionFailed:
    return failed(1404, message="API 不存在")


async def settle() -> None:
    """Let every task come to where it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
