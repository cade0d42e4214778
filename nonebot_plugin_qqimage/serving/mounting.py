"""The bot's own HTTP port, where its driver has one: it serves the same as our own server."""

from collections.abc import Awaitable, Callable, Iterable

from nonebot.drivers import URL, ASGIMixin, Driver, HTTPServerSetup
from nonebot.drivers import Request as DriverRequest
from nonebot.drivers import Response as DriverResponse

from ..language import say
from ..log import logger
from .answers import Answer, Request
from .route import ImageRoute
from .urls import PATH, base_of

_NAME = "nonebot_plugin_qqimage"


def mount(driver: Driver, route: ImageRoute, pages: Iterable[HTTPServerSetup] = ()) -> str:
    """Serve images at the bot's own HTTP port. Call it when the bot starts, not before.

    Args:
        driver: the bot's.
        route: answers requests for images.
        pages: other pages to serve there.

    Returns:
        The URL by which programs on this machine reach it; empty where the driver has no HTTP
        server, or refuses, which is logged.
    """
    if not isinstance(driver, ASGIMixin):
        return ""
    handle = _handler(route)
    try:
        for method in ("GET", "HEAD"):
            name = f"{_NAME}_{method.lower()}"
            driver.setup_http_server(HTTPServerSetup(URL(PATH), method, name, handle))
        for page in pages:
            driver.setup_http_server(page)
    except Exception as error:  # noqa: BLE001  whatever a driver raises: the bot must start
        logger.error(say("qqimage: the driver refused to serve images: {error}", error=repr(error)))
        return ""
    return base_of(str(driver.config.host), driver.config.port)


def _handler(route: ImageRoute) -> Callable[[DriverRequest], Awaitable[DriverResponse]]:
    async def handle(request: DriverRequest) -> DriverResponse:
        response = DriverResponse(500)

        async def write(answer: Answer) -> None:
            response.status_code, response.content = answer.status, answer.body
            response.headers.update(answer.headers)

        headers = ((name.lower(), value) for name, value in request.headers.items())
        await route.serve(Request.of(request.method, request.url.raw_query_string, headers), write)
        return response

    return handle
