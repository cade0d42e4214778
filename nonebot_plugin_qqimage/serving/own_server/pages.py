"""Further pages of the server of our own: their handlers run on the bot's event loop."""

from collections.abc import Iterable

import anyio
from nonebot.drivers import HTTPServerSetup, Request, Response

from ...language import say
from ...log import logger
from ..answers import Answer, busy, problem
from .bot_loop import BotLoop, DoesNotReact

MAX_BODY = 1024 * 1024
"""Bytes of the largest body of a request."""
_TIMEOUT = 30.0
"""Seconds for a handler."""
_MAX_UNDER_WAY = 64
"""Requests that handlers work on at a time."""


class Pages:
    """Finds and runs the handlers of pages.

    Args:
        setups: the pages; they are found by method and exact path.
        bot: the loop that their handlers run on.
    """

    def __init__(self, setups: Iterable[HTTPServerSetup], bot: BotLoop) -> None:
        self._setups = {(setup.method.upper(), setup.path.path): setup for setup in setups}
        self._bot = bot
        self._under_way = 0

    def find(self, method: str, path: str) -> HTTPServerSetup | None:
        """The page that a request is for, if there is one."""
        return self._setups.get((method, path))

    async def answer(self, setup: HTTPServerSetup, request: Request) -> Answer:
        """What the handler of a page answers, or why it does not."""
        if self._under_way >= _MAX_UNDER_WAY:
            return busy(f"{_MAX_UNDER_WAY} requests are being answered already")

        async def handle() -> Response:
            return await setup.handle_func(request)

        self._under_way += 1
        try:
            with anyio.fail_after(_TIMEOUT):
                return _answer(await self._bot.call(handle))
        except DoesNotReact:
            return busy("the bot's event loop does not react: a handler blocks it")
        except TimeoutError:
            return busy(f"more than {_TIMEOUT:g} s")
        except Exception:  # noqa: BLE001  whatever it raises, the server goes on
            logger.exception(say("qqimage: the page {name} failed", name=setup.name))
            return problem(500, "Failed", "the page failed; the bot's log says why")
        finally:
            self._under_way -= 1


def _answer(response: Response) -> Answer:
    content = response.content if isinstance(response.content, (str, bytes)) else b""
    body = content.encode() if isinstance(content, str) else content
    headers = [
        (name.lower(), value)
        for name, value in response.headers.items()
        if name.lower() != "content-length"
    ]
    if isinstance(content, str) and "content-type" not in response.headers:
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers.append(("content-length", str(len(body))))
    return Answer(response.status_code, headers, body)
