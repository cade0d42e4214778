"""The action ``get_image``."""

from ..errors import AttemptFailed, Cause
from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..messages.reference import ImageReference
from .question import Question
from .source import Fetch


class GetImage(Question):
    """Asks for an image by the file name in its segment."""

    name = "get_image"

    async def fetch(self, fetch: Fetch) -> None:
        """Keep the answer for the sources after this one, or say that nobody can be asked.

        Raises:
            AttemptFailed: it refused, is away, or asking it could break the bot's connection.
        """
        if fetch.implementation is None and self._file(fetch.reference):
            raise AttemptFailed(Cause.UNREACHABLE, "the bot is not connected")
        await super().fetch(fetch)

    def _file(self, reference: ImageReference) -> str:
        return "" if reference.file_id else reference.file

    async def _ask(self, implementation: Implementation, file: str, fetch: Fetch) -> ImageAnswer:
        # each download leaves a file there that nobody deletes, so none where it is no use
        download = not (
            implementation.profile.files_are_foreign and await implementation.can_skip_download()
        )
        answer = await implementation.get_image(
            file, self._timeout, size=fetch.reference.size, download=download
        )
        fetch.spared = not download
        return answer
