"""Putting URLs of this bot into messages, for plugins that download what a segment says.

Nothing is fetched here: a served URL gets its image when somebody asks for it. It is a text that
remembers what stood in its place (`ServedText`), and references are always made from that.
"""

import inspect
from collections.abc import Iterable
from typing import Any, cast
from urllib.request import getproxies_environment, proxy_bypass

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.adapters.onebot.v11.utils import escape
from nonebot.matcher import Matcher

from ...config import ScopedConfig
from ...errors import QQImageError
from ...implementation.answers import is_link
from ...language import say
from ...log import logger
from ...messages.chats import chat_of
from ...messages.contents import forward_nodes
from ...messages.reader import Found, Reader, Walk, found_in
from ...messages.reference import ImageReference
from ...messages.segments import originals
from ...messages.texts.served import ServedText, let_yaml_write_it, received
from ...serving.links import Links
from ...serving.urls import token_of

_MAX_RAW = 1 << 20
"""Characters of a ``raw_message`` that is looked at; a longer one holds an image in base64."""
_HERE = "127.0.0.1"
"""Where this bot serves images, unless the operator has chosen another place."""
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

    def begin(self) -> None:
        """Call it once the bot has started: tells the operator why URLs would not work."""
        if not self.on:
            return
        let_yaml_write_it()
        if not self._links.can_serve:
            logger.warning(
                say(
                    "qqimage: QQIMAGE__REWRITE_URL has no effect, because this bot serves no "
                    "images. That needs a port to listen at (QQIMAGE__LISTEN), or a driver with an "
                    "HTTP server, such as DRIVER=~fastapi; the log says above what is wrong"
                )
            )
        elif "http" in getproxies_environment() and not proxy_bypass(_HERE):
            logger.warning(
                say(
                    "qqimage: HTTP_PROXY is set, so plugins ask the proxy for this bot's URLs. Set "
                    "NO_PROXY=127.0.0.1,localhost, too"
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
        put: list[ServedText] = []
        for message in (event.message, event.original_message):
            put += self.rewrite(Reader(self_id, chat=chat, own=own).message(message, message_id))
        event.raw_message = in_codes(event.raw_message, put)
        if (reply := event.reply) is not None:
            own = str(reply.sender.user_id) == self_id
            reader = Reader(self_id, chat=chat, own=own)
            put = self.rewrite(reader.message(reply.message, str(reply.message_id)))
            if isinstance(raw := getattr(reply, "raw_message", None), str):
                setattr(reply, "raw_message", in_codes(raw, put))  # noqa: B010  it may have it

    def in_answer(self, answer: object, walk: Walk) -> None:
        """Put served URLs into an answer that holds messages, in place.

        Args:
            answer: the answer.
            walk: of its messages, by a `Reader` that knows the bot.
        """
        put = self.rewrite(walk)
        for message in (answer, *forward_nodes(answer)):
            fields = cast(dict[str, Any], message) if isinstance(message, dict) else {}
            if isinstance(raw := fields.get("raw_message"), str):
                fields["raw_message"] = in_codes(raw, put)

    def rewrite(self, walk: Walk) -> list[ServedText]:
        """Put served URLs into the images of a walk, in place; shared files are left as they are.

        Args:
            walk: of a `Reader` that knows the bot.

        Returns:
            What was put in.
        """
        return [
            text
            for found in found_in(walk)
            if found.kind != "file"
            for text in self._put_into(found)
        ]

    def _put_into(self, found: Found) -> list[ServedText]:
        reference, data = found.reference, found.data
        url = "" if reference.content else self.served(reference)
        # a saved segment that came back without its originals has a served URL already
        if not url or token_of(reference.url):
            return []
        own = dict(originals(data))
        data.clear()  # of what an earlier release has put in, too
        data.update(own)
        # plugins look for a URL in `url`, and in `file` where the implementation puts it there
        in_file = str(own.get("file"))[:8].lower().startswith(("http://", "https://"))
        for field in ("url", "file") if in_file else ("url",):
            data[field] = ServedText(url, own.get(field), field not in own)
        return [data[field] for field in ("url", "file") if type(data.get(field)) is ServedText]

    def for_matcher(self, matcher: Matcher) -> None:
        """Let this run of a matcher see no served URLs, if its plugin is excluded.

        Messages and texts in the state are restored, too. The matcher's rule has run already;
        anything else that it put into the state stays as it is.
        """
        if not self.excludes(matcher):
            return
        run = matcher.run

        async def run_with_originals(*args: Any, **kwargs: Any) -> None:
            given = _RUN.bind(matcher, *args, **kwargs)
            given.arguments["event"] = received_event(given.arguments["event"])
            given.arguments["state"] = received(given.arguments["state"])
            if given.arguments.get("dependency_cache") is not None:
                # it holds what other matchers have made of the event with served URLs
                given.arguments["dependency_cache"] = {}
            await run(*given.args[1:], **given.kwargs)

        matcher.run = run_with_originals


def in_codes(text: str, put: Iterable[ServedText]) -> str:
    """Text as ``raw_message`` has it, with served URLs in the place of the links they replace.

    Args:
        text: the text; links in its CQ codes are escaped, or not.
        put: the served URLs.
    """
    if not text or len(text) > _MAX_RAW:
        return text
    links: dict[str | None, ServedText] = {}
    for it in put:  # the first image with a link, for some implementations give it to others, too
        if is_link(it.original):
            links.setdefault(it.original, it)
    served = {form(link): form(it) for form in (str, escape) for link, it in links.items() if link}
    healed = text
    for link in sorted(served, key=len, reverse=True):  # one may begin as another does
        healed = healed.replace(link, served[link])
    return text if healed == text else ServedText(healed, text)


def received_event(event: Any) -> Any:
    """An event in which every segment is as the implementation sent it: a copy, if it is one of
    a message."""
    if not isinstance(event, MessageEvent):
        return event
    copy = _copied(event)
    copy.reply = _copied(event.reply)
    for holder in (copy, copy.reply):
        for name in ("message", "original_message", "raw_message"):
            if holder is not None and hasattr(holder, name):
                setattr(holder, name, received(getattr(holder, name)))
    return copy


def _copied(model: Any) -> Any:
    """A shallow copy: plugins may have put into an event what cannot be copied, such as a lock."""
    if model is None:
        return None
    return model.model_copy() if hasattr(model, "model_copy") else model.copy()  # pydantic 1
