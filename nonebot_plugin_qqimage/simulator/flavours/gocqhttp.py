"""go-cqhttp 1: other names for everything, and what it once downloaded is right forever."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..cq_code import Segment
from ..image_host.cdn import InsideFetchFailed
from ..image_host.faults import Fault
from ..messages import Forward, MarketFace, Message, Picture, SharedFile
from .about import about
from .answers import Action, Answer, Json, Over, Refused, TokenRefusal
from .base import Flavour

_BETWEEN = "\n"
"""Stands between the code and the wording of a refusal."""
_NOT_FOUND = f"MSG_NOT_FOUND{_BETWEEN}消息不存在"
_GUID = (8, 12, 16, 20)


@dataclass(frozen=True)
class _Row:
    part: Picture
    url: str
    filename: str


class GoCqhttp(Flavour):
    """The last go-cqhttp."""

    app_name = "go-cqhttp"
    app_version = "v1.2.0"
    token_scheme = "Token"
    signed_ids = True
    temporary_group_in = "sender"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.patience = 15.0
        self.numeric_sub_type = False
        """Whether ``subType`` is a number in arrays; every value is a string there by default."""
        self._table: dict[str, _Row] = {}
        self._urls: dict[str, str] = {}
        self._local: set[str] = set()
        """Files it has, whatever is in them."""

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture, whose URL is kept."""
        hosted = part.hosted
        url = self._urls.setdefault(hosted.fileid, self.signed_url(part))
        file = f"{hosted.md5}.image"
        self._table[file] = _Row(part, url, _filename(part))
        data: Json = {"file": file}
        if message.kind == "group":
            number = int(part.sticker)
            data["subType"] = number if self.numeric_sub_type else str(number)
        data["url"] = url
        return {**data, "type": "flash"} if part.flash else data

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        size = str(len(part.hosted.data))
        return {"path": part.file_id, "name": part.name, "size": size, "busid": "102"}

    def market_face(self, part: MarketFace) -> Segment:
        """Write a face from the shop: its name as text, and nothing else."""
        return {"type": "text", "data": {"text": part.summary}}

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``."""
        written: Json = {
            "message_id": message.message_id,
            "message_id_v2": f"{message.implementation_id:x}-{message.seq}",
            "message_type": message.kind,
            "real_id": message.seq,
            "message_seq": message.seq,
            "group": message.kind == "group",
            "sender": {"user_id": message.user_id, "nickname": message.nickname},
            "time": message.time,
            "message": self.content(self.segments(message)),
        }
        return {**written, "group_id": message.implementation_id} if written["group"] else written

    def write_event(self, message: Message) -> Json:
        """Write the event for a message."""
        segments = self.segments(message)
        group = message.kind == "group"
        sender: Json = {
            "age": 0,
            "nickname": message.nickname,
            "sex": "unknown",
            "user_id": message.user_id,
        }
        if group:
            sender |= {"area": "", "card": message.card, "level": "", "role": "member", "title": ""}
        written: Json = {
            **about(message, self.settings.self_id),
            "post_type": "message_sent" if message.own else "message",
            "message": self.content(segments),
            "raw_message": self.raw(segments),
            "font": 0,
            "sender": sender,
        }
        if group:
            return {**written, "anonymous": None, "message_seq": message.seq}
        to = message.implementation_id if message.own else self.settings.self_id
        return {**written, "target_id": to}

    def notice_file(self, part: SharedFile, message: Message) -> Json:
        """Write what a notice says of a file, its URL too."""
        url = self.cdn.url(part.hosted) + quote(part.name)
        return {**super().notice_file(part, message), "url": url}

    def actions(self) -> dict[str, Action]:
        """Name the actions there are; ``get_rkey`` is none of them."""
        return {**super().actions(), "get_image": self.get_image}

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {"data": data, "retcode": 0, "status": "ok", "message": ""}

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not: a code and a wording, or neither."""
        retcode, text = 100, refusal.message
        if refusal.why == "unknown":
            retcode, text = 404, f"API_NOT_FOUND{_BETWEEN}API不存在"
        code, _, wording = text.partition(_BETWEEN)
        body = {
            "data": None,
            "retcode": retcode,
            "msg": code,
            "wording": wording,
            "message": wording,
            "status": "failed",
        }
        return Answer(body)

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets: no connection at all."""
        return TokenRefusal(403, None)

    async def get_version_info(self, params: Json) -> Json:
        """Say which program this is, some of it twice."""
        version = await super().get_version_info(params)
        return {**version, "go_cqhttp": True, "version": self.app_version}

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, and those of one inside it in their place."""
        wanted = str(params.get("message_id", params.get("id")))
        forward = self.messages.forwards().get(wanted)
        if forward is None:
            raise Refused(_NOT_FOUND)
        return {"messages": [self._node(node) for node in forward.nodes]}

    async def get_image(self, params: Json) -> Json:
        """Download a picture unless there is a file already, and say where it is."""
        row = self._table.get(str(params.get("file")))
        if row is None:
            raise Refused("")
        local = f"data/cache/{row.part.hosted.md5}.image.{row.filename.rpartition('.')[2]}"
        answer = {"size": row.part.size, "filename": row.filename, "url": row.url, "file": local}
        if local in self._local:
            return answer
        try:
            reply = await self.cdn.fetch_inside(row.url, patience=self.patience)
        except InsideFetchFailed as error:
            if error.fault is Fault.TRUNCATED:
                half = row.part.hosted.data[: len(row.part.hosted.data) // 2]
                await self._write(local, half, row.part.name)
            raise Refused(f"DOWNLOAD_IMAGE_ERROR{_BETWEEN}{error}") from None
        if not await self._write(local, reply.body, row.part.name):
            answer["file"] = ""
        return answer

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._table.clear()
        self._urls.clear()
        self._local.clear()

    async def _write(self, local: str, data: bytes, name: str) -> str:
        path, content = await self.files.write("pictures", local, data, name=name)
        if content is not None:
            self._local.add(local)
        return path

    def known_message(self, message_id: Any) -> Message:
        """Give a message by its id, a number or a string."""
        try:
            return super().known_message(message_id)
        except Refused:
            raise Refused(_NOT_FOUND) from None

    def _node(self, node: Message) -> Json:
        content: Any
        if len(node.parts) == 1 and isinstance(node.parts[0], Forward):
            content = [self._node(inner) for inner in node.parts[0].nodes]
        else:
            content = self.content(self.segments(node))
        return {
            "content": content,
            "group_id": node.implementation_id if node.kind == "group" else 0,
            "sender": {"user_id": node.user_id, "nickname": node.nickname},
            "time": node.time,
        }


def _filename(part: Picture) -> str:
    """Give the name QQ had for a picture in those days: its MD5 in braces, and an extension."""
    md5 = part.hosted.md5.upper()
    ends = (*_GUID, len(md5))
    groups = [md5[start:end] for start, end in zip((0, *_GUID), ends, strict=True)]
    return f"{{{'-'.join(groups)}}}.{part.name.rpartition('.')[2]}"
