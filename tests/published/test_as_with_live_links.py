"""Published plugins do with dead links and with us what they do with live links and without us.

Each does its job three times: with live links and without us, with dead links and without us, and
with dead links and with us. What the first and the last have called and kept must be the same.
"""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from .chat import OTHER_GROUP, PLUS_ONE_GROUP, STICKER_GROUP, Chat, Said, chatting

Job = Callable[[Chat, bytes], Awaitable[object]]


def picture(number: int) -> bytes:
    """A picture of its own, half black and half white."""
    image = Image.new("L", (60 + 2 * number, 64), "white")
    image.paste(0, (0, 0, 30 + number, 64))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def mirror(chat: Chat, data: bytes) -> None:
    """alconna's ``image_fetch``, of the message and of a quoted one."""
    await chat.say("/对称", chat.implementation.picture(data, kind="private"))
    quoted = chat.earlier(chat.implementation.picture(data, kind="private"))
    await chat.say("/对称", quote=quoted)


async def draw(chat: Chat, data: bytes) -> None:
    """An httpx client with a TLS context of its own."""
    await chat.say("/字符画", chat.implementation.picture(data, kind="private"))


async def collect(chat: Chat, data: bytes) -> object:
    """``got``, aiohttp, and a URL cut out of the CQ code."""
    await chat.say("/添加 猫")
    await chat.said()
    await chat.say(chat.implementation.picture(data, kind="private"))
    await chat.said()
    file = chat.bot.library / "library" / "猫1.png"
    return file.read_bytes() if file.exists() else None


async def learn(chat: Chat, data: bytes) -> None:
    """httpx's default client; the picture is kept and sent later."""
    await chat.say("问早安答", chat.implementation.picture(data, kind="private"))
    await chat.said()
    await chat.say("早安")


async def repeat(chat: Chat, data: bytes) -> None:
    """What two people have said is sent again, text with a picture."""
    shown = chat.implementation.picture(data)
    for _ in range(2):
        await chat.say_in_group("look", shown)


async def plus_one(chat: Chat, data: bytes) -> None:
    """Messages are equal; the third time another plugin finds that enough is sent."""
    shown = chat.implementation.picture(data)
    for _ in range(4):
        await chat.say_in_group("look", shown, group=PLUS_ONE_GROUP)


async def show_recalled(chat: Chat, data: bytes) -> None:
    """A notice, and segments of ``get_msg`` that are sent as they are."""
    await chat.say(f"/开启防撤回 {OTHER_GROUP}")
    await chat.say(f"/添加防撤回 {OTHER_GROUP}")
    shown = chat.implementation.picture(data)
    message_id = await chat.say_in_group("oh", shown, group=OTHER_GROUP)
    await chat.said()
    await chat.recall(message_id, OTHER_GROUP)


async def merge(chat: Chat, data: bytes) -> None:
    """alconna's ``Image`` and its URL; a client of its own."""
    both = [chat.implementation.picture(each, kind="private") for each in (data, picture(40))]
    await chat.say("/miragetank gray", *both)


async def decorate(chat: Chat, data: bytes) -> None:
    """aiohttp, which looks at the status."""
    await chat.say("/osugreek 10", chat.implementation.picture(data, kind="private"))


async def quote(chat: Chat, data: bytes) -> object:
    """``get_image`` by a name out of the CQ code, and a copy of the file that it answers."""
    quoted = await chat.say_in_group(chat.implementation.picture(data), group=OTHER_GROUP)
    await chat.say_in_group("上传", group=OTHER_GROUP, quote=quoted)
    await chat.said()
    return chat.bot.quotes


async def ban(chat: Chat, _: bytes) -> None:
    """The other fields of a segment."""
    await chat.say_in_group(chat.implementation.market_face(), group=STICKER_GROUP)


JOBS: list[Job] = [
    *(mirror, draw, collect, learn, repeat, plus_one),
    *(show_recalled, merge, decorate, quote, ban),
]
NEEDS_NO_LINK = [ban]
FAILS_ANYWAY = [collect]
"""It leaves the escapes of the CQ code in the URL, which QQ's host refuses, and ours does not."""
Done = tuple[object, list[Said]]


async def done_by_all(python: Path, folder: Path, *, dead: bool, with_us: bool) -> list[Done]:
    done: list[Done] = []
    trouble = "expired links" if dead else "none"
    async with chatting(python, folder, trouble, with_us=with_us) as chat:
        for number, job in enumerate(JOBS):
            heard = len(chat.implementation.calls)
            kept = await job(chat, picture(number))
            await chat.said()
            done.append((kept, chat.heard(heard)))
    return done


@pytest.fixture(scope="module")
async def runs(python: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[Done]]:
    """What all of them did: with live links, with dead ones, and with dead ones and with us."""
    return [
        await done_by_all(python, tmp_path_factory.mktemp(name), dead=dead, with_us=with_us)
        for name, dead, with_us in (
            ("live", False, False),
            ("dead", True, False),
            ("healed", True, True),
        )
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
async def test_same_calls_and_same_bytes(runs: list[list[Done]], job: Job) -> None:
    live, dead, healed = (run[JOBS.index(job)] for run in runs)
    assert live[1]
    if job in FAILS_ANYWAY:
        assert healed == (picture(JOBS.index(job)), live[1])
        return
    assert healed == live
    assert (dead == live) == (job in NEEDS_NO_LINK)
