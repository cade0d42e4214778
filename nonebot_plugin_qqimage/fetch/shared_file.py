"""Shared files that are images: uploaded to a group, or sent as a file."""

from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..messages.reference import ImageReference
from .question import Question
from .source import Fetch
from .urls import AskedUrl


class GetFile(Question):
    """The action ``get_file``, by the id of the file."""

    name = "get_file"

    def _file(self, reference: ImageReference) -> str:
        return reference.file_id

    async def _ask(self, implementation: Implementation, file: str, fetch: Fetch) -> ImageAnswer:
        return await implementation.get_file(file, self._timeout, size=fetch.reference.size)


class GroupFileUrl(AskedUrl):
    """The action ``get_group_file_url``, and the download of what it answers."""

    name = "get_group_file_url"

    async def _url(self, fetch: Fetch) -> str:
        implementation, reference = fetch.implementation, fetch.reference
        if implementation is None or not reference.file_id or not reference.group_id:
            return ""
        return await implementation.get_group_file_url(
            reference.group_id, reference.file_id, self._timeout
        )
