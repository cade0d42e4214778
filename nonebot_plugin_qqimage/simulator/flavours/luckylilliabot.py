"""LuckyLilliaBot 8: downloads over HTTP itself, into a new file at every call."""

import time
import uuid
from typing import Any
from urllib.parse import quote

from ..image_host.cdn import InsideFetchFailed
from ..image_host.faults import Fault
from ..image_host.keys import KeyRing
from ..messages import Message, Picture, SharedFile
from ..pictures import extension
from .about import about, sender
from .answers import Action, Answer, Json, Over, Refused, TokenRefusal, failed
from .base import Flavour

RETCODES = {
    "ws": {"failed": 1200, "bad request": 1400, "unknown": 1404},
    "http": {"failed": 200, "bad request": 400, "unknown": 404},
}
"""Return codes of a failed, a bad and an unknown call, by transport."""
_REASONS = {Fault.RESET: "other side closed", Fault.TRUNCATED: "terminated"}
_STATUS_TEXTS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 502: "Bad Gateway"}
_STARTED = int(time.time())


class LuckyLilliaBot8(Flavour):
    """LuckyLilliaBot 8.1.7."""

    app_name = "LLOneBot"
    app_version = "8.1.7"
    signed_ids = True
    temporary_group_in = "sender"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # On disk in the real one, so a restart loses nothing.
        self._table: dict[str, tuple[int, Picture | SharedFile]] = {}

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture."""
        self._insert(part, message)
        return image_data(part, self.signed_url(part))

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file, without its URL."""
        self._insert(part, message)
        return {
            "file": part.name,
            "url": "",
            "file_id": part.file_id,
            "path": "",
            "file_size": str(len(part.hosted.data)),
        }

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``."""
        written = self._written(message)
        return {
            **written,
            "post_type": "message_sent" if message.own else "message",
            "real_id": message.seq,
            "status": "normal",
        }

    def write_event(self, message: Message) -> Json:
        """Write the event for a message."""
        written = self._written(message)
        if not message.own:
            return {**written, "post_type": "message"}
        return {**written, "post_type": "message_sent", "target_id": message.implementation_id}

    def notice_file(self, part: SharedFile, message: Message) -> Json:
        """Write what a notice says of a file, which can be asked for from then on."""
        self._insert(part, message)
        return super().notice_file(part, message)

    def actions(self) -> dict[str, Action]:
        """Name the actions there are."""
        return {
            **super().actions(),
            "get_image": self.get_image,
            "get_file": self.get_file,
            "get_rkey": self.get_rkey,
            "get_group_file_url": self.get_group_file_url,
        }

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""}

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not."""
        unknown = refusal.why == "unknown"
        text = f"{action} API 不存在" if unknown else refusal.message
        body = failed(RETCODES[over][refusal.why], text)
        return Answer(body, 404 if unknown and over == "http" else 200)

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets."""
        frame = failed(1403, "token验证失败")
        return TokenRefusal(403, None, frame, 1008, "invalid access token")

    async def get_status(self, params: Json) -> Json:
        """Say that all is well."""
        times = [message.time for message in self.messages.values()]
        own = sum(message.own for message in self.messages.values())
        stat = {
            "message_received": len(times) - own,
            "message_sent": own,
            "last_message_time": max(times, default=0),
            "startup_time": _STARTED,
        }
        return {"online": True, "good": True, "stat": stat}

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, which may itself be inside another one."""
        for name in ("message_id", "id"):
            if name in params and not isinstance(params[name], str):
                raise Refused(f"$.{name} expected string but got {params[name]}", "bad request")
        wanted = params.get("id") or params.get("message_id")
        forward = self.messages.forwards(nested=True).get(str(wanted))
        if forward is None:
            raise Refused("消息不存在")
        return {"messages": [self._node(node) for node in forward.nodes]}

    async def get_image(self, params: Json) -> Json:
        """Download a picture and say where it is."""
        if "file" not in params:
            raise Refused("$.file missing required value", "bad request")
        return await self._fetch(params, "file")

    async def get_file(self, params: Json) -> Json:
        """Do the same for a file or a picture, also by ``file_id``."""
        return await self._fetch(params, "file_id" if "file_id" in params else "file")

    async def get_rkey(self, params: Json) -> Json:
        """Ask the key server, and keep using the keys from before."""
        return rkey_pair(self.cdn.keys)

    async def get_group_file_url(self, params: Json) -> Json:
        """Give the URL of a file in a group."""
        _, part = self._table.get(str(params.get("file_id")), (0, None))
        if not isinstance(part, SharedFile):
            raise Refused("file not found")
        return {"url": self.cdn.url(part.hosted) + quote(part.name)}

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._table.clear()

    async def _fetch(self, params: Json, name: str) -> Json:
        wanted = params.get(name)
        if not isinstance(wanted, str):
            raise Refused(f"$.{name} expected string but got {wanted}", "bad request")
        part = self._find(wanted)
        if part is None:
            raise Refused("file not found")
        url = self.signed_url(part) if isinstance(part, Picture) else ""
        file = ""
        if str(params.get("download", True)).lower() != "false":
            data = await self._download(url or self.cdn.url(part.hosted))
            relative = f"{uuid.uuid4()}.{extension(data)}"
            file, _ = await self.files.write("temp", relative, data, name=part.name)
        size = part.size if isinstance(part, Picture) else len(part.hosted.data)
        return {"file": file, "url": url, "file_size": str(size), "file_name": part.name}

    async def _download(self, url: str) -> bytes:
        try:
            reply = await self.cdn.fetch_inside(url, patience=self.patience)
        except InsideFetchFailed as error:
            reason = _REASONS.get(error.fault, "Headers Timeout Error")
            raise Refused(f"{url} 下载失败, {reason}") from None
        if not 200 <= reply.status < 300:
            text = _STATUS_TEXTS.get(reply.status, "")
            raise Refused(f"{url} 下载失败, statusText: {text}")
        return reply.body

    def _insert(self, part: Picture | SharedFile, message: Message) -> None:
        self._table.setdefault(part.hosted.fileid, (message.time, part))

    def _find(self, wanted: str) -> Picture | SharedFile | None:
        if wanted in self._table:
            return self._table[wanted][1]
        newest: tuple[int, Picture | SharedFile | None] = (0, None)
        for row in self._table.values():
            if row[1].name == wanted and row[0] >= newest[0]:
                newest = row
        return newest[1]

    def _written(self, message: Message) -> Json:
        segments = self.segments(message)
        written: Json = {
            **about(message, self.settings.self_id),
            "message_seq": message.seq,
            "sender": sender(message),
            "raw_message": self.raw(segments),
            "font": 14,
            "message": self.content(segments),
            "message_format": self.settings.message_format,
        }
        return {**written, "group_name": message.group_name} if "group_id" in written else written

    def _node(self, node: Message) -> Json:
        return {
            "content": self.content(self.segments(node)),
            "sender": {"nickname": node.nickname, "user_id": node.user_id},
            "time": node.time,
            "message_format": self.settings.message_format,
            "message_type": node.kind,
        }


def image_data(part: Picture, url: str) -> Json:
    """Write the data of a picture as LLOneBot from 3.27 and LuckyLilliaBot do."""
    return {
        "file": part.name,
        "subType": int(part.sticker),
        "url": url,
        "file_size": str(part.size),
    }


def rkey_pair(keys: KeyRing) -> Json:
    """Write the keys of now as LuckyLilliaBot does."""
    private, group = keys.current("private"), keys.current("group")
    updated = time.localtime(group.created_at)
    return {
        "private_key": f"&rkey={private.value}",
        "group_key": f"&rkey={group.value}",
        "expired_time": int(group.expires_at),
        "updated_time": time.strftime("%Y-%m-%d %H:%M:%S", updated),
    }
