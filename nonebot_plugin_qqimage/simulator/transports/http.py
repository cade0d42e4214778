"""HTTP: the bot posts calls to the implementation, which posts events to the bot."""

import hashlib
import hmac
import json
from typing import Any

import aiohttp
from aiohttp import web

from ..behaviour import ConnectionBreaks
from ..flavours.answers import Json
from ..implementation import SimulatedImplementation
from .listener import Listener


class HttpApi(Listener):
    """A server for calls, and a client that posts events.

    Args:
        post_url: the bot's, such as ``http://127.0.0.1:8080/onebot/v11/http``; None posts none.
        secret: signs what is posted.
    """

    def __init__(
        self,
        implementation: SimulatedImplementation,
        *,
        post_url: str | None = None,
        secret: str | None = None,
    ) -> None:
        super().__init__(implementation)
        self._post_url = post_url
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Where the bot posts to: this and the name of an action."""
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Listen, and post events from now on."""
        await super().start()
        if self._post_url is not None:
            self._session = aiohttp.ClientSession()
            self._implementation.links.attach(self)

    async def stop(self) -> None:
        """Neither listen nor post any more."""
        self._implementation.links.detach(self)
        if self._session is not None:
            await self._session.close()
        await super().stop()

    def routes(self, app: web.Application) -> None:
        """Add what it serves."""
        app.router.add_route("*", "/{action}", self._answer)

    async def send_event(self, frame: Json) -> None:
        """Post an event; a bot that is not there loses it."""
        if self._session is None or self._post_url is None:
            return
        body = json.dumps(frame, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Self-ID": str(self._implementation.settings.self_id),
        }
        if self._secret is not None:
            digest = hmac.new(self._secret.encode(), body, hashlib.sha1).hexdigest()
            headers["X-Signature"] = f"sha1={digest}"
        if self._implementation.settings.token is not None:
            headers["Authorization"] = f"Bearer {self._implementation.settings.token}"
        try:
            async with self._session.post(self._post_url, data=body, headers=headers):
                return
        except aiohttp.ClientError:
            return

    async def drop(self) -> None:
        """Do nothing: there is no connection that stays."""

    async def _answer(self, request: web.Request) -> web.Response:
        flavour = self._implementation.flavour
        if not self.allowed(request):
            refusal = flavour.refuse_token()
            if refusal.http_body is None:
                return web.Response(status=refusal.http_status)
            return web.json_response(refusal.http_body, status=refusal.http_status)
        call: dict[str, Any] = dict(request.query)
        call.pop("access_token", None)
        if request.content_type == "application/json" and request.can_read_body:
            call |= await request.json()
        try:
            answer = await self._implementation.handle(request.match_info["action"], call, "http")
        except ConnectionBreaks:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.json_response(flavour.echo(answer.body, call, "http"), status=answer.http_status)
