"""Putting URLs of this bot into messages, for plugins that download what a segment says.

Nothing is fetched here: a served URL gets its image when somebody asks for it. A segment keeps its
own values under the names in `segments.ORIGINALS`, and references are always made from those.
"""

import inspect
from copy import deepcopy
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Message, MessageEvent
from nonebot.consts import PREFIX_KEY
from nonebot.matcher import Matcher

from ..config import ScopedConfig
from ..errors import QQImageError
from ..language import say
from ..log import logger
from ..messages.chats import chat_of
from ..messages.reader import Found, Reader, Walk, found_in
from ..messages.reference import ImageReference
from ..messages.segments import ORIGINALS, originals
from ..serving.links import Links
from ..serving.urls import token_of

_RUN = inspect.signature(Matcher.run)


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

    def warn_if_not_served(self) -> None:
        """Tell the operator, once the bot has started, where URLs are wanted but not served."""
        if self.on and not self._links.can_serve:
            logger.warning(
                say(
                    "qqimage: QQIMAGE__REWRITE_URL has no effect, because this bot serves no "
                    "images. That needs a port to listen at (QQIMAGE__LISTEN), or a driver with an "
                    "HTTP server, such as DRIVER=~fastapi; the log says above what is wrong"
                )
            )

    @property
    def on(self) -> bool:
        """Whether there are chats whose messages get served URLs."""
        return self._everywhere or bool(self._chats)

    @property
    def excluding(self) -> bool:
        """Whether some plugins see the messages without served URLs."""
        return bool(self._excluded)

    def serves(self, chat: str) -> bool:
        """Whether the messages of a chat get served URLs.

        Args:
            chat: as in `Sighting.chat`; empty where it is not known.
        """
        if not self._links.can_serve:
            return False
        kind, _, number = chat.partition(":")
        bare = number if kind in ("group", "private") else chat  # which settings may say alone
        return self._everywhere or not self._chats.isdisjoint((chat, bare))

    def excludes(self, matcher: Matcher | type[Matcher]) -> bool:
        """Whether a matcher belongs to an excluded plugin, or to a part of one."""
        if not self._excluded:
            return False
        names = {matcher.plugin_name, matcher.plugin_id, matcher.module_name}
        plugin = matcher.plugin
        while plugin is not None:
            names |= {plugin.name, plugin.module_name}
            plugin = plugin.parent_plugin
        return not self._excluded.isdisjoint(names)

    def served(self, reference: ImageReference) -> str:
        """The served URL of an image; empty where it has none."""
        try:
            return self._links.url(reference, public=self._public)
        except (QQImageError, ValueError):  # nothing about it fits into a URL
            return ""

    def in_event(self, event: MessageEvent) -> None:
        """Put served URLs into an event's message, and into the message it quotes."""
        chat, self_id, message_id = chat_of(event), str(event.self_id), str(event.message_id)
        if not self.serves(chat):
            return
        own = str(event.user_id) == self_id
        for message in (event.message, event.original_message):
            self.rewrite(Reader(self_id, chat=chat, own=own).message(message, message_id))
        if event.reply is not None:
            own = str(event.reply.sender.user_id) == self_id
            reader = Reader(self_id, chat=chat, own=own)
            self.rewrite(reader.message(event.reply.message, str(event.reply.message_id)))

    def rewrite(self, walk: Walk) -> None:
        """Put served URLs into the images of a walk, in place; shared files are left as they are.

        Args:
            walk: of a `Reader` that knows the bot.
        """
        for found in found_in(walk):
            if found.kind != "file":
                self._put_into(found)

    def _put_into(self, found: Found) -> None:
        reference, data = found.reference, found.data
        url = "" if reference.content else self.served(reference)
        own = originals(data)
        # a saved segment that came back without its originals has a served URL already
        if not url or token_of(reference.url):
            return
        # plugins look for a URL in `url`, and in `file` where the implementation puts it there
        in_file = str(own.get("file"))[:8].lower().startswith(("http://", "https://"))
        for field in ("url", "file") if in_file else ("url",):
            data[ORIGINALS[field]] = own.get(field)
            data[field] = url

    def for_matcher(self, matcher: Matcher) -> None:
        """Let this run of a matcher see no served URLs, if its plugin is excluded.

        Messages in the state are restored, too. The matcher's rule has run already; anything else
        that it put into the state stays as it is.
        """
        if not self.excludes(matcher):
            return
        run = matcher.run

        async def run_with_originals(*args: Any, **kwargs: Any) -> None:
            given = _RUN.bind(matcher, *args, **kwargs)
            restored = {"event": restored_event, "state": _restored_state}
            for name, restore in restored.items():
                given.arguments[name] = restore(given.arguments[name])
            if given.arguments.get("dependency_cache") is not None:
                # it holds what other matchers have made of the event with served URLs
                given.arguments["dependency_cache"] = {}
            await run(*given.args[1:], **given.kwargs)

        matcher.run = run_with_originals


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


def _restore(message: Message) -> None:
    for found in found_in(Reader().message(message, "")):
        own = originals(found.data)
        if own is not found.data:
            found.data.clear()
            found.data.update(own)
