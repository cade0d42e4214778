"""What may be shown of strangers' text: on one line, without keys, and nothing a terminal obeys."""

import logging
import re
from contextlib import suppress

from .language import Text

_MAX_DETAIL = 300
"""Characters of a stranger's text that a log shows."""
# in a URL, escaped or not, or as a field of JSON; and in a header
_KEYS = re.compile(
    r"""((?:rkey|token|qqimage)(?:=|%(?:25)*3D|\\*["']\s*:\s*\\*["'])|bearer\s+)[^&\s"'<>]+""",
    re.IGNORECASE,
)
# user:password@ of a proxy or mirror, which libraries repeat in their errors
_CREDENTIALS = re.compile(r"(://)[^/?#\s\"'<>]*@")


def hide_keys(text: str) -> str:
    """The text with the value of every ``rkey`` or token replaced, and user names in URLs."""
    return _CREDENTIALS.sub(r"\1***@", _KEYS.sub(r"\1***", text))


def mask_password(url: str) -> str:
    """The URL of a database, without whoever logs in there, and without what it says of how."""
    # up to the last @, for passwords hold anything; and options may say another one
    return re.sub(r"^([a-z]*:?/*).*@", r"\1***@", url.partition("?")[0], flags=re.DOTALL)


def mask_keys(text: str) -> str:
    """What a log may show of a stranger's text: one line, shortened, without keys.

    Characters that cannot be printed are escaped: terminals obey some of them, others turn the
    direction of the text around them, and half an emoji, as JSON can carry it, fits into no log.
    """
    shown = hide_keys(" ".join(text.split()))
    if not shown.isprintable():
        shown = "".join(map(_printable, shown))
    return shown if len(shown) <= _MAX_DETAIL else shown[:_MAX_DETAIL] + "…"


def one_line(text: str) -> str:
    """The whole text on one line, as a log, a terminal or a chat may show it, without keys."""
    shown = hide_keys(text)
    return shown if shown.isprintable() else "".join(map(_printable, shown))


def mask_logger(name: str) -> None:
    """Mask keys and tokens in what is logged under a name of `logging`, whoever does it."""
    logging.getLogger(name).addFilter(_mask_record)


def _mask_record(record: logging.LogRecord) -> bool:
    with suppress(Exception):  # a record that cannot be formatted is for its handler to report
        if isinstance(record.args, tuple):  # uvicorn's handlers want them one by one
            record.args = tuple(
                hide_keys(each) if isinstance(each, str) else each for each in record.args
            )
        text = record.getMessage()
        if (hidden := hide_keys(text)) != text:
            record.msg, record.args = hidden, ()
    return True


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def masked(text: str) -> str:
    """The text with `mask_keys` used on it, or on the values in it if they are known."""
    return text.with_values(mask_keys) if isinstance(text, Text) else mask_keys(text)
