"""A OneBot implementation in a process of its own, which a bot reaches over a WebSocket.

It reads one JSON object a line: ``{"answers": {name: answer}}`` is what ``get_image`` answers from
then on, after some milliseconds; ``{"event": {…}}`` is sent, with the time it was sent at
(`time.perf_counter`, which all processes of a machine share on Linux and macOS) as ``sent_at``.
"""

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import WSMsgType, web

_ANSWER_SECONDS = 0.005
_BOT = 10001


class _Implementation:
    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        hello = {"meta_event_type": "lifecycle", "sub_type": "connect", "post_type": "meta_event"}
        await socket.send_json({**hello, "self_id": _BOT, "time": 1_700_000_000})
        self._sockets.append(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                task = asyncio.create_task(self._answer(socket, json.loads(frame.data)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, call: dict[str, Any]) -> None:
        data: Any = None
        if call["action"] == "get_image":
            await asyncio.sleep(_ANSWER_SECONDS)
            data = self._answers[call["params"]["file"]]
        answer = {"status": "ok", "retcode": 0, "data": data, "echo": call["echo"]}
        await socket.send_json(answer)

    async def obey(self, order: dict[str, Any]) -> None:
        """Do what one line says."""
        self._answers |= order.get("answers", {})
        event = order.get("event")
        if event:
            socket = self._sockets[-1]
            await socket.send_json({**event, "sent_at": time.perf_counter()})


async def _main() -> None:
    implementation = _Implementation()
    app = web.Application()
    app.router.add_get("/", implementation.connect)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ws://127.0.0.1:{runner.addresses[-1][1]}/", flush=True)
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        await implementation.obey(json.loads(line))


if __name__ == "__main__":
    asyncio.run(_main())
