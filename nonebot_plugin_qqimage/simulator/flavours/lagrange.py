"""Lagrange.OneBot v1: has no ``get_image``, keeps the URL a picture came with, gives out keys."""

from typing import Any

from ..messages import Message, Picture, SharedFile
from .about import about, sender
from .answers import Action, Answer, Json, Over, Refused, TokenRefusal
from .base import Flavour


class Lagrange(Flavour):
    """The last Lagrange.OneBot."""

    app_name = "Lagrange.OneBot"
    app_version = "0.0.3"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._urls: dict[str, str] = {}

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture; nothing is known of the bot's own."""
        if message.own:
            return {"file": None, "url": None, "filename": part.name, "subType": 0}
        url = self._urls.setdefault(part.hosted.fileid, self.signed_url(part))
        return {
            "file": url,
            "filename": part.name,
            "url": url,
            "summary": "[动画表情]" if part.sticker else "[图片]",
            "subType": int(part.sticker),
        }

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        return {
            "file_name": part.name,
            "file_id": part.file_id,
            "url": self.cdn.url(part.hosted),
        }

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``."""
        return {
            "time": message.time,
            "message_type": message.kind,
            "message_id": message.message_id,
            "real_id": message.seq,
            "sender": sender(message),
            "message": self.content(self.segments(message)),
        }

    def write_event(self, message: Message) -> Json:
        """Write the event for a message; one of its own is a ``message`` like any other."""
        segments = self.segments(message)
        written: Json = {
            **about(message, self.settings.self_id),
            "message": self.content(segments),
            "raw_message": self.raw(segments),
            "font": 0,
            "sender": sender(message),
            "post_type": "message",
        }
        if message.kind == "group":
            return {**written, "anonymous": None}
        return {**written, "target_id": message.implementation_id}

    def notice_file(self, part: SharedFile, message: Message) -> Json:
        """Write what a notice says of a file, its URL too."""
        return {**super().notice_file(part, message), "url": self.cdn.url(part.hosted)}

    def actions(self) -> dict[str, Action]:
        """Name the actions there are; ``get_image`` is none of them."""
        return {**super().actions(), "get_rkey": self.get_rkey}

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {"status": "ok", "retcode": 0, "data": data}

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says no, and not why."""
        retcode = 404 if refusal.why == "unknown" else 200
        return Answer({"status": "failed", "retcode": retcode, "data": None})

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets: no connection at all."""
        return TokenRefusal(403, None)

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, in the shape the standard has."""
        forward = self.messages.forwards().get(str(params.get("id")))
        if forward is None:
            raise Refused("")
        return {"message": [self._node(node) for node in forward.nodes]}

    async def get_rkey(self, params: Json) -> Json:
        """Give the keys of now."""
        return {"rkeys": self.rkey_list()}

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._urls.clear()

    def _node(self, node: Message) -> Json:
        data = {
            "user_id": str(node.user_id),
            "nickname": node.nickname,
            "content": self.content(self.segments(node)),
        }
        return {"type": "node", "data": data}
