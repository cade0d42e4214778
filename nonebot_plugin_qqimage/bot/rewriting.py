"""Swapping URLs of ours into messages, for plugins that download what a segment says.

Nothing is fetched here: a served URL resolves its image when somebody asks for it. A segment keeps
its own values under the names in `reference.ORIGINALS`, and references are always made from those.
"""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Message, MessageEvent
from nonebot.consts import PREFIX_KEY
from nonebot.log import logger
from nonebot.matcher import Matcher

from ..config import ScopedConfig
from ..errors import QQImageError
from ..messages.contents import content_place, forward_nodes
from ..messages.finding import chat_of, segments_of
from ..messages.reference import (
    ORIGINALS,
    ImageReference,
    from_segment,
    from_uri,
    originals,
    parts_of,
)
from ..serving.links import Links
from ..serving.urls import token_of

_MAX_DEPTH = 5
_MAX_IMAGES = 200
"""Images swapped in one message or record; QQ itself allows far fewer."""


class Rewriting:
    """What is rewritten, and for whom.

    Args:
        config: the settings.
        links: makes the URLs, once images are served.
    """

    def __init__(self, config: ScopedConfig, links: Links) -> None:
        self._links = links
        self._everywhere = config.rewrite_url is True
        self._chats = (
            set(map(str, config.rewrite_url))
            if isinstance(config.rewrite_url, list)
            else set[str]()
        )
        self._excluded = set(config.rewrite_exclude)
        self._public = bool(config.public_url)

    def say_if_in_vain(self) -> None:
        """Tell the operator, once images would be served, that they are not."""
        if self.on and not self._links.can_serve:
            logger.warning(
                "qqimage: QQIMAGE__REWRITE_URL stays without effect, for images are not served. "
                "That needs a driver with an HTTP server, such as DRIVER=~fastapi"
            )

    @property
    def on(self) -> bool:
        """Whether there are chats in which URLs are swapped."""
        return self._everywhere or bool(self._chats)

    @property
    def excluding(self) -> bool:
        """Whether some plugins get the originals."""
        return bool(self._excluded)

    def serves(self, chat: str) -> bool:
        """Whether plugins get served URLs in a chat; an empty one is a chat nobody knows."""
        if not self._links.can_serve:
            return False
        return self._everywhere or not self._chats.isdisjoint((chat, chat.partition(":")[2]))

    def excludes(self, matcher: Matcher | type[Matcher]) -> bool:
        """Whether a matcher's plugin, or one that this is a part of, gets the originals."""
        if not self._excluded:
            return False
        names = {matcher.plugin_name, matcher.plugin_id, matcher.module_name}
        plugin = matcher.plugin
        while plugin is not None:
            names |= {plugin.name, plugin.module_name}
            plugin = plugin.parent_plugin
        return not self._excluded.isdisjoint(names)

    def served(self, reference: ImageReference) -> str:
        """The served URL of an image; empty where there can be none."""
        try:
            return self._links.url(reference, public=self._public)
        except (QQImageError, ValueError):  # nothing about it fits into a URL
            return ""

    def in_event(self, event: MessageEvent) -> None:
        """Swap URLs into an event's message, and into that which it quotes."""
        if not self.serves(chat_of(event)):
            return
        self_id, message_id = str(event.self_id), str(event.message_id)
        self.in_message(event.message, self_id, message_id)
        self.in_message(event.original_message, self_id, message_id)
        if event.reply is not None:
            self.in_message(event.reply.message, self_id, str(event.reply.message_id))

    def in_message(self, message: Iterable[object], self_id: str, message_id: str) -> None:
        """Swap URLs into a message's segments, and into the records forwarded in it."""
        self._in_segments(message, _Walk(self_id), message_id, 0)

    def in_content(self, holder: object, self_id: str, message_id: str) -> None:
        """Swap URLs into a message as APIs answer it, whatever its shape.

        Args:
            holder: the mapping that has the message's content, segments or CQ codes.
            self_id: the bot.
            message_id: the message.
        """
        self._in_holder(holder, _Walk(self_id), message_id, 0)

    def in_record(self, record: object, self_id: str, record_id: str) -> None:
        """Swap URLs into a forwarded record as APIs answer it.

        Args:
            record: the answer.
            self_id: the bot.
            record_id: what the record was asked for by.
        """
        walk = _Walk(self_id)
        for node in forward_nodes(record):
            self._in_holder(node, walk, f"forward:{record_id}", 1)

    def for_matcher(self, matcher: Matcher) -> None:
        """Let this one run of a matcher see the originals, if its plugin is excluded.

        Its rule has run already, and what that put into the state on its own stays as it was;
        messages in the state are restored.
        """
        if not self.excludes(matcher):
            return
        run = matcher.run

        async def run_with_originals(
            bot: Any, event: Any, state: Any, stack: Any = None, dependency_cache: Any = None
        ) -> None:
            # the cache holds what other matchers had made from the event
            await run(bot, restored_event(event), _restored_state(state), stack, {})

        matcher.run = run_with_originals

    def _in_segments(
        self, segments: Iterable[object], walk: "_Walk", message_id: str, depth: int
    ) -> bool:
        """Whether any segment was given a URL."""
        changed = False
        for segment in segments if depth <= _MAX_DEPTH else ():
            kind, data = parts_of(segment)
            if kind == "forward":
                name = data.get("id")
                inner = f"forward:{name}" if isinstance(name, (str, int)) and name else message_id
                for node in forward_nodes(data.get("content")):
                    changed |= self._in_holder(node, walk, inner, depth + 1)
            elif kind == "node":
                changed |= self._in_holder(data, walk, message_id, depth + 1)
            else:
                reference = walk.next(segment, message_id, depth)
                if reference is not None and kind != "file":
                    changed |= self._swap(cast(dict[str, Any], data), reference)
        return changed

    def _in_holder(self, holder: object, walk: "_Walk", message_id: str, depth: int) -> bool:
        place, field = content_place(holder)
        content = place.get(field)
        segments = segments_of(content)
        changed = self._in_segments(segments, walk, message_id, depth)
        if changed and isinstance(content, str):
            cast(dict[str, Any], place)[field] = str(segments)
        return changed

    def _swap(self, data: dict[str, Any], reference: ImageReference) -> bool:
        url = "" if reference.content else self.served(reference)
        own = originals(data)
        # a segment that was saved, and has come back without its originals, is ours already
        if not url or token_of(reference.url):
            return False
        # plugins look for a URL in `url`, and in `file` where the implementation puts it there
        in_file = str(own.get("file"))[:8].lower().startswith(("http://", "https://"))
        for field in ("url", "file") if in_file else ("url",):
            data[ORIGINALS[field]] = own.get(field)
            data[field] = url
        return True


class _Walk:
    """Counts the images on the way through one message, as `finding` and `forwards` do."""

    def __init__(self, self_id: str) -> None:
        self._self_id = self_id
        self._positions: Counter[str] = Counter()

    def next(self, segment: object, message_id: str, depth: int) -> ImageReference | None:
        """What the next segment of a message refers to, if it is an image."""
        position = self._positions[message_id]
        reference = from_segment(segment, self._self_id, message_id, position)
        if reference is None or self._positions.total() >= _MAX_IMAGES:
            return None
        self._positions[message_id] += 1
        return replace(reference, forwarded=True) if depth else reference


def referred(text: str, links: Links) -> ImageReference | None:
    """The image that a URL of ours or a ``qqimage:`` URI stands for; None for any other text."""
    if text.startswith("qqimage:"):
        try:
            return from_uri(text)
        except ValueError:
            return None
    return links.open(text)


def restored_event(event: Any) -> Any:
    """A copy of an event in which every segment is as the implementation sent it."""
    if not isinstance(event, MessageEvent):
        return event
    copy = deepcopy(event)
    messages = [copy.message, copy.original_message]
    for message in [*messages, copy.reply.message] if copy.reply else messages:
        _restore(message)
    return copy


def _restored_state(state: dict[Any, Any]) -> dict[Any, Any]:
    def restored(value: Any) -> Any:
        if not isinstance(value, Message):
            return value
        copy = deepcopy(value)
        _restore(copy)
        return copy

    copy = {key: restored(value) for key, value in state.items()}
    if isinstance(prefix := copy.get(PREFIX_KEY), dict):  # the command's argument is in there
        copy[PREFIX_KEY] = {
            key: restored(value) for key, value in cast(dict[str, Any], prefix).items()
        }
    return copy


def _restore(content: object) -> None:
    """Put the originals back, in records that are forwarded too."""
    if isinstance(content, dict):
        data = cast(dict[str, Any], content)
        own = originals(data)
        if own is not data:
            data.clear()
            data.update(own)
        for value in data.values():
            _restore(value)
    elif isinstance(content, list):
        for item in cast(list[object], content):
            _restore(getattr(item, "data", item))
