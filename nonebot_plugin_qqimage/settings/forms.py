"""The form that the value of each setting has, in words, for who has written another one."""

import json
import re
from collections.abc import Iterable

from ..config import ScopedConfig
from ..language import Text, localized, with_semicolons
from ..masking import mask_keys

PREFIX = "QQIMAGE__"
"""What the name of every setting starts with."""
_URL = Text("an http:// or https:// URL to put a path after, such as http://127.0.0.1:8080")
_FORMS = {
    "path_map": Text(
        'a JSON object of two paths each, theirs and ours, such as {"/app/data": "/data"}'
    ),
    "mirrors": Text(
        "a JSON object: each host without a scheme, and the http:// or https:// URL of its reverse "
        'proxy, such as {"multimedia.nt.qq.com.cn": "https://img.example.com"}',
    ),
    "proxy": Text(
        "a URL that starts with http://, https://, socks5:// or socks5h://, such as "
        "http://127.0.0.1:7890"
    ),
    "trusted_hosts": Text(
        "a JSON list of host names, addresses or networks, without scheme or port, such as "
        '["nas.lan", "10.0.0.5", "10.1.0.0/16"]'
    ),
    "shared_store": Text(
        "a URL of a PostgreSQL database, such as postgresql://user:password@db.lan/qqimage"
    ),
    "frame_limit": Text("a whole number of bytes, or 0 for what the driver allows"),
    "language": Text("auto, zh or en"),
    "rewrite_url": Text(
        'true, false, or a JSON list of chats, such as ["group:123456", "private:10001"]'
    ),
    "rewrite_exclude": Text('a JSON list of the names of plugins, such as ["my_plugin"]'),
    "listen": Text(
        "a host or address, with a port behind a colon or without one, such as 0.0.0.0:8090"
    ),
    "base_url": _URL,
    "public_url": _URL,
}
# a proxy without a scheme may hold a password all the same
_USER = re.compile(r"^[^/?#@]*@")


class UnusableSettings(ValueError):
    """Settings that make no sense. The text is one line, in the language of the operator.

    It carries no traceback: NoneBot logs it when it loads the plugin, and there is nothing in our
    code to look at.

    Args:
        troubles: what is wrong with each, in words.
    """

    __traceback__ = None

    def __init__(self, troubles: Iterable[str]) -> None:
        self.troubles = tuple(troubles)
        """What is wrong with each."""
        super().__init__(with_semicolons(self.troubles))

    def __str__(self) -> str:
        return localized(self.args[0])


def unusable(field: str, value: object = None) -> Text:
    """What to say of a setting whose value cannot be used: its name, the value, and its form.

    Args:
        field: the name of the setting, in lower case; empty for all of them together.
        value: what was written, if that is known; passwords and keys in it are masked.
    """
    said = "" if value is None else "=" + shown(value)
    name = PREFIX + field.upper() if field else PREFIX.rstrip("_")
    return Text(
        "{name}{said} cannot be used: it must be {form}", name=name, said=said, form=form_of(field)
    )


def form_of(field: str) -> Text:
    """The form of a setting's value, in words."""
    if field in _FORMS:
        return _FORMS[field]
    default = vars(ScopedConfig()).get(field)
    if isinstance(default, bool):
        return Text("true or false")
    if isinstance(default, int):
        return Text("a whole number above 0, such as {default}", default=default)
    if isinstance(default, float):
        return Text("a number above 0, such as {default:g}", default=default)
    return Text("a JSON object of settings, or one line for each, such as QQIMAGE__PREFETCH=true")


def shown(value: object) -> str:
    """A value as it may be shown: on one line, without passwords and keys."""
    if isinstance(value, str):
        return mask_keys(json.dumps(_USER.sub("***@", value), ensure_ascii=False))
    return mask_keys(json.dumps(value, ensure_ascii=False, default=str))
