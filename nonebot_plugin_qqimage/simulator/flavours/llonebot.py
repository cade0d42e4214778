"""What all versions of LLOneBot before LuckyLilliaBot 8 have in common."""

from typing import Any

from ..cq_code import Segment
from ..messages import Forward, MarketFace, Message, SharedFile
from .about import about, sender_with_card
from .answers import Answer, Json, Over, Refused, TokenRefusal, failed
from .base import Flavour
from .luckylilliabot import RETCODES

_TRACE = (
    "    at handler (/app/llonebot/main/main.cjs:30173:13)\n"
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)\n"
    "    at async handler.websocketHandle (/app/llonebot/main/main.cjs:24519:23)"
)
_FIRST_LONG_ID = 7_400_000_000_000_000_000


class LLOneBot(Flavour):
    """LLOneBot up to 7."""

    app_name = "LLOneBot"

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        return {
            "file": part.name,
            "path": "",
            "file_id": part.file_id,
            "file_size": str(len(part.hosted.data)),
        }

    def market_face(self, part: MarketFace) -> Segment:
        """Write a face from the shop."""
        written = super().market_face(part)
        written["data"]["emoji_package_id"] = str(part.package_id)
        return written

    def forward(self, part: Forward, message: Message) -> Json:
        """Write the data of a forwarded record, whose id is QQ's long one of the message."""
        return {"id": _long_id(message)}

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``, which is just what an event says."""
        return self.write_event(message)

    def write_event(self, message: Message) -> Json:
        """Write the event for a message."""
        segments = self.segments(message)
        return {
            **about(message, self.settings.self_id),
            "real_id": message.message_id,
            "message_seq": message.message_id,
            "sender": sender_with_card(message),
            "raw_message": self.raw(segments),
            "font": 14,
            "message": self.content(segments),
            "message_format": self.settings.message_format,
            "post_type": "message_sent" if message.own else "message",
        }

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""}

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not, over a WebSocket first with a whole stack trace."""
        text = refusal.message
        if refusal.why == "unknown":
            text = f"不支持的api {action}"
        elif refusal.why == "failed" and not self.since(6, 0):
            text = f"Error: {text}"
            if over == "ws" and not self.since(4, 9):
                text = f"{text}\n{_TRACE}"
        unknown = refusal.why == "unknown" and over == "http"
        return Answer(failed(RETCODES[over][refusal.why], text), 404 if unknown else 200)

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets."""
        frame = {**failed(1403, "token验证失败"), "echo": None}
        return TokenRefusal(403, {"message": "token verify failed!"}, frame)

    def echo(self, body: Json, call: Json, over: Over) -> Json:
        """Add the echo of a call to its answer, which has that field always."""
        return {**body, "echo": call.get("echo")}

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, by the long id of its message.

        Only ``message_id`` names it before 3.27. One inside another is out of reach before 5.0.
        """
        wanted = params.get("message_id")
        if self.since(3, 27):
            wanted = params.get("id") or wanted
            if not wanted:
                raise Refused("message_id不能为空")
        within = _all_inside(list(self.messages.values()))
        for message in [*self.messages.values(), *within]:
            if str(wanted) != _long_id(message):
                continue
            if message.message_id not in self.messages and not self.since(5, 0):
                raise Refused("找不到相关的聊天记录")
            for part in message.parts:
                if isinstance(part, Forward):
                    return {"messages": [self._node(node) for node in part.nodes]}
        raise Refused("msg not found")

    def _node(self, node: Message) -> Json:
        written = self.write_event(node)
        content = written.pop("message")
        if not self.since(4, 0):
            return {**written, "content": content}
        return {
            "content": content,
            "sender": {"nickname": node.nickname, "user_id": node.user_id},
            "time": node.time,
            "message_format": self.settings.message_format,
            "message_type": node.kind,
        }


def _long_id(message: Message) -> str:
    return str(_FIRST_LONG_ID + message.message_id)


def _all_inside(messages: list[Message]) -> list[Message]:
    """Give the messages in forwarded records in these messages, however deep."""
    parts = (part for message in messages for part in message.parts)
    nodes = [node for part in parts if isinstance(part, Forward) for node in part.nodes]
    return [*nodes, *_all_inside(nodes)] if nodes else []
