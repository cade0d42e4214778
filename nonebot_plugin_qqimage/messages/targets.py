"""Targets: everything by which an author may name an image, read into an `ImageReference`."""

import inspect
import re
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, Protocol, cast

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import MessageSegment

from ..language import Text
from .contents import segments_of
from .reference import ImageReference, from_uri
from .segments import from_segment, parts_of
from .sighting import Sighting


class HasOrigin(Protocol):
    """What was made from a segment, such as the ``Image`` of nonebot-plugin-alconna."""

    @property
    def origin(self) -> Any:
        """The segment."""
        ...


_QQ = re.compile(r"https?://([^/?#@\\\s]*\.)?(qq\.com|qq\.com\.cn|qpic\.cn)(:\d+)?/", re.IGNORECASE)
Target = MessageSegment | Mapping[str, Any] | ImageReference | Sighting | HasOrigin | str
"""What `reference_of` takes."""


def reference_of(target: object) -> ImageReference:
    """The image that a target names.

    Args:
        target: an image segment, also as a mapping; alconna's ``Image``; a CQ code, a link of QQ
            or a ``qqimage:`` URI; a reference or a sighting.

    Raises:
        TypeError: it is of a type that names no image; the message says what to do.
        ValueError: it names none, or several.
    """
    if isinstance(target, ImageReference):
        return target
    if isinstance(target, Sighting):
        return replace(target.reference, sha256=target.sha256)
    if isinstance(target, str):
        return _from_text(target)
    if isinstance(target, (MessageSegment, Mapping)):
        return _from_segment(cast(object, target))
    if hasattr(target, "origin"):
        return _from_origin(target)
    if inspect.iscoroutine(target):
        cast(Coroutine[Any, Any, Any], target).close()  # this error says it; no warning is needed
        raise _wrong(TypeError, Text("this must be awaited first"))
    if isinstance(target, Event):
        raise _wrong(TypeError, Text("an event may hold several: ask `await resolver.images(…)`"))
    if isinstance(target, list):
        raise _wrong(TypeError, Text("this is a list: give one of what is in it"))
    raise _wrong(TypeError, Text("a {type} names no image", type=type(target).__name__))


def _from_text(text: str) -> ImageReference:
    if text.startswith("[CQ:"):
        segments = segments_of(text)
        if len(segments) != 1:
            raise _wrong(ValueError, Text("this is more than one CQ code"))
        return _from_segment(segments[0])
    reference = from_segment({"type": "image", "data": {"url": text}})
    if reference and reference.url and (reference.link or reference.md5s or _QQ.match(text)):
        return reference
    return from_uri(text)


def _from_segment(segment: object) -> ImageReference:
    reference = from_segment(segment)
    if reference is None:
        kind = parts_of(segment)[0]
        raise _wrong(ValueError, Text("not an image segment: {type}", type=kind or "?"))
    return reference


def _from_origin(made: object) -> ImageReference:
    origin = getattr(made, "origin", None)
    if origin is not None:
        return _from_segment(origin)
    # an author may also make one by hand
    data = {"file": getattr(made, "id", None) or "", "url": getattr(made, "url", None) or ""}
    if not any(data.values()):
        raise _wrong(ValueError, Text("it was made from no segment, and has neither id nor URL"))
    return _from_segment({"type": "image", "data": data})


def checked_event(event: object) -> Event:
    """The event itself.

    Raises:
        TypeError: it is none, such as a message; the text says what it is.
    """
    if not isinstance(event, Event):
        text = Text("an event is needed here, not a {type}", type=type(event).__name__)
        raise TypeError(text.local)
    return event


def _wrong(kind: type[Exception], why: Text) -> Exception:
    text = Text(
        "{why}. An image is named by a segment, a CQ code, a link, a qqimage:<sha256> URI, a "
        "reference or a sighting",
        why=why,
    )
    return kind(text.local)
