"""An HTTP server on loopback."""

import ssl
from collections.abc import Callable

from aiohttp import web

_MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request's body; real implementations take about this much, or anything."""
_LAST_ANSWERS = 0.1
"""Seconds that answers under way are given before their connections are closed."""


class LoopbackServer:
    """A server on a port that the system chooses, and keeps when it starts again.

    Args:
        add_routes: adds what it serves.
        ssl_context: serve HTTPS.
    """

    def __init__(
        self,
        add_routes: Callable[[web.Application], None],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.port = 0
        self._add_routes = add_routes
        self._ssl_context = ssl_context
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=_MAX_BODY)
        self._add_routes(app)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_LAST_ANSWERS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._ssl_context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection, and listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
