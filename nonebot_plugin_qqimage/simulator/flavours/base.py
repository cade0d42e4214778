"""What all simulated implementations have in common; each says for itself how it differs."""

import random
import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

from ..cq_code import Segment, cq_codes
from ..image_host.cdn import SimulatedCdn
from ..image_host.keys import Key, Kind
from ..implementation_files import ImplementationFiles
from ..messages import Forward, MarketFace, Message, Part, Picture, Quote, SharedFile, Text
from .answers import Action, Answer, ImplementationSettings, Json, Over, Refused, TokenRefusal
from .known_messages import KnownMessages


class Flavour(ABC):
    """One implementation: how it writes things down, and what its actions do."""

    app_name: ClassVar[str]
    app_version: str
    """The usual version, unless the settings name another."""
    token_scheme: ClassVar[str] = "Bearer"
    """What stands before the token when it connects to a bot."""
    keeps_empty_values: ClassVar[bool] = True
    """Whether CQ codes have fields without a value."""
    event_path_answers: ClassVar[bool] = False
    """Whether a forward WebSocket at ``/event`` takes calls too."""

    signed_ids: ClassVar[bool] = False
    """Whether ids of messages may be negative."""
    tells_of_uploads: ClassVar[bool] = True
    """Whether a notice tells of a file in a group, beside the message."""
    temporary_group_in: Literal["event", "sender"] | None = None
    """Where a message of a temporary session names the group, if it does."""

    def __init__(
        self, cdn: SimulatedCdn, settings: ImplementationSettings, files: ImplementationFiles
    ) -> None:
        self.cdn = cdn
        self.settings = settings
        self.app_version = settings.version or self.app_version
        self.files = files
        self.patience = 300.0
        """Seconds after which the program gives up a download."""
        self.messages = KnownMessages()
        self._keys: dict[Kind, Key] = {}

    def since(self, *version: int) -> bool:
        """Say whether the program has this version or a later one."""
        return tuple(map(int, re.findall(r"\d+", self.app_version))) >= version

    # What it writes

    def segment(self, part: Part, message: Message) -> Segment:
        """Write one part of a message; a picture can be asked for from then on."""
        if isinstance(part, Text):
            return {"type": "text", "data": {"text": part.text}}
        if isinstance(part, Quote):
            return {"type": "reply", "data": {"id": str(part.message_id)}}
        if isinstance(part, Picture):
            return {"type": "image", "data": self.picture(part, message)}
        if isinstance(part, MarketFace):
            return self.market_face(part)
        if isinstance(part, Forward):
            return {"type": "forward", "data": self.forward(part, message)}
        if isinstance(part, SharedFile):
            return {"type": "file", "data": self.shared_file(part, message)}
        return {"type": part.type, "data": part.data}

    @abstractmethod
    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture."""

    @abstractmethod
    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""

    def market_face(self, part: MarketFace) -> Segment:
        """Write a face from the shop."""
        data = {
            "summary": part.summary,
            "url": self.cdn.url(part.hosted),
            "emoji_id": part.emoji_id,
            "emoji_package_id": part.package_id,
            "key": part.key,
        }
        return {"type": "mface", "data": data}

    def forward(self, part: Forward, message: Message) -> Json:
        """Write the data of a forwarded record."""
        return {"id": part.forward_id}

    def whole(self, message: Message) -> Json:
        """Write a message of any kind of chat as in ``get_msg``."""
        return self._in_its_chat(self.write_whole(message), message)

    def event(self, message: Message) -> Json:
        """Write the event for a message of any kind of chat."""
        return self._in_its_chat(self.write_event(message), message)

    def _in_its_chat(self, written: Json, message: Message) -> Json:
        """Change what the two kinds of chat of OneBot v11 do not know."""
        if message.message_type is not None:
            about_groups = ("group_id", "group_name", "anonymous", "target_id")
            kept = {name: value for name, value in written.items() if name not in about_groups}
            return {**kept, "message_type": message.message_type, **message.fields}
        group = message.temporary_group
        if group is None:
            return written
        written["sub_type"] = "group"
        if self.temporary_group_in is not None:
            written["temp_source"] = 0
            if self.temporary_group_in == "event":
                written["group_id"] = group
            else:
                written["sender"]["group_id"] = group
        return written

    @abstractmethod
    def write_whole(self, message: Message) -> Json:
        """Write a message of a group or a friend as in ``get_msg``."""

    @abstractmethod
    def write_event(self, message: Message) -> Json:
        """Write the event for a message of a group or a friend."""

    def upload_notice(self, part: SharedFile, message: Message) -> Json:
        """Write the notice for a file in a group message."""
        return {
            "time": message.time,
            "self_id": self.settings.self_id,
            "post_type": "notice",
            "notice_type": "group_upload",
            "file": self.notice_file(part, message),
            "group_id": message.implementation_id,
            "user_id": message.user_id,
        }

    def notice_file(self, part: SharedFile, message: Message) -> Json:
        """Write what a notice says of a file."""
        size = len(part.hosted.data)
        return {"id": part.file_id, "name": part.name, "size": size, "busid": 102}

    def segments(self, message: Message) -> list[Segment]:
        """Write all parts of a message."""
        return [self.segment(part, message) for part in message.parts]

    def content(self, segments: list[Segment]) -> list[Segment] | str:
        """Give segments in the format that is set."""
        return segments if self.settings.message_format == "array" else self.raw(segments)

    def raw(self, segments: list[Segment]) -> str:
        """Give segments as CQ codes."""
        return cq_codes(segments, keep_empty=self.keeps_empty_values)

    # What it answers

    def actions(self) -> dict[str, Action]:
        """Name the actions there are; those that send are the implementation's."""
        return {
            "get_login_info": self.get_login_info,
            "get_version_info": self.get_version_info,
            "get_status": self.get_status,
            "get_msg": self.get_msg,
            "get_forward_msg": self.get_forward_msg,
            "get_group_msg_history": self.get_group_msg_history,
            "get_friend_msg_history": self.get_friend_msg_history,
        }

    @abstractmethod
    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""

    @abstractmethod
    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not."""

    @abstractmethod
    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets."""

    def echo(self, body: Json, call: Json, over: Over) -> Json:
        """Add the echo of a call to its answer."""
        return {**body, "echo": call["echo"]} if "echo" in call else body

    async def get_login_info(self, params: Json) -> Json:
        """Say who the bot is."""
        return {"user_id": self.settings.self_id, "nickname": self.settings.nickname}

    async def get_version_info(self, params: Json) -> Json:
        """Say which program this is."""
        return {
            "app_name": self.app_name,
            "protocol_version": "v11",
            "app_version": self.app_version,
        }

    async def get_status(self, params: Json) -> Json:
        """Say that all is well."""
        return {"online": True, "good": True, "stat": {}}

    async def get_msg(self, params: Json) -> Json:
        """Give a message again."""
        return self.whole(self.known_message(params.get("message_id")))

    @abstractmethod
    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record."""

    async def get_group_msg_history(self, params: Json) -> Json:
        """Give the last messages of a group; the first of them is the oldest."""
        return self._history("group", params.get("group_id"), params)

    async def get_friend_msg_history(self, params: Json) -> Json:
        """Give the last messages exchanged with somebody; the first of them is the oldest."""
        return self._history("private", params.get("user_id"), params)

    def _history(self, kind: Kind, target: Any, params: Json) -> Json:
        last = self.messages.of_chat(kind, target)[-int(params.get("count") or 20) :]
        return {"messages": [self.whole(message) for message in last]}

    def why_unsendable(self, message: Message) -> str:
        """Say why this program cannot send a message of the bot; empty where it can."""
        return ""

    # What it remembers

    def remember(self, message: Message) -> None:
        """Know a message, as everything that QQ delivers, reported or not."""
        self.messages[message.message_id] = message

    def lose(self, message_id: int) -> None:
        """Have QQ lose a message, while the program still knows the names of its pictures."""
        del self.messages[message_id]

    def restart(self) -> None:
        """Start the program anew, with what it has on disk."""
        self._keys.clear()

    def forget(self) -> None:
        """Lose everything noted so far, as if the folder with its data were emptied."""
        self.messages.clear()

    def known_message(self, message_id: Any) -> Message:
        """Give a message by its id, a number or a string."""
        try:
            return self.messages[int(message_id)]
        except (KeyError, TypeError, ValueError):
            raise Refused("消息不存在") from None

    def key(self, kind: Kind) -> str:
        """Give the key this program puts into URLs: its last one, until its announced end."""
        kept = self._keys.get(kind)
        if kept is None or kept.expires_at <= self.cdn.keys.now():
            kept = self._keys[kind] = self.cdn.keys.current(kind)
        return kept.value

    def signed_url(self, part: Picture) -> str:
        """Give a picture's URL with that key."""
        return self.cdn.url(part.hosted, key=self.key(part.hosted.kind))

    def rkey_list(self) -> list[Json]:
        """Ask the key server, and keep using the keys from before."""
        keys = (self.cdn.keys.current("private"), self.cdn.keys.current("group"))
        return [
            {
                "type": key.kind,
                "rkey": f"&rkey={key.value}",
                "created_at": int(key.created_at),
                "ttl": int(key.ttl),
            }
            for key in keys
        ]

    def new_message_id(self, dice: random.Random) -> int:
        """Make up the id of a message."""
        return dice.randrange(-(2**31) if self.signed_ids else 1, 2**31)
