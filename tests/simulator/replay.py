"""A whole transcript played against the simulator, over real sockets, in the recorded order."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.implementation_files import FileFault
from nonebot_plugin_qqimage.simulator.messages import SharedFile
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.http import HttpApi

from ..transcripts import Line
from .clients import SocketClient
from .reading import Reader

TOKEN = "right"
PLACES = {
    "luckylilliabot-8": ("/app/llbot/data", "/app/llbot/data/temp"),
    "napcat": ("/app/.config/QQ/nt_qq_0123456789abcdef/nt_data", "/app/.config/QQ/NapCat/temp"),
}
# The recorded client waited 8 or 10 s before it gave up.
GIVE_UP = 0.05


@dataclass
class Stage:
    """Everything one group of lines is played on."""

    implementation: SimulatedImplementation
    cdn: SimulatedCdn
    ws: ForwardWebSocket
    http: HttpApi
    client: SocketClient
    session: aiohttp.ClientSession
    reader: Reader
    lines: list[Line]
    folder: Path
    waiting_frames: list[dict[str, Any]] = field(default_factory=list)

    def fileid(self, line: Line) -> str:
        """Give the fileid of the picture an action is about."""
        event = next(row for row in self.lines if row.case == line.fields["for_event"])
        return event.frame["message"][0]["data"]["url"].partition("fileid=")[2].partition("&")[0]


def _fault(fault: Fault) -> Callable[[Stage, Line], None]:
    return lambda stage, line: stage.cdn.faults.set(fault, fileid=stage.fileid(line))


def _file_fault(fault: FileFault) -> Callable[[Stage, Line], None]:
    return lambda stage, line: setattr(stage.implementation.files, "fault", fault)


def _hang(stage: Stage, line: Line) -> None:
    if stage.implementation.flavour.app_name == "NapCat.Onebot":
        stage.implementation.flavour.kernel_hangs.add(line.request["params"]["file"])
    else:
        _fault(Fault.HANG)(stage, line)


def _hang_briefly(stage: Stage, line: Line) -> None:
    _hang(stage, line)
    stage.implementation.flavour.patience = 0.05


def _lose_message(stage: Stage, line: Line) -> None:
    event = next(row for row in stage.lines if row.case == line.fields["for_event"])
    stage.implementation.flavour.lose(event.frame["message_id"])


def _own_messages(stage: Stage, line: Line) -> None:
    stage.implementation.next_message_id = line.reply["data"]["message_id"]
    event = next(row for row in stage.lines if row.case == "own-group-image-sent-by-api")
    stage.implementation.next_seq = event.frame["message_seq"]


# What was done to the stubs before a case; faults last for this case alone.
BEFORE: dict[str, Callable[[Stage, Line], None]] = {
    "get-image-hang": _hang,
    "get-image-hang-until-program-gives-up": _hang_briefly,
    "get-image-expired-url": _fault(Fault.EXPIRED),
    "get-image-404": _fault(Fault.NOT_FOUND),
    "get-image-html-saved-as-ok": _fault(Fault.HTML),
    "get-image-connection-reset": _fault(Fault.RESET),
    "get-image-truncated": _fault(Fault.TRUNCATED),
    "get-image-file-missing": _file_fault(FileFault.MISSING),
    "get-image-base64-option-off-file-missing": _file_fault(FileFault.MISSING),
    "get-image-slow": lambda stage, line: stage.implementation.behaviour.delays.update(
        get_image=0.02
    ),
    "get-image-rkey-rotated-private": lambda stage, line: stage.cdn.rotate_keys(),
    "get-image-rkey-rotated": lambda stage, line: stage.cdn.rotate_keys(),
    "get-image-kernel-lost-message": _lose_message,
    "event-no-rkey": lambda stage, line: setattr(
        stage.implementation.flavour, "packet_backend", False
    ),
    "send-group-image": _own_messages,
}


async def replay(flavour: str, lines: list[Line], folder: Path) -> dict[str, dict[str, Any]]:
    """Play all lines; give what the simulator did at each, in the fields of a recorded line."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(json.dumps(line.options, sort_keys=True), []).append(line)
    done: dict[str, dict[str, Any]] = {}
    for number, group in enumerate(groups.values()):
        async with _stage(flavour, group, folder / str(number)) as stage:
            for line in group:
                play = _play_event if line.kind == "event" else _play_action
                done[line.case] = await play(stage, line)
    return done


@contextlib.asynccontextmanager
async def _stage(flavour: str, lines: list[Line], folder: Path) -> AsyncIterator[Stage]:
    options = lines[0].options
    text = "string" in (options.get("messageFormat"), options.get("messagePostFormat"))
    reported, reported_temp = PLACES[flavour]
    async with SimulatedCdn(real_hosts=True) as cdn:
        implementation = SimulatedImplementation(
            flavour,
            cdn,
            nickname="StubBot",
            file_dir=folder,
            reported_dir=reported,
            reported_temp_dir=reported_temp,
            message_format="string" if text else "array",
            inline_base64=options.get("enableLocalFile2Url", flavour == "napcat"),
            report_own=True,
            token=TOKEN if "token" in options else None,
        )
        async with (
            ForwardWebSocket(implementation) as ws,
            HttpApi(implementation) as http,
            aiohttp.ClientSession() as session,
            SocketClient(ws.url, token=implementation.settings.token) as client,
        ):
            stage = Stage(
                implementation,
                cdn,
                ws,
                http,
                client,
                session,
                Reader(implementation, lines),
                lines,
                folder,
            )
            if lines[0].case != "lifecycle-connect":
                await client.event()
            yield stage


async def _play_event(stage: Stage, line: Line) -> dict[str, Any]:
    BEFORE.get(line.case, lambda stage, line: None)(stage, line)
    if stage.waiting_frames:
        return {"frame": stage.waiting_frames.pop()}
    if line.case in ("lifecycle-connect", "own-group-image-sent-by-api"):
        return {"frame": await stage.client.event()}
    if line.frame["post_type"] == "notice":
        return await _play_upload(stage, line)
    images = iter(line.images)
    quoted = _quoted_but_never_seen(stage, line)
    if quoted is not None:
        stage.implementation.remember(stage.reader.message(quoted, images, line.case))
    message = stage.reader.message(line.frame, images, line.case)
    assert next(images, None) is None
    await stage.implementation.announce(message)
    if any(isinstance(part, SharedFile) for part in message.parts):
        await stage.client.event()
    return {"frame": await stage.client.event()}


def _quoted_but_never_seen(stage: Stage, line: Line) -> dict[str, Any] | None:
    if not line.case.endswith("-never-seen"):
        return None
    answers = (row for row in stage.lines if row.fields.get("for_event") == line.case)
    return next(row.reply["data"] for row in answers if row.case.startswith("get-msg"))


async def _play_upload(stage: Stage, line: Line) -> dict[str, Any]:
    """Play an upload, which makes a notice and then a message, of which one may be unrecorded."""
    told = next((row for row in stage.lines if row.case == "group-file-message"), None)
    notice = line.frame["file"]
    segment = None if told is None else told.frame["message"][0]["data"]
    file_id = notice["id"] if segment is None else segment["file_id"]
    part = stage.reader.shared_file(file_id, notice["name"], line.images[0], notice["id"])
    frame = line.frame if told is None else told.frame
    seq = int(frame.get("real_seq", frame.get("message_seq", 1)))
    stage.implementation.next_message_id = frame.get("message_id")
    await stage.implementation.announce(
        stage.implementation.message("group", part, seq=seq, at=line.frame["time"])
    )
    shown = await stage.client.event()
    following = await stage.client.event()
    if told is not None:
        following["time"] += told.frame["time"] - line.frame["time"]
        stage.waiting_frames.append(following)
    return {"frame": shown}


async def _play_action(stage: Stage, line: Line) -> dict[str, Any]:
    implementation = stage.implementation
    stage.cdn.faults.clear()
    implementation.files.fault = None
    implementation.behaviour.delays.clear()
    BEFORE.get(line.case, lambda stage, line: None)(stage, line)
    if line.case.startswith("unauthorised"):
        return await _play_unauthorised(stage, line)
    action, params = line.request["action"], line.request["params"]
    if line.over_http:
        return await _post(stage, action, params, TOKEN)
    try:
        give_up = GIVE_UP if line.fields.get("timeout") else 5.0
        reply = await stage.client.call(action, give_up, **params)
    except asyncio.TimeoutError:
        return {"timeout": True}
    return {"reply": reply, **_file_of(stage, reply)}


async def _play_unauthorised(stage: Stage, line: Line) -> dict[str, Any]:
    token = None if "no-token" in line.case else "wrong"
    if line.over_http:
        return await _post(stage, line.request["action"], line.request["params"], token)
    query = "query" in line.case
    url = f"{stage.ws.url}?access_token={token}" if query else stage.ws.url
    async with SocketClient(url, token=None if query else token) as client:
        frame = await client.event()
        code, reason = await client.ended()
        return {"reply": frame, "close_code": code, "close_reason": reason}


async def _post(
    stage: Stage, action: str, params: dict[str, Any], token: str | None
) -> dict[str, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with stage.session.post(
        stage.http.url + action, json=params, headers=headers
    ) as response:
        reply = await response.json()
        if stage.implementation.flavour.app_name == "NapCat.Onebot" and response.status == 200:
            assert reply.pop("echo")
        return {"reply": reply, "http_status": response.status, **_file_of(stage, reply)}


def _file_of(stage: Stage, reply: dict[str, Any]) -> dict[str, Any]:
    """Read the file which an answer names, where it really is."""
    data = reply.get("data")
    path = data.get("file") if isinstance(data, dict) else None
    if not path:
        return {}
    files = stage.implementation.files
    if path.startswith(files.reported_temp):
        real = stage.folder / "temp" / path.removeprefix(f"{files.reported_temp}/")
    else:
        real = stage.folder / path.removeprefix(f"{files.reported}/")
    if not real.exists():
        return {"file_missing": True}
    return {"file_bytes_b64": base64.b64encode(real.read_bytes()).decode()}
