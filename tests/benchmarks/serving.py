"""A stored picture of 100 KB over HTTP: the server of our own against nginx, one process each.

Meanwhile the bot's event loop, which takes no part in it, says how late it wakes up.

Where nginx or wrk is not installed, `plain_http` takes its place.
"""

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import httpx

from nonebot_plugin_qqimage.demo.bot_process import BotProcess, free_port

from .measure import Cost, compare, seconds, side_by_side
from .table import Result, at_least, within

_BOTS = 3
"""One after the other, for two processes of the same bot differ by up to a fifth."""
_ROUNDS = 2
"""With each of them."""
_SECONDS = 1
_CONNECTIONS = 16
_SHARE = 0.30
_LATE = 4.0
"""Milliseconds by which the bot's loop may wake up late, in 99 of 100 cases."""
_PLUGIN = Path(__file__).parent / "plugins" / "serve.py"
_PLAIN = (sys.executable, "-m", f"{__package__}.plain_http")
_NGINX = """
# only heeded when root starts it, whose temporary folders nobody else may read
user root;
daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ image/png png; }}
    server {{
        listen 127.0.0.1:{port};
        root {folder};
    }}
}}
"""


async def measure() -> list[Result]:
    """Row 10."""
    costs: dict[str, list[Cost]] = {}
    late: dict[str, list[float]] = {}
    for _ in range(_BOTS):
        for name, taken in (await _round(late)).items():
            costs.setdefault(name, []).extend(taken)
    rates = {name: [1 / each for each in seconds(taken)] for name, taken in costs.items()}
    against = "nginx" if _there("nginx") else "a plain asyncio server, as nginx is not installed"
    client = "" if _there("wrk") else "asked by Python, as wrk is not installed"
    what = f"requests a second for a picture of 100 KB, {_CONNECTIONS} connections"
    served = compare(rates["ours"], rates["theirs"])
    unchanged = compare(rates["ours, 304"], rates["theirs"])
    own = compare(rates["ours, 304"], rates["theirs, 304"])
    note = f"its own 304: {own.reference:,.0f} /s"
    delay = "how late the bot's event loop wakes up meanwhile, 99th percentile"
    idle = f"{median(late['theirs']):.1f} ms while nginx serves"
    return [
        at_least(10, what, "/s", against, served, _SHARE, client),
        within(10, delay, "ms", median(late["ours"]), _LATE, note=idle),
        at_least(
            10, "the same, answered 304", "/s", f"{against}, giving it", unchanged, _SHARE, note
        ),
    ]


async def _round(late: dict[str, list[float]]) -> dict[str, list[Cost]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bot = await stack.enter_async_context(BotProcess(folder, {}, (_PLUGIN,)))
        await bot.wait_for_log("served: ")
        match = re.search(r"served: (\S+) \.", bot.log)
        assert match is not None
        ours = httpx.URL(match[1])
        async with httpx.AsyncClient(trust_env=False) as client:
            picture = await client.get(ours)
            assert picture.status_code == 200
            base = await stack.enter_async_context(_reference(folder / "nginx", picture.content))
            theirs = httpx.URL(f"{base}/picture.png")
            other = await client.get(theirs)
            assert other.content == picture.content

            async def load(name: str, url: httpx.URL) -> Cost:
                await client.get(ours.join("/late"))  # which begins anew
                cost = await _load(url)
                late.setdefault(name, []).append((await client.get(ours.join("/late"))).json())
                return cost

            etag = picture.headers["etag"]
            return await side_by_side(
                {
                    "ours": lambda: load("ours", ours),
                    "theirs": lambda: load("theirs", theirs),
                    "ours, 304": lambda: _load(ours, etag),
                    "theirs, 304": lambda: _load(theirs, other.headers["etag"]),
                },
                _ROUNDS,
                warm_up=0,
                collect=False,
            )


def _there(program: str) -> bool:
    return shutil.which(program) is not None


async def _load(url: httpx.URL, etag: str = "") -> Cost:
    """Ask again and again; what one request took."""
    process = await asyncio.create_subprocess_exec(
        *(_wrk(url, etag) if _there("wrk") else _plain_client(url, etag)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    said = output.decode()
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert rate is not None, said
    assert "Non-2xx" not in said, said
    return Cost(seconds=1 / float(rate[1]))


def _wrk(url: httpx.URL, etag: str) -> list[str]:
    header = ["-H", f"If-None-Match: {etag}"] if etag else []
    return ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", *header, str(url)]


def _plain_client(url: httpx.URL, etag: str) -> list[str]:
    asked = ["--path", url.raw_path.decode(), "--etag", etag]
    how = ["--connections", str(_CONNECTIONS), "--seconds", str(_SECONDS)]
    return [*_PLAIN, str(url.port), *asked, *how]


@asynccontextmanager
async def _reference(folder: Path, picture: bytes) -> AsyncIterator[str]:
    """The base URL of a server of this picture."""
    port = free_port()
    _prepare(folder, picture, port)
    nginx = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    plain = [*_PLAIN, str(port), "--serve", str(folder / "picture.png")]
    process = await asyncio.create_subprocess_exec(
        *(nginx if _there("nginx") else plain), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _listens(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return writer.close()
    raise RuntimeError("the reference did not start")


def _prepare(folder: Path, picture: bytes, port: int) -> None:
    folder.mkdir()
    (folder / "picture.png").write_bytes(picture)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
