"""What both servers of an implementation share: a port on loopback, and the token."""

from types import TracebackType
from typing import TYPE_CHECKING

from aiohttp import web

from ..implementation import SimulatedImplementation

if TYPE_CHECKING:
    from typing_extensions import Self


class Listener:
    """An HTTP server on an ephemeral loopback port; use it as an async context manager."""

    def __init__(self, implementation: SimulatedImplementation) -> None:
        self.port = 0
        self._implementation = implementation
        self._runner: web.AppRunner | None = None

    def routes(self, app: web.Application) -> None:
        """Add what it serves."""
        raise NotImplementedError

    async def __aenter__(self) -> "Self":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        self.routes(app)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def allowed(self, request: web.Request) -> bool:
        """Say whether a request has the right token, if one is needed."""
        token = self._implementation.settings.token
        if token is None:
            return True
        given = request.headers.get("Authorization", "").partition(" ")[2]
        return token in (given, request.query.get("access_token"))
