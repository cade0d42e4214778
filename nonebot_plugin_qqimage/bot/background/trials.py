"""Answers the command line, when it asks a running bot to try each way to an image."""

from ...doctor.bots.asking import Answer, answer, forget_old, requests
from ...doctor.trials.ways import try_ways
from ...errors import QQImageError
from ...messages.reference import ImageReference
from ..services import Services
from .task import BackgroundTask

_PAUSE = 2.0
"""Seconds between two looks for a request: whoever asks waits for them."""


class Trials:
    """Looks for requests, and answers each once.

    Args:
        services: of the bot.
        name: of the bot's note in the store.
    """

    def __init__(self, services: Services, name: str) -> None:
        self._services = services
        self._name = name
        self._answered: set[str] = set()
        self.task = BackgroundTask("trials", self._work, after_trouble=_PAUSE)
        """Looks for them."""

    async def _work(self) -> float:
        waiting = await requests(self._services.store)
        for request in waiting:
            if request not in self._answered:
                self._answered.add(request)
                given = await self._try()
                await answer(self._services.store, request, self._name, given)
                await forget_old(self._services.store)
        self._answered.intersection_update(waiting)
        return _PAUSE

    async def _try(self) -> Answer:
        services, reference = self._services, None
        given = Answer([])
        for implementation in services.implementations.connected:
            bot = implementation.bot.self_id
            tried = await try_ways(
                services.config,
                services.store,
                bot,
                lambda bot=bot: services.implementations.find(bot),
            )
            given.lines.extend(tried.lines)
            reference = reference or tried.reference
        if reference is None:
            return given
        return self._serve(reference, given)

    def _serve(self, reference: ImageReference, given: Answer) -> Answer:
        links, served = self._services.links, given.served
        try:
            served["own"] = links.url(reference)
            if self._services.config.public_url:
                served["public"] = links.url(reference, public=True)
        except (QQImageError, ValueError) as error:
            text = error.text if isinstance(error, QQImageError) else str(error)
            return Answer(given.lines, served, text)
        return given
