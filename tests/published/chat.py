"""A chat with a real bot that runs published plugins, and links that are useless to them."""

import asyncio
import base64
import hashlib
import os
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import anyio
import trustme
from typing_extensions import Self

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.cq_code import Segment, read_cq_codes
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.messages import Message, Part
from nonebot_plugin_qqimage.simulator.sending import SentMessage
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

PATIENCE = 30.0
QQ_HOST = "multimedia.nt.qq.com.cn"
QQ_CIPHER = "AES128-GCM-SHA256"
"""RSA key exchange, which some of QQ's hosts offer alone, and most builds of Python refuse."""
PUBLISHED = [
    "nonebot_plugin_charpic",
    "nonebot_plugin_image_symmetry",
    "nonebot_plugin_ImageLibrary",
    "nonebot_plugin_repeater",
    "nonebot_plugin_word_bank2",
    "nonebot_plugin_plus_one",
    "nonebot_plugin_antirecall",
    "nonebot_plugin_no_repeat",
    "nonebot_plugin_miragetank",
    "nonebot_plugin_osugreek",
    "nonebot_plugin_ban_sticker",
    "nonebot_plugin_quote",
]
PLUS_ONE_GROUP, STICKER_GROUP, OTHER_GROUP = 20002, 20003, 20004
"""Groups for one plugin each, and one for those that need none of their own."""

_OUR_TRACEBACK = re.compile(r'File ".*nonebot_plugin_qqimage[/\\]')

Trouble = Literal["expired links", "refused TLS", "none"]
"""What keeps plugins from downloading by themselves."""
Said = tuple[Any, ...]
"""A call of the bot, without what differs each time: its action, its text, digests of pictures."""


class PublishedBot(BotProcess):
    """A bot in the environment of the published plugins.

    Args:
        python: that of the environment.
        folder: the bot's project folder.
        with_us: whether our plugin is loaded, and swaps URLs.
        authority: the file of the only authority that certificates may come from.
        settings: further lines for ``.env``.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        *,
        with_us: bool,
        authority: Path | None = None,
        **settings: object,
    ) -> None:
        ours = ["nonebot_plugin_qqimage"] if with_us else []
        super().__init__(
            folder,
            {
                "DRIVER": "~fastapi+~httpx",
                "PLUGINS": [*PUBLISHED, *ours],
                "REPEATER_GROUP": ["20001"],
                "PLUS_ONE_WHITE_LIST": [str(PLUS_ONE_GROUP)],
                "BAN_STICKER_ENABLE_GROUPS": [str(STICKER_GROUP), STICKER_GROUP],
                "BAN_STICKER_WAIT_TIME": 0,
                "SUPERUSERS": ["30001"],
                "QUOTE_NEEDAT": False,
                "QUOTE_PATH": "quotes",
                "QQIMAGE__REWRITE_URL": True,
                **settings,
            },
            python=str(python),
        )
        self._environment = {"NO_PROXY": "*"}  # a proxy in it would be taken for this machine, too
        if authority is not None:
            self._environment["SSL_CERT_FILE"] = str(authority)

    @property
    def library(self) -> Path:
        """Where nonebot-plugin-ImageLibrary keeps what it was given."""
        return self.folder / "data" / "nonebot_plugin_ImageLibrary"

    @property
    def quotes(self) -> list[bytes]:
        """The pictures that nonebot-plugin-quote keeps."""
        return [path.read_bytes() for path in (self.folder / "quotes").iterdir()]

    async def __aenter__(self) -> Self:
        with mock.patch.dict(os.environ, self._environment):
            return await super().__aenter__()

    def check_log(self) -> None:
        """Whatever the others do, nothing of ours may fail in an unexpected way."""
        assert "please report it" not in self.log, self.log
        assert "was never awaited" not in self.log, self.log
        assert not _OUR_TRACEBACK.search(self.log), self.log

    def _write_project(self) -> None:
        super()._write_project()
        for name in ("bot.py", "paddleocr.py"):
            shutil.copy(Path(__file__).with_name(name), self.folder)
        self.library.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), (self.library / "image.json").open("x") as file:
            file.write("{}")  # the plugin cannot read the empty one that it makes itself


class Chat:
    """What somebody says to a bot, and what comes back."""

    def __init__(
        self, bot: PublishedBot, implementation: SimulatedImplementation, trouble: Trouble
    ) -> None:
        self.bot = bot
        self.implementation = implementation
        self._trouble = trouble
        self._read = 0
        implementation.answers["get_msg"] = self._quoted
        for action in ("get_group_member_info", "get_group_info", "set_group_ban", "delete_msg"):
            implementation.answers[action] = self._done

    async def say(self, *parts: str | Part, quote: int | None = None) -> None:
        """Write to the bot in private."""
        await self._tell(self.implementation.message("private", parts, quote=quote))

    async def say_in_group(
        self, *parts: str | Part, group: int = 20001, quote: int | None = None
    ) -> int:
        """Write in a group; the id of the message."""
        message = self.implementation.message("group", parts, implementation_id=group, quote=quote)
        await self._tell(message)
        return message.message_id

    async def recall(self, message_id: int, group: int) -> None:
        """Let the message of a member be recalled."""
        implementation = self.implementation
        await self._idle()
        notice = {"post_type": "notice", "notice_type": "group_recall", "group_id": group}
        who = {"user_id": 30001, "operator_id": 30001, "self_id": implementation.settings.self_id}
        message = {"time": implementation.now(), "message_id": message_id}
        self._read = len(self.bot.log)
        await implementation.push({**notice, **who, **message})
        await self._noticed()

    async def said(self, quiet: float = 1.5) -> None:
        """Wait until the bot has said what it has to say, and is quiet for some seconds."""
        seen = None
        while seen != (seen := (len(self.implementation.calls), len(self.bot.log))):
            await self._idle()
            await anyio.sleep(quiet)

    def heard(self, since: int) -> list[Said]:
        """What the bot has called, but for questions.

        Args:
            since: the number of its first call that counts.
        """
        calls = self.implementation.calls[since:]
        sent = {id(each.params): each for each in self.implementation.sent}
        return [
            (call.action, *_shown(call.params, sent.get(id(call.params))))
            for call in calls
            if not call.action.startswith(("get_", "nc_get_"))
        ]

    def earlier(self, *parts: str | Part) -> int:
        """Give the id of a private message which the bot was never told of."""
        message = self.implementation.message("private", parts)
        self.implementation.remember(message)
        return message.message_id

    async def answer(self) -> SentMessage | None:
        """Wait for the bot's next message; None if a plugin fails instead."""
        with anyio.fail_after(PATIENCE):
            while not self._failed():
                with suppress(asyncio.TimeoutError):
                    return await self.implementation.next_sent(0.05)
        return None

    async def _tell(self, message: Message) -> None:
        await self._idle()  # a plugin that asks something listens only once it has run to its end
        self.implementation.remember(message)
        frame = self.implementation.flavour.event(message)
        self._read = len(self.bot.log)
        self._spoil()
        await self.implementation.push(frame)
        await self._noticed()

    async def _quoted(self, params: dict[str, Any]) -> dict[str, Any]:
        message = await self.implementation.flavour.get_msg(params)
        self._spoil()
        return self.implementation.flavour.ok(message)

    async def _done(self, _: dict[str, Any]) -> dict[str, Any]:
        info = {"nickname": "Tester", "role": "member", "group_name": "group"}
        return self.implementation.flavour.ok(info)

    def _spoil(self) -> None:
        """Have the links that are on their way arrive dead."""
        if self._trouble == "expired links":
            self.implementation.cdn.expire_keys()

    async def _noticed(self) -> None:
        """Wait until the bot has logged what it was told."""
        with anyio.fail_after(PATIENCE):
            while len(self.bot.log) == self._read:
                await anyio.sleep(0.02)

    async def _idle(self) -> None:
        with anyio.fail_after(PATIENCE):
            while (log := self.bot.log).count("will be handled by") > log.count("running complete"):
                await anyio.sleep(0.02)

    def _failed(self) -> bool:
        return "nonebot | Running Matcher" in self.bot.log[self._read :]


@asynccontextmanager
async def chatting(
    python: Path, folder: Path, trouble: Trouble, *, with_us: bool
) -> AsyncIterator[Chat]:
    """A bot, connected to an implementation, whose plugins cannot download by themselves."""
    authority, certificates = trustme.CA(key_type=trustme.KeyType.RSA), folder / "authority.pem"
    authority.cert_pem.write_to_path(certificates)
    if trouble == "refused TLS":
        flavour, cdn = "luckylilliabot-8", _cdn_with_tls(authority)
    else:
        flavour, cdn = "napcat", SimulatedCdn()
    # of an implementation on another machine, no file can be read
    files = {"file_dir": folder / "files"}
    if trouble != "none":
        files["reported_dir"] = "/app/.config/QQ"
    bot = PublishedBot(python, folder / "bot", with_us=with_us, authority=certificates)
    implementation = SimulatedImplementation(flavour, cdn, **files)
    async with cdn, bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        yield Chat(bot, implementation, trouble)
    bot.check_log()


def _shown(params: dict[str, Any], sent: SentMessage | None) -> Said:
    """What counts of a call: of a message that was sent, and of any other."""
    if sent is not None:
        target = params.get("group_id") or params.get("user_id")
        return target, sent.text, *map(_digest, sent.pictures)
    file = str(params.get("file", ""))
    shown = _digest(base64.b64decode(file[9:])) if file.startswith("base64://") else file
    return shown, params.get("group_id"), params.get("user_id")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def image_segments(sent: SentMessage) -> list[Segment]:
    """The images in a message as the bot wrote them, in a list or as CQ codes."""
    message = sent.params["message"]
    segments = read_cq_codes(message) if isinstance(message, str) else message
    return [segment for segment in segments if segment["type"] == "image"]


def _cdn_with_tls(authority: trustme.CA) -> SimulatedCdn:
    """A CDN under QQ's name that offers TLS 1.2, and nothing but RSA key exchange."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(QQ_CIPHER)
    authority.issue_cert(QQ_HOST, key_type=trustme.KeyType.RSA).configure_cert(context)
    return SimulatedCdn(ssl_context=context, public_name=QQ_HOST)
