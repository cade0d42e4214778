"""What is known of a process that runs a bot, or did until a moment ago."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ...config import ScopedConfig
from ...language import Text
from ..figures import duration_of
from ..line import Line
from ..machine.versions import about_versions
from ..store.lately import about_last_hour
from .implementations import about_bots
from .running import INTERVAL, RunningBot, public

_LATE = 2 * INTERVAL
"""Seconds after which a note is late, however busy the process is."""
_START = 30.0
"""Seconds that implementations may take to connect."""


def about_process(
    bot: RunningBot, config: ScopedConfig, here: str, found: Mapping[str, str]
) -> list[Line]:
    """Whether a process runs, as what, and which implementations are connected to it.

    Args:
        bot: what it said of itself.
        config: the settings of this folder.
        here: this folder.
        found: the versions of this Python and its packages.
    """
    said, about = bot.said, Text("process {pid}", pid=bot.said["pid"])
    age = duration_of(bot.age)
    if has_ended(bot):
        text = Text("there is no such process any more; it was last heard of {age} ago", age=age)
        cure = Text("it was killed or crashed: look at the end of its log, and start it again")
        return [Line("failed", about, text, cure)]
    text = Text(
        "runs in {folder}, driver {driver}, {versions}",
        folder=said["folder"],
        driver=said["driver"],
        versions=about_versions(said["versions"]),
    )
    if bot.age > _LATE:
        text = Text("{text}; last heard of {age} ago", text=text, age=age)
        cure = Text("it hangs, or was killed: look at its log, and start it again")
        return [Line("warning", about, text, cure)]
    if said["versions"] != found:
        text = Text("{text}: others than here", text=text)
        cure = Text("restart the bot, or use the Python that it runs with")
        first = Line("warning", about, text, cure)
    else:
        first = Line("ok", about, text)
    lines = [first, *_about_connections(bot)]
    if "last_hour" in said:  # which earlier versions do not tell
        lines.append(about_last_hour(**said["last_hour"]))
    return [*lines, *_about_settings(bot, config, here)]


def process_namespace() -> str:
    """Where process ids count, such as a container; empty where nobody can tell. Blocks."""
    if os.name == "nt":  # asking for a process by a signal would end it there
        return ""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "" if sys.platform == "linux" else sys.platform


def has_ended(bot: RunningBot) -> bool:
    """Whether the process has certainly ended: only where its id means here what it means there."""
    namespace = bot.said.get("namespace")
    comparable = namespace and namespace == process_namespace() and bot.host == socket.gethostname()
    if not comparable:
        return False
    try:
        os.kill(bot.said["pid"], 0)  # sends nothing
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's
        pass
    state, born = process_state(bot.said["pid"])
    # a process that has ended keeps its id until its parent has asked what came of it, and then
    # another process may get that id
    return state in ("Z", "X") or bool(born and born != bot.said.get("born", born))


def process_state(pid: int) -> tuple[str, str]:
    """How a process is, in one letter, and when it began, in a unit of the system's. Blocks.

    Returns:
        As Linux's ``/proc/<pid>/stat`` has them; both empty where nobody can tell.
    """
    try:
        # the name of the program, in parentheses, may hold anything
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""


def _about_connections(bot: RunningBot) -> list[Line]:
    up = time.time() - bot.said.get("started", 0)
    if bot.said["bots"] or up > _START:
        return about_bots(bot.said["bots"])
    text = Text(
        "no OneBot v11 implementation is connected yet; the bot was started {age} ago",
        age=duration_of(up),
    )
    return [Line("warning", Text("connection"), text, Text("ask again in half a minute"))]


def _about_settings(bot: RunningBot, config: ScopedConfig, here: str) -> list[Line]:
    settings = bot.said["settings"]
    others = [name for name, value in public(config).items() if settings.get(name) != value]
    if not others or bot.said["folder"] != here:
        return []
    text = Text(
        "it runs with other settings than .env says here: {names}",
        names=", ".join(f"QQIMAGE__{name.upper()}" for name in others),
    )
    return [
        Line("warning", Text("process {pid}", pid=bot.said["pid"]), text, Text("restart the bot"))
    ]
