"""LLOneBot 3.24 to 3.28: downloads the URL a picture came with, and hides every failure."""

import base64
import uuid
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ..image_host.cdn import InsideFetchFailed
from ..messages import Message, Picture, SharedFile
from .answers import Action, Json, Refused
from .kernel import kernel_path
from .llonebot import LLOneBot
from .luckylilliabot import image_data


@dataclass
class _Row:
    """What is on disk about a picture or file."""

    part: Picture | SharedFile
    url: str
    relative: str
    """Where QQ itself would put it."""
    file: str
    content: bytes | None = None
    """None if there is no such file."""


class LLOneBot324(LLOneBot):
    """LLOneBot 3.24.0 to 3.28.7; 3.24.3 unless told otherwise."""

    app_version = "3.24.3"
    temporary_group_in = "event"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.one_url = not self.since(3, 24, 3)
        """Whether every picture of a message has the URL of the first."""
        self.no_urls = False
        """Whether URLs are empty, as when it cannot get keys."""
        self.seen_in_qq: set[str] = set()
        """Names of pictures which QQ itself has downloaded and kept."""
        self._table: dict[str, _Row] = {}

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture, and keep its URL until the message is written again."""
        url = self._url(part, message)
        self._keep(part.name, part, url, f"nt_data/{kernel_path(part, message)}")
        data = image_data(part, url)
        if not self.since(3, 27):
            del data["subType"]
        return data

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        self._keep(part.file_id, part, "", f"nt_data/File/{part.name}")
        return super().shared_file(part, message)

    def actions(self) -> dict[str, Action]:
        """Name the actions there are; ``get_rkey`` is none of them."""
        return {**super().actions(), "get_image": self.get_image, "get_file": self.get_file}

    async def get_image(self, params: Json) -> Json:
        """Download a picture if need be, and say where it is or would be."""
        return await self._fetch(str(params.get("file")))

    async def get_file(self, params: Json) -> Json:
        """Do the same by ``file_id``."""
        if not params.get("file_id"):
            raise Refused("file_id 不能为空")
        return await self._fetch(str(params["file_id"]))

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._table.clear()

    async def _fetch(self, wanted: str) -> Json:
        row = self._table.get(wanted)
        if row is None:
            raise Refused("file not found")
        part = row.part
        if row.content is None:
            await self._download(row)
        size = part.size if isinstance(part, Picture) else len(part.hosted.data)
        answer = {
            "file": row.file,
            "url": row.url,
            "file_size": str(size),
            "file_name": part.name,
        }
        if self.settings.inline_base64 and not row.url:
            if row.content is None:
                reason = f"Error: ENOENT: no such file or directory, open '{row.file}'"
                raise Refused(f"文件下载失败. {reason}")
            answer["base64"] = base64.b64encode(row.content).decode()
        return answer

    async def _download(self, row: _Row) -> None:
        """Get the file if possible; if not, leave the path where there is none."""
        data, name = row.part.hosted.data, row.part.name
        if name in self.seen_in_qq or isinstance(row.part, SharedFile):
            row.file, row.content = await self.files.write(
                "pictures", row.relative, data, name=name
            )
            return
        if not row.url:
            return
        try:
            reply = await self.cdn.fetch_inside(row.url, patience=self.patience)
        except InsideFetchFailed:
            return
        if 200 <= reply.status < 300:
            ending = PurePosixPath(unquote(urlsplit(row.url).path)).name
            relative = f"{uuid.uuid4()}{ending}"
            row.file, row.content = await self.files.write("temp", relative, reply.body, name=name)

    def _keep(self, key: str, part: Picture | SharedFile, url: str, relative: str) -> None:
        self._table[key] = _Row(part, url, relative, f"{self.files.reported}/{relative}")

    def _url(self, part: Picture, message: Message) -> str:
        if self.one_url:
            part = next(other for other in message.parts if isinstance(other, Picture))
        if self.no_urls and part.hosted.form == "nt":
            return ""
        return self.signed_url(part)
