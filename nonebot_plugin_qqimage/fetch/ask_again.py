"""Asks a second time when the implementation did not know the image at first.

LuckyLilliaBot tells of a message before its database has it, and NapCat may have learned the name
anew from ``get_msg`` by now.
"""

import anyio

from .question import Question
from .source import Fetch

_SECOND_THOUGHTS = 0.5
"""Seconds."""


class AskAgain:
    """The same question, a moment later.

    Args:
        *questions: of which one applies.
    """

    name = "asked again"

    def __init__(self, *questions: Question) -> None:
        self._questions = questions

    async def fetch(self, fetch: Fetch) -> None:
        """Ask again, if there is hope."""
        if fetch.forgotten:
            await anyio.sleep(_SECOND_THOUGHTS)
            for question in self._questions:
                await question.fetch(fetch)
