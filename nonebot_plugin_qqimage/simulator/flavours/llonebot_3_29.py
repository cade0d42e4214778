"""LLOneBot 3.29 to LuckyLilliaBot 7: lets QQ's own kernel download, for as long as it takes."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

from ..messages import Message, Picture, SharedFile
from .answers import Action, Json, Refused
from .kernel import kernel_path
from .llonebot import LLOneBot
from .luckylilliabot import image_data, rkey_pair


@dataclass(frozen=True)
class _Row:
    part: Picture | SharedFile
    message: Message
    inner: bool
    """Whether the message is inside a forwarded record, where the kernel does not find it."""


class LLOneBot329(LLOneBot):
    """LLOneBot 3.29.0 to LuckyLilliaBot 7.12.13; 4.9.0 unless told otherwise."""

    app_version = "4.9.0"
    temporary_group_in = "sender"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.patience = 1800.0 if self.since(4, 5) else 120.0
        self.kernel_hangs: set[str] = set()
        """Names of pictures whose download the kernel never reports as done."""
        # On disk in the real one, so a restart loses nothing.
        self._table: dict[str, _Row] = {}

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture."""
        self._insert(part, message)
        return image_data(part, self.signed_url(part))

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file."""
        self._insert(part, message)
        return super().shared_file(part, message)

    def actions(self) -> dict[str, Action]:
        """Name the actions there are; ``get_rkey`` came with 5.3.0."""
        actions = {**super().actions(), "get_image": self.get_image, "get_file": self.get_file}
        return {**actions, "get_rkey": self.get_rkey} if self.since(5, 3) else actions

    async def get_image(self, params: Json) -> Json:
        """Have the kernel download a picture, and say where it is."""
        wanted = params.get("file")
        if self.since(4, 0):
            if wanted is not None and not isinstance(wanted, str):
                raise Refused(f"$.file expected string but got {wanted}", "bad request")
            if wanted is None and (not self.since(5, 0) or self.since(7, 3)):
                raise Refused("$.file missing required value", "bad request")
            if not wanted and self.since(5, 0) and not self.since(7, 3):
                raise Refused("file is required")
        return await self._fetch(str(wanted), params)

    async def get_file(self, params: Json) -> Json:
        """Do the same for a file or a picture, by ``file_id``, from 5.0 also by ``file``."""
        wanted = params.get("file_id")
        if self.since(5, 0):
            wanted = params.get("file") or wanted
        if not wanted:
            raise Refused("file is required" if self.since(5, 0) else "file_id 不能为空")
        return await self._fetch(str(wanted), params)

    async def get_rkey(self, params: Json) -> Json:
        """Ask the key server, and keep using the keys from before."""
        return rkey_pair(self.cdn.keys)

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._table.clear()

    async def _fetch(self, wanted: str, params: Json) -> Json:
        row = self._table.get(wanted)
        if row is None:
            raise Refused("file not found")
        part, file, content = row.part, "", None
        if not self.since(7, 6) or str(params.get("download", True)).lower() != "false":
            file, content = await self._download(row)
        url = "" if self.since(7, 6) else file
        if isinstance(part, Picture):
            if row.inner or row.message.message_id not in self.messages:
                raise Refused("msg not found")
            url = self.signed_url(part)
        size = part.size if isinstance(part, Picture) else len(part.hosted.data)
        answer = {"file": file, "url": url, "file_size": str(size), "file_name": part.name}
        inlines = file == url or not self.since(3, 29, 1)
        if self.settings.inline_base64 and file and inlines:
            if content is None:
                reason = f"Error: ENOENT: no such file or directory, open '{file}'"
                raise Refused(f"文件下载失败. {reason}")
            answer["base64"] = base64.b64encode(content).decode()
        return answer

    async def _download(self, row: _Row) -> tuple[str, bytes | None]:
        part = row.part
        if row.inner or part.name in self.kernel_hangs:
            await asyncio.sleep(self.patience)
            raise Refused("invoke timeout, nodeIKernelMsgService/downloadRichMedia")
        relative = f"File/{part.name}"
        if isinstance(part, Picture):
            relative = kernel_path(part, row.message)
        return await self.files.write(
            "pictures", f"nt_data/{relative}", part.hosted.data, name=part.name
        )

    def _insert(self, part: Picture | SharedFile, message: Message) -> None:
        row = _Row(part, message, message.message_id not in self.messages)
        for key in {part.name, part.hosted.fileid}:
            self._table[key] = row
