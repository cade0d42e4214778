"""``doctor --try``: each way to an image, tried by the bots that run, or from here alone."""

from ...doctor.bots.asking import Answer, ask
from ...doctor.bots.process import has_ended
from ...doctor.bots.running import RunningBot
from ...doctor.line import Line
from ...doctor.trials.served import about_served
from ...doctor.trials.ways import try_ways
from ...errors import StoreError
from ...language import Text, say
from ..session.session import Session

_MARGIN = 15.0
"""Seconds that a bot has to notice the request, beside those for the trial."""
_NO_BOT = Text("not tried, for no bot runs with this store")
_SERVED = Text("served URL")
_PUBLIC = Text("public URL")


async def try_each_way(session: Session, heard: list[RunningBot]) -> list[Line]:
    """What comes of each way, and which could not be tried, and why.

    Args:
        session: the store and the settings.
        heard: the bots that have left word.
    """
    alive = [bot.name for bot in heard if not has_ended(bot)]
    if not alive:
        if not session.there:
            return [Line("warning", Text("trial"), Text("nothing was tried: there is no store"))]
        tried = await try_ways(session.config, session.store)
        cure = Text("start the bot, and ask again")
        return [
            *tried.lines,
            *(Line("warning", what, _NO_BOT, cure) for what in ("get_image", _SERVED)),
        ]
    session.terminal.note(say("the bot tries each way, which may take a minute …"))
    try:
        # each of its connections may take that long
        connections = max(len(bot.said["bots"]) for bot in heard)
        timeout = _MARGIN + session.config.resolve_timeout * max(1, connections)
        answers = await ask(session.store, alive, timeout)
    except StoreError as error:
        return [Line("failed", Text("trial"), error.text)]
    lines: list[Line] = []
    for bot in heard:
        if bot.name in alive:
            lines += await _told(session, bot, answers.get(bot.name))
    return lines


async def _told(session: Session, bot: RunningBot, answer: Answer | None) -> list[Line]:
    about = Text("process {pid}", pid=bot.said["pid"])
    if answer is None:
        text = Text("nothing was tried: it did not answer")
        cure = Text("look whether it hangs, or is of an older version, and restart it")
        return [Line("failed", about, text, cure)]
    if not answer.lines:
        text = Text("get_image was not tried: no implementation is connected")
        return [Line("warning", about, text)]
    lines = list(answer.lines)
    max_size = session.config.max_image_size
    cures = {
        "own": Text(
            "from another container or machine, set QQIMAGE__LISTEN=0.0.0.0:8090, and "
            "QQIMAGE__BASE_URL to where that is reached from here; where HTTP_PROXY is set, set "
            "NO_PROXY=127.0.0.1,localhost, too"
        ),
        "public": Text(
            "look whether QQIMAGE__PUBLIC_URL leads to QQIMAGE__LISTEN or to this bot's HTTP port"
        ),
    }
    for name, url in answer.served.items():
        what = _PUBLIC if name == "public" else _SERVED
        lines.append(await about_served(url, what, max_size, cures[name]))
    if answer.unserved:
        lines.append(Line("warning", _SERVED, Text("not tried: {why}", why=answer.unserved)))
    elif not answer.served:
        lines.append(Line("warning", _SERVED, Text("not tried: there is no image to try")))
    return lines
