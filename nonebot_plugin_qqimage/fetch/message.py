"""The message itself, asked for again: its segments then have fresh links."""

import re

from ..messages.reader import find_in_message
from .source import Fetch
from .urls import AskedUrl

_MESSAGE_ID = re.compile(r"-?[0-9]{1,20}")


class FreshMessage(AskedUrl):
    """The URL that ``get_msg`` gives for the image."""

    name = "url in get_msg"

    async def _url(self, fetch: Fetch) -> str:
        reference = fetch.reference
        known = _MESSAGE_ID.fullmatch(reference.message_id)
        # of what this bot sends it has the content, and no file name to recognise it by
        unnamed = reference.own and not reference.file
        if fetch.implementation is None or unnamed or not known:
            return ""
        content = await fetch.implementation.get_msg(int(reference.message_id), self._timeout)
        found = find_in_message(content)[reference.position :][:1]
        return next((one.url for one in found if one.file == reference.file), "")
