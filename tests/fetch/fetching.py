"""Fetching one image with every source there is, from an implementation and a host of the test."""

import asyncio
from dataclasses import dataclass
from typing import Any

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import Attempt, Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.implementation.implementation import Implementation
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget

from .. import samples
from .http_server import Answer, Request, reply

PNG = samples.png()
EXPIRED = b'{"retcode":-5503007,"retmsg":"download url has expired","retryflag":0}'
GONE = reply(EXPIRED, "400 Bad Request")


@dataclass
class Outcome:
    """What came of it."""

    fetched: Fetched | None
    attempts: tuple[Attempt, ...]

    @property
    def source(self) -> str:
        return self.fetched.source if self.fetched else ""

    @property
    def failed(self) -> list[tuple[str, Cause]]:
        return [(attempt.source, attempt.cause) for attempt in self.attempts]

    @property
    def text(self) -> str:
        return "; ".join(map(str, self.attempts))


async def fetch(
    reference: ImageReference,
    implementation: Implementation | None = None,
    *,
    budget: ByteBudget | None = None,
    **settings: Any,
) -> Outcome:
    """Try every source, as the resolver does."""
    budget = budget or ByteBudget(1 << 30)
    sources = Fetcher(ScopedConfig(**{"trusted_hosts": ["127.0.0.1"], **settings}))
    try:
        async with budget.reserve(1 << 20) as reservation:
            asked = sources.fetch(reference, lambda: implementation, reservation)
            return Outcome(*await asyncio.wait_for(asked, 60))
    finally:
        await sources.close()


def opened_by(key: str, image: bytes = PNG, refusal: bytes = GONE) -> Answer:
    """A picture that this key alone opens."""

    async def answer(request: Request) -> None:
        opened = f"rkey={key}" in request.target.split("?")[1].split("&")
        request.writer.write(reply(image) if opened else refusal)
        await request.writer.drain()

    return answer
