"""Recorded frames read back into what must have happened at QQ."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nonebot_plugin_qqimage.simulator.cq_code import read_cq_codes
from nonebot_plugin_qqimage.simulator.image_host.catalog import HOSTS, md5_path
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.messages import (
    Forward,
    MarketFace,
    Message,
    Part,
    Picture,
    Quote,
    SharedFile,
    Text,
)
from nonebot_plugin_qqimage.simulator.pictures import md5_hex

from ..transcripts import Line


class Reader:
    """Makes messages out of the lines of one transcript."""

    def __init__(self, implementation: SimulatedImplementation, lines: list[Line]) -> None:
        self._implementation = implementation
        self._nodes: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            if line.kind == "action" and line.request["action"] == "get_forward_msg":
                if line.reply["status"] == "ok" and "id" in line.request["params"]:
                    self._nodes[line.request["params"]["id"]] = line.reply["data"]["messages"]

    def message(self, data: dict[str, Any], images: Iterator[bytes], case: str) -> Message:
        """Read an event, a get_msg answer or a message in a forwarded record."""
        kind = data["message_type"]
        target = data.get("group_id", data.get("target_id", data.get("user_id", 30001)))
        content = data["message"] if "message" in data else data["content"]
        segments = _segments(content)
        return Message(
            kind,
            tuple(self._part(segment, kind, images, case) for segment in segments),
            data.get("message_id", 1),
            int(data.get("real_seq", data.get("message_seq", 1))),
            data["time"],
            data["sender"]["user_id"],
            data["sender"]["nickname"],
            own=data.get("post_type") == "message_sent",
            implementation_id=target,
        )

    def _part(self, segment: dict[str, Any], kind: str, images: Iterator[bytes], case: str) -> Part:
        data = segment["data"]
        if segment["type"] == "text":
            return Text(data["text"])
        if segment["type"] == "reply":
            return Quote(int(data["id"]))
        if segment["type"] == "file":
            return self.shared_file(data["file_id"], data["file"], next(images), "")
        if segment["type"] == "forward":
            nodes = data.get("content") or self._nodes[data["id"]]
            inner = [self.message(node, images, case) for node in nodes]
            return Forward(data["id"], tuple(inner))
        if "emoji_id" in data:
            face = self._implementation.market_face(emoji_id=data["emoji_id"])
            package = int(data["emoji_package_id"])
            return MarketFace(face.hosted, package, data["key"], data["summary"])
        return self._picture(data, kind, next(images), case)

    def _picture(self, data: dict[str, Any], kind: str, image: bytes, case: str) -> Picture:
        url = urlsplit(data["url"])
        if url.path == "/download":
            place = {"form": "nt", "fileid": parse_qs(url.query)["fileid"][0]}
        else:
            assert url.netloc == HOSTS["old"]
            path = f"{url.path}?{url.query}" if url.query else url.path
            made_up = path == md5_path(md5_hex(image))
            place = {"form": "old", "given_path": None if made_up else path}
        # Here QQ's own idea of the picture and the bytes of it differ.
        spoilt = case in ("event-before-short-file-ok", "event-before-empty-file-ok")
        return self._implementation.picture(
            image,
            kind=kind,
            name=data["file"],
            size=int(data["file_size"]),
            sticker=int(data.get("subType", data.get("sub_type"))) == 1,
            md5=data["file"][:32].lower() if spoilt else None,
            **place,
        )

    def shared_file(self, file_id: str, name: str, image: bytes, notice_id: str) -> SharedFile:
        """Read a file."""
        return self._implementation.shared_file(image, name, file_id=file_id, notice_id=notice_id)


def _segments(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return read_cq_codes(content) if isinstance(content, str) else content
