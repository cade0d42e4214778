"""The reader: it walks through a message, and finds each image with its place.

Everything that looks for images in messages uses it: what is taken in, what gets URLs of this bot,
what is sent, and what is found in forwarded records. So an image has the same place, and with it
the same name, wherever it is met, and the limits of how far messages are read are all here.

The images of a message are numbered from 0, and so are those of each forwarded record. A record is
named by its id. Records and nodes without an id belong to the record they stand in, or else they
count together as one record, which is named by the message.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from nonebot.adapters.onebot.v11 import Message

from .chats import sender_in
from .contents import content_place, forward_nodes, segments_of
from .reference import ImageReference
from .segments import KINDS, from_segment, id_in, parts_of
from .texts.served import ServedText

_MAX_DEPTH = 5
"""Records inside records; QQ itself allows three."""
_MAX_IMAGES = 100
"""Images in one message, without those in records; QQ itself allows far fewer."""
_MAX_FORWARDED = 200
"""Images in records: as many as a record of 100 messages usually has, and few enough to keep."""
_MAX_FETCHED = 20
"""Records that are asked for: each may take as long as the implementation is given to answer."""


class Found(NamedTuple):
    """An image in a message."""

    reference: ImageReference
    """What the segment says, and where it stands."""
    kind: str
    """The segment's type: ``image``, ``mface`` or ``file``."""
    data: dict[str, Any]
    """The segment's own data, not a copy: changing it changes the message.

    Data that was parsed from CQ codes is written back to the text as the walk goes on, so it has to
    be changed before the next image is asked for.
    """


class Unopened(NamedTuple):
    """A forwarded record whose content does not stand in the message."""

    record_id: str
    """What ``get_forward_msg`` knows it by."""


Walk = Generator[Found | Unopened, Sequence[object] | None, None]
"""What a reader finds, in order.

Who gets an `Unopened` may ``send`` the messages in that record, and the walk goes on in there. Who
just iterates leaves the record out.
"""


def found_in(walk: Walk) -> Iterator[Found]:
    """The images of a walk, without those in records whose content would have to be fetched."""
    return (each for each in walk if isinstance(each, Found))


def find_in_message(
    content: object,
    self_id: str = "",
    message_id: str = "",
    group_id: int = 0,
    *,
    chat: str = "",
    own: bool = False,
) -> list[ImageReference]:
    """The images of a message itself, in order; those in forwarded records are left out.

    Args:
        content: a message, a list of segments, one segment, or CQ codes.
        self_id: the bot that received it.
        message_id: the message's id.
        group_id: the group it was sent to; 0 for a private chat.
        chat: the chat of the message, as in `Sighting.chat`; empty where it is not known.
        own: whether this bot sent it.
    """
    reader = Reader(self_id, group_id, chat=chat, own=own, records=False)
    walk = reader.message(content, message_id)
    found = [each.reference for each in walk if isinstance(each, Found)]
    if len(found) > 1:
        found[0] = replace(found[0], one_of_several=True)
    return found


class Reader:
    """Reads messages. Its limits hold for everything that one reader reads together.

    Args:
        self_id: the bot that received them.
        group_id: the group they were sent to; 0 for a private chat.
        chat: the chat of the messages, as in `Sighting.chat`; empty where it is not known.
        own: whether this bot sent them.
        sent: whether this bot sends them right now, so that they may name files of this machine.
        records: whether to read forwarded records, too.
        limited: whether there is a limit to the images; not for what plugins of this bot send.
        keep_codes: whether content of CQ codes stays text where a segment in it was changed.
            Otherwise it becomes a `Message`.
    """

    def __init__(
        self,
        self_id: str = "",
        group_id: int = 0,
        *,
        chat: str = "",
        own: bool = False,
        sent: bool = False,
        records: bool = True,
        limited: bool = True,
        keep_codes: bool = True,
    ) -> None:
        self._self_id = self_id
        self._group_id = group_id
        self._chat = chat
        self._own = own
        self._sent = sent
        self._depth = _MAX_DEPTH if records else 0
        self._limited = limited
        self._keep_codes = keep_codes
        self._forwarded = 0
        self._fetched = 0

    def message(self, content: object, message_id: str) -> Walk:
        """The images of a message.

        Args:
            content: a message, a list of segments, one segment, or CQ codes.
            message_id: the message's id.
        """
        return self._segments(segments_of(content), _Numbering(message_id), 0)

    def answer(self, answer: object, message_id: str) -> Walk:
        """The images in an answer of ``get_msg``.

        Args:
            answer: the ``data`` of the answer.
            message_id: the message that was asked for.
        """
        # as in the event of the same message, or equal segments would get different URLs
        self._own = bool(self._self_id) and sender_in(answer) == self._self_id
        return self._content(answer, _Numbering(message_id), 0)

    def record(self, answer: object, record_id: str) -> Walk:
        """The images in an answer of ``get_forward_msg``.

        Args:
            answer: the ``data`` of the answer.
            record_id: what was asked for.
        """
        return self._nodes(forward_nodes(answer), _record(record_id), 1)

    def history(self, answer: object) -> Walk:
        """The images in an answer of ``get_group_msg_history``: of messages with an id each."""
        for message in forward_nodes(answer):
            if isinstance(message, dict):
                message_id = cast(dict[str, Any], message).get("message_id")
                yield from self.answer(cast(object, message), str(message_id or ""))

    def _segments(self, segments: Iterable[object], place: "_Numbering", depth: int) -> Walk:
        for segment in segments:
            kind, data = parts_of(segment)
            if kind in KINDS:
                reference = self._reference(segment, place)
                if reference is not None:
                    yield Found(reference, kind, cast(dict[str, Any], data))
            elif depth < self._depth and kind == "node":
                yield from self._content(data, place.record, depth + 1)
            elif depth < self._depth and kind == "forward":
                record_id = id_in(data)
                nodes = forward_nodes(data.get("content"))
                if not nodes and record_id and self._may_fetch():
                    nodes = (yield Unopened(record_id)) or ()
                record = _record(record_id) if record_id else place.record
                yield from self._nodes(nodes, record, depth + 1)

    def _nodes(self, nodes: Iterable[object], record: "_Numbering", depth: int) -> Walk:
        for node in nodes:
            yield from self._content(node, record, depth)

    def _content(self, holder: object, place: "_Numbering", depth: int) -> Walk:
        """Read what has a content, and write it back if it is CQ codes that are changed now."""
        fields, name = content_place(holder)
        content = fields.get(name)
        if isinstance(content, ServedText) and self._keep_codes:
            content = content.original  # what is sent is read as it is
        segments = segments_of(content)
        if not isinstance(content, str):
            yield from self._segments(segments, place, depth)
            return
        before = [dict(parts_of(segment)[1]) for segment in segments]
        yield from self._segments(segments, place, depth)
        changed = before != [parts_of(segment)[1] for segment in segments]
        if changed and isinstance(segments, Message):  # of a very long text not all is read
            new = ServedText(str(segments), content) if self._keep_codes else segments
            cast(dict[str, Any], fields)[name] = new

    def _reference(self, segment: object, place: "_Numbering") -> ImageReference | None:
        if self._limited and (
            self._forwarded >= _MAX_FORWARDED if place.is_record else place.count >= _MAX_IMAGES
        ):
            return None
        said = from_segment(
            segment,
            self._self_id,
            place.name,
            place.count,
            sent=self._sent,
            own=self._own,
            chat=self._chat,
            forwarded=place.is_record,
            one_of_several=place.count > 0,
        )
        if said is None:
            return None
        place.count += 1
        self._forwarded += place.is_record
        if said.file_id and not place.is_record:
            return replace(said, group_id=self._group_id)
        # LLOneBot 3.24 gives every image of a message the link of the first one
        return replace(said, url="") if place.is_link_of_another(said) else said

    def _may_fetch(self) -> bool:
        self._fetched += 1
        return self._fetched <= _MAX_FETCHED and self._forwarded < _MAX_FORWARDED


class _Numbering:
    """What images are numbered in: a message, or a record."""

    def __init__(self, name: str, *, is_record: bool = False) -> None:
        self.name = name
        self.is_record = is_record
        self.count = 0
        self._links: dict[str, tuple[str, ...]] = {}
        self._record = self if is_record else None

    def is_link_of_another(self, said: ImageReference) -> bool:
        """Whether an image has the link of an earlier one here, although it is another image."""
        if said.link is None or said.face_id or said.file_id:
            return False
        names = (said.file, *said.md5s)
        return any(names) and self._links.setdefault(said.link.name, names) != names

    @property
    def record(self) -> "_Numbering":
        """What a record without an id, or a node, is numbered in if it stands here."""
        if self._record is None:
            self._record = _record(self.name)
        return self._record


def _record(name: str) -> _Numbering:
    # what has no name must not share one with others of its kind
    return _Numbering(f"forward:{name}" if name else "", is_record=True)
