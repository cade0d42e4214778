"""The hooks that see every event, every API call, and every lost connection.

They never raise, because NoneBot then drops the event for every plugin. The hooks of events never
wait, because every matcher would wait with them. Those of calls wait, with a deadline, where the
call needs an image.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from nonebot import get_driver
from nonebot.adapters import Bot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot as OneBot
from nonebot.adapters.onebot.v11 import Event, MessageEvent
from nonebot.exception import MockApiException
from nonebot.log import logger
from nonebot.matcher import Matcher
from nonebot.message import event_preprocessor, run_preprocessor

from ...implementation.calls import calling
from ...language import say
from ..outgoing.outgoing import Outgoing
from ..services import Services
from .answers import ApiAnswers
from .intake import Intake
from .rewriting import Rewriting

_HISTORIES = ("get_group_msg_history", "get_friend_msg_history", "get_essence_msg_list")
_MESSAGES = ("get_msg", "get_forward_msg", *_HISTORIES)


class Hooks:
    """The hooks of this plugin.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self.use(services)

    def use(self, services: Services) -> None:
        """Work with these parts from now on.

        Args:
            services: of the bot, or of a test.
        """
        self._implementations = services.implementations
        self._pipeline = services.pipeline
        self._intake = Intake(services)
        self._rewriting = Rewriting(services.config, services.links)
        self._outgoing = Outgoing(services)
        self._answers = ApiAnswers(services, self._rewriting)

    def install(self) -> None:
        """Register the hooks; before that, register what serves images, for it must start first."""
        driver = get_driver()
        driver.on_startup(self._rewriting.begin)
        driver.on_bot_connect(self.forget_failures)
        driver.on_bot_disconnect(self.end_calls)
        # one hook for all of it, because each hook costs every event a task of its own
        event_preprocessor(self.before_event)
        if self._rewriting.excluding:
            run_preprocessor(self.give_originals)
        Bot.on_calling_api(self.before_call)
        Bot.on_called_api(self.after_call)

    async def before_event(self, event: BaseEvent) -> None:
        """Take in the event's images, and give its segments URLs that work, where wanted."""
        if not isinstance(event, Event):
            return
        _guard(self._intake.received, event)
        if self._rewriting.on and isinstance(event, MessageEvent):
            _guard(self._rewriting.in_event, event)

    async def forget_failures(self, bot: Bot) -> None:
        """Let what failed for want of a connection be had over the new one."""
        if isinstance(bot, OneBot):
            _guard(self._pipeline.connected, bot.self_id)

    async def end_calls(self, bot: Bot) -> None:
        """End our calls over a connection that is gone."""
        if isinstance(bot, OneBot):
            _guard(self._implementations.disconnected, bot)

    async def give_originals(self, matcher: Matcher) -> None:
        """Show excluded plugins the segments as the implementation sent them."""
        _guard(self._rewriting.for_matcher, matcher)

    async def before_call(self, bot: Bot, api: str, data: dict[str, Any]) -> None:
        """Translate what is sent and asked for, and answer ``get_image`` for a stored image.

        Raises:
            MockApiException: the answer, by which NoneBot does not make the call.
        """
        answer = None
        if not isinstance(bot, OneBot) or calling.get():
            return
        with _guarded(f"before {api}"):
            await asyncio.sleep(0)  # others that look at calls see what their plugin has said
            if api == "get_image":
                answer = await self._answers.from_store(bot, data)
            if answer is None:
                await self._outgoing.translate(data, bot.self_id, api)
        if answer is not None:
            raise MockApiException(answer)

    async def after_call(
        self, bot: Bot, exception: Exception | None, api: str, data: dict[str, Any], result: Any
    ) -> None:
        """Keep the images that were sent, and put served URLs into answers with images.

        Raises:
            MockApiException: the answer for a ``get_image`` that has failed.
        """
        answer = None
        if not isinstance(bot, OneBot) or calling.get():
            return
        with _guarded(f"after {api}"):
            if api.startswith("send_") and exception is None:
                self._intake.sent(bot, api, data, result)
            elif api == "get_image":
                answer = await self._answers.repaired(bot, data, exception, result)
            elif api in _MESSAGES and exception is None:
                self._intake.told(bot, api, result)
            if api == "get_msg":
                self._answers.serve_message(bot, data, result)
            elif api == "get_forward_msg":
                self._answers.serve_record(bot, data, result)
            elif api in _HISTORIES:
                self._answers.serve_history(bot, data, result)
        if answer is not None:
            raise MockApiException(answer)


@contextmanager
def _guarded(where: str) -> Generator[None, None, None]:
    try:
        yield
    except Exception:  # noqa: BLE001  the outermost guard: the event or the call must go on
        logger.exception(say("qqimage: {where} failed, please report it", where=where))


def _guard(work: Callable[..., None], *arguments: Any) -> None:
    with _guarded(work.__name__):
        work(*arguments)
