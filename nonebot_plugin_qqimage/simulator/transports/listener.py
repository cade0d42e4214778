"""What both servers of an implementation share: a port on loopback, and the token."""

from abc import abstractmethod

from aiohttp import web

from ..implementation import SimulatedImplementation
from ..loopback import LoopbackServer
from .transport import Transport


class Listener(Transport):
    """An HTTP server on an ephemeral loopback port."""

    def __init__(self, implementation: SimulatedImplementation) -> None:
        super().__init__(implementation)
        self._server = LoopbackServer(self.routes)

    @property
    def port(self) -> int:
        """Where it listens; the same after a restart."""
        return self._server.port

    @abstractmethod
    def routes(self, app: web.Application) -> None:
        """Add what it serves."""

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def stop(self) -> None:
        """Close every connection, and listen no more."""
        await self._server.stop()

    def allowed(self, request: web.Request) -> bool:
        """Say whether a request has the right token, if one is needed."""
        token = self._implementation.settings.token
        if token is None:
            return True
        given = request.headers.get("Authorization", "").partition(" ")[2]
        return token in (given, request.query.get("access_token"))
