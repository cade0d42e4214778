"""Published plugins, unmodified, do with us what they cannot do without us.

Each job says whether its plugin did what its user asked for.
"""

import io
import itertools
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageStat

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .chat import PATIENCE, QQ_CIPHER, Chat, PublishedBot, Trouble, image_segments
from .front import Front

Job = Callable[..., Awaitable[bool]]
_NUMBERS = itertools.count(40)
_PYTHON_TAKES_QQ = any(
    cipher["name"] == QQ_CIPHER for cipher in ssl.create_default_context().get_ciphers()
)


def half_black() -> bytes:
    """A picture that nobody has seen: black on the left, white on the right."""
    half = next(_NUMBERS)
    image = Image.new("L", (2 * half, 64), "white")
    image.paste(0, (0, 0, half, 64))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def mirrors(chat: Chat, data: bytes, *, quoted: bool = False) -> bool:
    """nonebot-plugin-image-symmetry puts the mirrored left half in the place of the right one."""
    await _command(chat, "/对称", data, quoted)
    answer = await chat.answer()
    if answer is None or not answer.pictures:
        return False
    mirrored = Image.open(io.BytesIO(answer.pictures[0])).convert("L")
    return mirrored.size == _size(data) and mirrored.getextrema() == (0, 0)


async def draws(chat: Chat, data: bytes, *, quoted: bool = False) -> bool:
    """nonebot-plugin-charpic draws the picture with letters, many of them where it is dark."""
    await _command(chat, "/字符画", data, quoted)
    answers = [await chat.answer(), await chat.answer()]
    assert answers[0] is not None
    assert answers[0].text == "努力生成中..."
    if answers[1] is None or not answers[1].pictures:
        return False
    drawn = Image.open(io.BytesIO(answers[1].pictures[0])).convert("L")
    middle = drawn.width // 2
    left = drawn.crop((0, 0, middle, drawn.height))
    right = drawn.crop((middle, 0, *drawn.size))
    return ImageStat.Stat(left).mean[0] + 50 < ImageStat.Stat(right).mean[0]


async def learns(chat: Chat, data: bytes) -> bool:
    """nonebot-plugin-word-bank2 learns an answer, and gives it."""
    question = f"早安{next(_NUMBERS)}"
    await chat.say(f"问{question}答", chat.implementation.picture(data, kind="private"))
    answer = await chat.answer()
    if answer is None:
        return False
    assert answer.text == "我记住了~"
    await chat.say(question)
    answer = await chat.answer()
    return answer is not None and answer.pictures == [data]


async def keeps(chat: Chat, data: bytes) -> bool:
    """nonebot-plugin-ImageLibrary keeps a picture under a keyword."""
    keyword = f"猫{next(_NUMBERS)}号"
    await chat.say(f"/添加 {keyword}")
    answer = await chat.answer()
    assert answer is not None
    assert answer.text == "添加什么？"
    await chat.say(chat.implementation.picture(data, kind="private"))
    answer = await chat.answer()
    if answer is None:
        return False
    assert answer.text == "添加成功！"
    # its answers name this file without a scheme, which the simulated implementation does not read
    return (chat.bot.library / "library" / f"{keyword}1.png").read_bytes() == data


async def repeats(chat: Chat, data: bytes) -> bool:
    """nonebot-plugin-repeater says what two people have said, with the same segments."""
    for _ in range(2):
        await chat.say_in_group(chat.implementation.picture(data))
    answer = await chat.answer()
    if answer is None:
        return False
    [segment] = image_segments(answer)
    # NapCat and LuckyLilliaBot would prefer a URL
    assert not segment["data"].get("url")
    assert segment["data"]["file"].startswith("base64://")
    return answer.pictures == [data]


async def _command(chat: Chat, command: str, data: bytes, quoted: bool) -> None:
    picture = chat.implementation.picture(data, kind="private")
    if quoted:
        await chat.say(command, quote=chat.earlier(picture))
    else:
        await chat.say(command, picture)


def _size(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def _can_alone(job: Job, trouble: Trouble) -> bool:
    """Whether the plugin needs nobody: this one brings a TLS context with more ciphers."""
    return trouble == "refused TLS" and (job is draws or _PYTHON_TAKES_QQ)


@pytest.mark.parametrize("job", [mirrors, draws, learns, keeps])
async def test_a_picture_in_a_message(
    job: Job, trouble: Trouble, without_us: Chat, with_us: Chat
) -> None:
    if not _can_alone(job, trouble):
        assert not await job(without_us, half_black())
    assert await job(with_us, half_black())


@pytest.mark.parametrize("job", [mirrors, draws])
async def test_a_quoted_picture(
    job: Job, trouble: Trouble, without_us: Chat, with_us: Chat
) -> None:
    if not _can_alone(job, trouble):
        assert not await job(without_us, half_black(), quoted=True)
    assert await job(with_us, half_black(), quoted=True)


async def test_a_picture_sent_again(without_us: Chat, with_us: Chat) -> None:
    assert not await repeats(without_us, half_black())
    assert await repeats(with_us, half_black())


async def test_after_a_restart_with_another_port_and_all_links_dead(
    python: Path, tmp_path: Path
) -> None:
    cdn, data, ports = SimulatedCdn(), half_black(), list[int]()
    implementation = SimulatedImplementation("napcat", cdn)
    async with cdn, Front() as front:
        for start in range(2):
            bot = PublishedBot(python, tmp_path, with_us=True, QQIMAGE__BASE_URL=front.url)
            front.port_behind = bot.port
            ports.append(bot.port)
            async with bot, ReverseWebSocket(implementation, bot.ws_url):
                await implementation.connected(start + 1, PATIENCE)
                chat = Chat(bot, implementation, "expired links")
                if start == 0:
                    assert await mirrors(chat, data)
                    served = _served_url(bot)
                    cdn.faults.set(Fault.NOT_FOUND)
                    implementation.behaviour.missing.add("get_image")
                    continue
                for job in (mirrors, draws, learns, keeps, repeats):
                    assert await job(chat, data), job
                for job in (mirrors, draws):
                    assert await job(chat, data, quoted=True), job
                await _is_served(served, data)
        bot.check_log()
        assert ports[0] != ports[1]
        assert served.startswith(f"{front.url}/")


def _served_url(bot: PublishedBot) -> str:
    """The URL that nonebot-plugin-image-symmetry says it was given."""
    match = re.search(r"开始处理图片: URL: (\S+)", bot.log)
    assert match, bot.log
    return match[1]


async def _is_served(url: str, data: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == data
