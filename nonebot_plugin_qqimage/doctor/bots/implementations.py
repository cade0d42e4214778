"""What is known of the implementations, and what that means for pictures."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nonebot.adapters.onebot.v11 import Adapter

from ...implementation.implementation import Implementation
from ...language import Text
from ..figures import duration_of, images_of, size_of
from ..line import Line

_ACTIONS = ("get_image", "get_rkey", "get_rkey_server", "nc_get_rkey")
_HEADER = 2048
_FILE_NAME = re.compile(r"[^\\/]*$")
_NAPCAT = "NapCat.Onebot"
_HAS_KEYS = {
    _NAPCAT: Text("update it to a version that has get_rkey (NapCat 4.7.16)"),
    "LLOneBot": Text("update it to a version that has get_rkey (LuckyLilliaBot 5.3)"),
    "": Text("update it to a version that has get_rkey (LuckyLilliaBot 5.3, NapCat 4.7.16)"),
}
_HAVE_THEM_SENT_AGAIN = Text("keep QQIMAGE__PREFETCH on, so that images come while links live")
_SHARE = Text(
    "share its folder with this bot and say so in QQIMAGE__PATH_MAP; without, only links are left"
)
_SHARE_OR_INLINE = Text(
    "share its folder with this bot and say so in QQIMAGE__PATH_MAP, or turn on NapCat's "
    "enableLocalFile2Url; without, only links are left"
)
_QQ_IS_STUCK = Text("QQ itself is slow or stuck: look at the implementation's log, and restart it")
_HOST_IS_SLOW = Text(
    "it downloads from QQ's image host, which does not answer it in time: check its network"
)
_REVERSE = ("nonebot.drivers.fastapi", "nonebot.drivers.quart")


def known_of(implementation: Implementation) -> dict[str, Any]:
    """What is known of an implementation by now, for JSON."""
    profile, bot = implementation.profile, implementation.bot
    return {
        "bot": bot.self_id,
        "adapter": bot.adapter.get_name(),
        "connection": _connection(implementation),
        "connected": implementation.connected,
        "name": profile.name,
        "version": list(profile.version),
        "lacks": [action for action in _ACTIONS if implementation.lacks(action)],
        "inlines": profile.inlines,
        "reads_files": profile.reads_files,
        # not which picture, for whoever asks may not be of its chat
        "unreadable": _FILE_NAME.sub("", profile.unreadable),
        "hangs": profile.unresponsive,
        "downloads_itself": profile.downloads_itself,
        "frame_limit": implementation.frame_limit,
        "broken_by": implementation.frames.broken_by,
        "dropped": implementation.history.dropped,
    }


def about_bots(bots: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Which bots are connected, and what can be said of the implementation of each."""
    lines = [line for bot in bots for line in about_implementation(bot)]
    if lines:
        return lines
    text = Text("no OneBot v11 implementation is connected")
    cure = Text("look at the implementation's log: its address and token must be those of the bot")
    return [Line("warning", Text("connection"), text, cure)]


def about_implementation(known: Mapping[str, Any]) -> Iterator[Line]:
    """What can be said of one implementation.

    Args:
        known: see `known_of`.
    """
    about = Text("bot {self_id}", self_id=known["bot"])
    yield Line("ok", about, _who(known))
    yield from _get_image(about, known)
    yield _keys(about, known)
    yield from _files(about, known)
    yield from _frames(about, known)


def _who(known: Mapping[str, Any]) -> Text:
    version = ".".join(map(str, known["version"]))
    name = known["name"] or Text("an implementation (asked for its name within 30 s)")
    return Text(
        "{name} by {connection}, connected for {time}",
        name=Text("{name} {version}", name=name, version=version) if version else name,
        connection=_way(known["connection"]),
        time=duration_of(time.time() - known["connected"]),
    )


def _way(connection: str) -> str:
    way, _, driver = connection.partition(" WebSocket ")
    if way == "reverse":
        return Text("reverse WebSocket {driver}", driver=driver)
    return Text("forward WebSocket {driver}", driver=driver) if driver else connection


def _get_image(about: str, known: Mapping[str, Any]) -> Iterator[Line]:
    if known["hangs"]:
        yield Line(
            "failed",
            about,
            Text("get_image does not answer: links are tried first for a while"),
            _HOST_IS_SLOW if known.get("downloads_itself") else _QQ_IS_STUCK,
        )
    elif "get_image" in known["lacks"]:
        yield Line(
            "warning",
            about,
            Text("there is no get_image: images come by their links and fresh keys alone"),
            Text("keep QQIMAGE__PREFETCH on, and let this bot reach the image host"),
        )
    else:
        inlines = {
            True: Text("get_image answers with base64"),
            False: Text("get_image answers with a path or a link, without base64"),
            None: Text("get_image: nothing known yet, for no image had to be asked for"),
        }
        yield Line("ok", about, inlines[known["inlines"]])


def _keys(about: str, known: Mapping[str, Any]) -> Line:
    if {"get_rkey", "get_rkey_server"} <= set(known["lacks"]):
        return Line(
            "warning",
            about,
            Text("it gives no fresh keys: a dead link stays dead"),
            _HAS_KEYS.get(known["name"], _HAVE_THEM_SENT_AGAIN),
        )
    return Line("ok", about, Text("it gives fresh keys, as far as known"))


def _files(about: str, known: Mapping[str, Any]) -> Iterator[Line]:
    if known["reads_files"]:
        yield Line("ok", about, Text("its files are readable here"))
    elif known["reads_files"] is False:
        yield Line(
            "warning",
            about,
            Text(
                "its files are not readable here, such as those in {folder}",
                folder=known["unreadable"],
            ),
            _SHARE_OR_INLINE if known["name"] in (_NAPCAT, "") else _SHARE,
        )


def _frames(about: str, known: Mapping[str, Any]) -> Iterator[Line]:
    limit, broken = known["frame_limit"], known["broken_by"]
    if broken is not None:
        yield Line(
            "warning",
            about,
            Text(
                "the connection broke when it was asked for {images}; answers over {size} "
                "are avoided since",
                images=images_of(known["dropped"]),
                size=size_of(broken),
            ),
            Text("let QQIMAGE__FRAME_LIMIT be what the connection really carries"),
        )
    if limit is None:
        yield Line("ok", about, Text("answers may have any size"))
        return
    limit_size, largest = size_of(limit), size_of((limit - _HEADER) // 4 * 3)
    if known["inlines"]:
        text = Text(
            "its connection carries answers up to {limit}; images over {largest} are not asked for "
            "as base64, which would break it",
            limit=limit_size,
            largest=largest,
        )
        yield Line("warning", about, text, _more(known["connection"]))
    elif known["inlines"] is False:
        yield Line(
            "ok", about, Text("its connection carries answers up to {limit}", limit=limit_size)
        )
    else:
        text = Text(
            "its connection carries answers up to {limit} (base64 of an image up to {largest})",
            limit=limit_size,
            largest=largest,
        )
        yield Line("ok", about, text)


def _more(connection: str) -> Text:
    if connection.startswith("reverse"):
        return Text(
            "to allow more, start by nonebot.run(ws_max_size=64 << 20) in bot.py, and set "
            "QQIMAGE__FRAME_LIMIT=67108864"
        )
    return Text("to allow more, connect by reverse WebSocket (16 MiB) or DRIVER=~aiohttp (4 MiB)")


def _connection(implementation: Implementation) -> str:
    adapter = implementation.bot.adapter
    connections = adapter.connections if isinstance(adapter, Adapter) else {}
    connection = connections.get(implementation.bot.self_id)
    if connection is None:
        return "HTTP"
    module = type(connection).__module__
    way = "reverse" if module in _REVERSE else "forward"
    return f"{way} WebSocket ({module.rpartition('.')[2]})"
