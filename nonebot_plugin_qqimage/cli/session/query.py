"""Saying which images are meant: the terms of ``export``, and the filters of ``list``."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...content.bounds import DECODERS, type_named
from ...language import Text, say
from ...messages.chats import is_chat
from ...store.local.facts import Selection
from .session import USAGE, Complaint

HELP = Text(
    "which images; all terms must fit: all, the first 4 or more digits of a SHA-256, "
    "chat:group:123, chat:private:123, user:123, since:2026-01-31 or since:7d, type:png"
)
_DIGEST = re.compile("[0-9a-f]{4,64}")
_AGO = re.compile(r"(\d{1,6})([dh])")


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Let a command understand the filters, as options."""
    parser.add_argument("--chat", help=say("seen in this chat: group:123 or private:123"))
    parser.add_argument("--user", help=say("sent by this user"))
    parser.add_argument("--since", help=say("used since: 2026-01-31, 2026-01-31T12:00, 7d or 12h"))
    parser.add_argument("--type", help=say("such as png"))


def from_options(arguments: argparse.Namespace) -> Selection:
    """What the options say.

    Raises:
        Complaint: they make no sense.
    """
    names = ("chat", "user", "since", "type")
    given = {name: getattr(arguments, name) for name in names}
    return from_terms([f"{name}:{value}" for name, value in given.items() if value is not None])


def from_terms(terms: Sequence[str]) -> Selection:
    """What the terms of a query say.

    Raises:
        Complaint: they make no sense.
    """
    selection = Selection()
    # several may have been quoted as one; an empty one is a mistake, and does not mean all
    for term in [word for each in terms for word in each.split() or [each]]:
        name, _, value = term.partition(":")
        if name == "chat":
            selection = replace(selection, chat=chat(value))
        elif name == "user" and value:
            selection = replace(selection, user=value)
        elif name == "since":
            selection = replace(selection, since=_since(value))
        elif name == "type" and value:
            selection = replace(selection, mime=_mime(value))
        elif _DIGEST.fullmatch(term.lower()):
            selection = replace(selection, prefix=term.lower())
        elif term != "all":
            text = say("{term!r} says nothing about images; {help}", term=term, help=HELP)
            raise Complaint(text, USAGE)
    return selection


def chat(text: str) -> str:
    """The name of a chat, as sightings have it.

    Raises:
        Complaint: it is none.
    """
    if not is_chat(text):
        complaint = say("{text!r} is no chat: write group:123 or private:123", text=text)
        raise Complaint(complaint, USAGE)
    return text


def _mime(text: str) -> str:
    kind = type_named(text)
    if kind is None:
        complaint = say(
            "{text!r} is no type of images: write one of {types}",
            text=text,
            types=", ".join(DECODERS),
        )
        raise Complaint(complaint, USAGE)
    return f"image/{kind}"


def _since(text: str) -> float:
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            hours = int(ago[1]) * (24 if ago[2] == "d" else 1)
            return (datetime.now() - timedelta(hours=hours)).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        complaint = say("{text!r} is no time: write 2026-01-31, or 7d", text=text)
        raise Complaint(complaint, USAGE) from None
