"""A browser without a window: asks the page in this process, and keeps the cookie."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from nonebot.drivers import Request, Response

from nonebot_plugin_qqimage.gallery.gallery import Gallery

HOST = "127.0.0.1:8080"
PATH = "/qqimage/page"


class Browser:
    """Somebody who opens the page."""

    def __init__(self, gallery: Gallery, host: str = HOST) -> None:
        self.gallery = gallery
        self.host = host
        self.cookie = ""

    async def get(self, query: str = "", headers: Mapping[str, str] = {}) -> Response:
        return await self._ask("GET", query, b"", dict(headers))

    async def post(
        self, headers: Mapping[str, str | None] = {}, **fields: str | list[str]
    ) -> Response:
        said = {
            "Origin": f"http://{self.host}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        }
        given = {name: value for name, value in said.items() if value is not None}
        return await self._ask("POST", "", urlencode(fields, doseq=True).encode(), given)

    async def log_in(self, who: str = "80001") -> Response:
        link = await self.gallery._browsing.admit("link", 600, who=who)
        return await self.post(action="login", token=link)

    async def _ask(self, method: str, query: str, body: bytes, headers: dict[str, str]) -> Response:
        cookies = {"Cookie": self.cookie} if self.cookie else {}
        request = Request(
            method,
            f"http://{HOST}{PATH}?{query}",
            headers={"Host": self.host, **cookies, **headers},
            content=body,
        )
        response = await self.gallery.handle(request)
        if (said := response.headers.get("Set-Cookie")) is not None:
            self.cookie = said.partition(";")[0]
        return response


def text(response: Response) -> str:
    content: Any = response.content
    return content.decode() if isinstance(content, bytes) else str(content)
