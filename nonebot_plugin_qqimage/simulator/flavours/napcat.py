"""NapCat 4: lets QQ's own kernel download, and knows pictures by name in memory alone."""

import asyncio
import base64
import uuid
from typing import Any
from urllib.parse import quote

from ..cq_code import Segment
from ..image_host.catalog import md5_path
from ..messages import Forward, MarketFace, Message, Picture, SharedFile
from .about import about, face_as_image, sender_with_card
from .answers import Action, Answer, Json, Over, Refused, TokenRefusal, failed
from .base import Flavour
from .kernel import kernel_path

_RETCODES = {
    "ws": {"failed": 1200, "bad request": 1400, "unknown": 1404},
    "http": {"failed": 200, "bad request": 1400, "unknown": 200},
}
_KERNEL_TIMEOUT = (
    "Timeout: NTEvent serviceAndMethod:NodeIKernelMsgService/downloadRichMedia "
    "ListenerName:NodeIKernelMsgListener/onRichMediaDownloadComplete EventRet:\nundefined\n"
)
_NO_PACKET_BACKEND = (
    "packetBackend不可用，请参照文档 https://napneko.github.io/config/advanced "
    "和启动日志检查packetBackend状态或进行配置！错误堆栈信息："
)
_STREAM = {"stream": "normal-action"}
_FORWARD_GROUP = 284840486


class NapCat(Flavour):
    """NapCat 4.18.19."""

    app_name = "NapCat.Onebot"
    app_version = "4.18.19"
    keeps_empty_values = False
    event_path_answers = True
    temporary_group_in = "event"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.patience = 120.0
        self.packet_backend = True
        """Whether it can get keys; without, a key fixed in the program stands in URLs."""
        self.kernel_hangs: set[str] = set()
        """Names of pictures whose download the kernel never reports as done."""
        self.forwarded_unknown = False
        """Whether pictures in forwarded records are not found, instead of never downloaded."""
        self._names: dict[str, tuple[Message, Picture | SharedFile]] = {}

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture."""
        self._names[part.name] = message, part
        return {
            "summary": "[动画表情]" if part.sticker else "",
            "file": part.name,
            "sub_type": int(part.sticker),
            "url": self._url(part),
            "file_size": str(part.size),
        }

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        self._names[part.name] = self._names[part.file_id] = message, part
        size = str(len(part.hosted.data))
        return {"file": part.name, "file_id": part.file_id, "file_size": size}

    def market_face(self, part: MarketFace) -> Segment:
        """Write a face from the shop, which looks like a picture here."""
        return face_as_image(super().market_face(part))

    def forward(self, part: Forward, message: Message) -> Json:
        """Write the data of a forwarded record; one inside another is always there in full."""
        if self.settings.expand_forwards or message.message_id not in self.messages:
            return {"id": part.forward_id, "content": [self._node(node) for node in part.nodes]}
        return {"id": part.forward_id}

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``."""
        written = self._written(message)
        if message.own:
            written |= {"post_type": "message_sent", "message_sent_type": "self"}
        return {**written, "emoji_likes_list": []}

    def write_event(self, message: Message) -> Json:
        """Write the event for a message."""
        written = self._written(message)
        if message.own:
            written |= {"post_type": "message_sent", "message_sent_type": "self"}
        if message.own or message.kind == "private":
            written["target_id"] = message.implementation_id
        return written

    def notice_file(self, part: SharedFile, message: Message) -> Json:
        """Write what a notice says of a file, under an id of the notice alone."""
        self._names[part.notice_id] = message, part
        return {**super().notice_file(part, message), "id": part.notice_id}

    def actions(self) -> dict[str, Action]:
        """Name the actions there are."""
        return {
            **super().actions(),
            "get_image": self.get_image,
            "get_file": self.get_image,
            "get_rkey": self.get_rkey,
            "get_rkey_server": self.get_rkey_server,
            "nc_get_rkey": self.nc_get_rkey,
            "get_group_file_url": self.get_group_file_url,
        }

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {
            "status": "ok",
            "retcode": 0,
            "data": data,
            "message": "",
            "wording": "",
            **_STREAM,
        }

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not."""
        text = refusal.message
        if refusal.why == "unknown":
            text = f"不支持的{'API' if over == 'ws' else 'Api'} {action}"
        return Answer({**failed(_RETCODES[over][refusal.why], text), **_STREAM})

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets."""
        frame = {**failed(1403, "token验证失败"), "echo": None, **_STREAM}
        return TokenRefusal(403, {"message": "token verify failed!"}, frame)

    def echo(self, body: Json, call: Json, over: Over) -> Json:
        """Add the echo of a call to its answer; over HTTP there always is one."""
        if over == "http" and "echo" not in call:
            return {**body, "echo": str(uuid.uuid4())}
        return super().echo(body, call, over)

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, by its id or that of its message."""
        wanted = str(params.get("id") or params.get("message_id"))
        forward = self.messages.forwards().get(wanted)
        if forward is None and wanted.lstrip("-").isdigit():
            message = self.messages.get(int(wanted))
            parts = () if message is None else message.parts
            forward = next((part for part in parts if isinstance(part, Forward)), None)
        if forward is None:
            raise Refused("消息已过期或者为内层消息，无法获取转发消息")
        return {"messages": [self._node(node) for node in forward.nodes]}

    async def get_image(self, params: Json) -> Json:
        """Have the kernel download a picture or file, and say where it is."""
        wanted = params.get("file", params.get("file_id", ""))
        if not isinstance(wanted, (str, int, float)):
            raise Refused("Schema compilation error: Expected string", "bad request")
        message, part = self._names.get(str(wanted), (None, None))
        if message is None or part is None:
            raise Refused("file not found")
        # A message inside a forwarded record is none which the kernel could address.
        forwarded = message.message_id not in self.messages
        if forwarded and self.forwarded_unknown:
            raise Refused("file not found")
        if forwarded or part.name in self.kernel_hangs:
            await asyncio.sleep(self.patience)
            raise Refused(_KERNEL_TIMEOUT)
        if isinstance(part, SharedFile):
            file, content = await self.files.write(
                "temp", part.name, part.hosted.data, name=part.name
            )
            url, size = file, len(part.hosted.data)
        else:
            file, content = await self.files.write(
                "pictures", kernel_path(part, message), part.hosted.data, name=part.name
            )
            url, size = self._url(part), part.size
        answer = {"file": file, "url": url, "file_size": str(size), "file_name": part.name}
        if self.settings.inline_base64 and file:
            if content is None:
                reason = f"Error: ENOENT: no such file or directory, open '{file}'"
                raise Refused(f"文件下载失败. {reason}")
            answer["base64"] = base64.b64encode(content).decode()
        return answer

    async def get_rkey(self, params: Json) -> list[Json]:
        """Give the keys of the key server."""
        self._need_packet_backend()
        return self.rkey_list()

    async def get_rkey_server(self, params: Json) -> Json:
        """Give the keys in use, which may be older than those of the key server."""
        self._need_packet_backend()
        private, group = self.key("private"), self.key("group")
        return {
            "private_rkey": f"&rkey={private}",
            "group_rkey": f"&rkey={group}",
            "expired_time": int(self.cdn.keys.now() + self.cdn.keys.ttl),
            "name": "NapCat 4",
        }

    async def nc_get_rkey(self, params: Json) -> None:
        """Answer never, as it cannot write down its own answer."""
        await asyncio.Event().wait()

    async def get_group_file_url(self, params: Json) -> Json:
        """Give the URL of a file in a group."""
        _, part = self._names.get(str(params.get("file_id")), (None, None))
        if not isinstance(part, SharedFile):
            raise Refused("file not found")
        return {"url": self.cdn.url(part.hosted) + quote(part.name)}

    def restart(self) -> None:
        """Start the program anew: every name and message id is forgotten."""
        super().restart()
        self.forget()

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._names.clear()

    def _url(self, part: Picture) -> str:
        hosted = part.hosted
        if hosted.form == "old":
            return self.cdn.place(md5_path(hosted.md5), "old")
        if not self.packet_backend:
            path = hosted.path(key=f"FIXED-{hosted.kind.upper()}", spec=False)
            return self.cdn.place(f"{path}&spec=0", "old")
        return self.cdn.url(hosted, key=self.key(hosted.kind), spec=False)

    def _need_packet_backend(self) -> None:
        if not self.packet_backend:
            raise Refused(_NO_PACKET_BACKEND, "bad request")

    def _written(self, message: Message, *, array: bool = False) -> Json:
        segments = self.segments(message)
        written: Json = {
            **about(message, self.settings.self_id),
            "message_seq": message.message_id,
            "real_id": message.message_id,
            "real_seq": str(message.seq),
            "sender": sender_with_card(message),
            "raw_message": self.raw(segments),
            "font": 14,
            "message": segments if array else self.content(segments),
            "message_format": "array" if array else self.settings.message_format,
            "post_type": "message",
        }
        return {**written, "group_name": message.group_name} if "group_id" in written else written

    def _node(self, node: Message) -> Json:
        # Inner messages are arrays whatever the format is set to.
        return {**self._written(node, array=True), "group_id": _FORWARD_GROUP}
