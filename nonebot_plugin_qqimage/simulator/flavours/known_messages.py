"""The messages a program has noted, by their ids."""

from collections.abc import Iterable

from ..image_host.keys import Kind
from ..messages import Forward, Message


class KnownMessages(dict[int, Message]):
    """Messages by their ids; of two with one id the later one is known."""

    def of_chat(self, kind: Kind, target: object) -> list[Message]:
        """Give the messages of a group or of somebody, the oldest first.

        Args:
            kind: of the chat.
            target: the group's or the person's number, also as text.
        """
        return [
            message
            for message in self.values()
            if (message.kind, str(message.implementation_id)) == (kind, str(target))
        ]

    def forwards(self, *, nested: bool = False) -> dict[str, Forward]:
        """Give the forwarded records by their ids, if asked for those inside others too."""
        return _forwards(self.values(), nested)


def _forwards(messages: Iterable[Message], nested: bool) -> dict[str, Forward]:
    found = {
        part.forward_id: part
        for message in messages
        for part in message.parts
        if isinstance(part, Forward)
    }
    for forward in list(found.values()) if nested else ():
        found |= _forwards(forward.nodes, nested)
    return found
