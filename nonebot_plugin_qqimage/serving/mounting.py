"""Serving: the route's place at the driver, whichever that is."""

from collections.abc import Awaitable, Callable
from typing import Any

from nonebot.config import Config as DriverConfig
from nonebot.drivers import URL, ASGIMixin, Driver, HTTPServerSetup
from nonebot.drivers import Request as DriverRequest
from nonebot.drivers import Response as DriverResponse

from ..errors import StoreError
from ..language import say
from ..log import logger
from ..pipeline.pipeline import Pipeline
from .answers import Answer, Request
from .links import Links
from .route import ImageRoute
from .urls import PATH

_NAME = "nonebot_plugin_qqimage"


async def serve(driver: Driver, pipeline: Pipeline, links: Links, *, timeout: float) -> bool:
    """Begin to serve images. Call it when the bot starts, not while plugins are loaded.

    Args:
        driver: at whose HTTP server.
        pipeline: gets the images.
        links: makes and opens their URLs; it is made ready here.
        timeout: seconds that getting an image may take.

    Returns:
        Whether they are served; a driver without an HTTP server cannot.
    """
    try:
        # also where they are not served, for messages may hold URLs from when they were
        await links.load(pipeline.store.folder)
        if not isinstance(driver, ASGIMixin):
            return False
        _register(driver, ImageRoute(pipeline, links, timeout))
    except StoreError as error:
        logger.error(say("qqimage: {error}; images are not served", error=str(error)))
        return False
    except Exception as error:  # noqa: BLE001  whatever a driver raises: the bot must start
        logger.error(say("qqimage: the driver refused to serve images: {error}", error=repr(error)))
        return False
    links.served_at(_listening_at(driver.config))
    return True


def _register(driver: ASGIMixin, route: ImageRoute) -> None:
    if driver.type.partition("+")[0] == "fastapi":
        _mount(driver.server_app, route)
        return
    for method in ("GET", "HEAD"):
        name = f"{_NAME}_{method.lower()}"
        driver.setup_http_server(HTTPServerSetup(URL(PATH), method, name, _handler(route)))


def _mount(app: Any, route: ImageRoute) -> None:
    """Hand requests to the route by Starlette, without what FastAPI does for each of its own."""
    from starlette.routing import Route  # only there with this driver

    # first, so that no catch-all of somebody else's page comes before it
    app.router.routes.insert(0, Route(PATH, route, name=_NAME, include_in_schema=False))


def _handler(route: ImageRoute) -> Callable[[DriverRequest], Awaitable[DriverResponse]]:
    async def handle(request: DriverRequest) -> DriverResponse:
        response = DriverResponse(500)

        async def write(answer: Answer) -> None:
            response.status_code, response.content = answer.status, answer.body
            response.headers.update(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers
            )

        headers = (
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
        )
        await route.serve(Request.of(request.method, request.url.raw_query_string, headers), write)
        return response

    return handle


def _listening_at(config: DriverConfig) -> str:
    """Where the bot listens, as it says in its settings, as a URL for programs on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(config.host), str(config.host))
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"
