"""The doctor beside a bot that runs: by the command line, and in a chat."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.doctor.bots.running import running_bots
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..cli.conftest import module
from .bots import PATIENCE, started, told

HOST = "multimedia.nt.qq.com.cn"


async def heard(bot: BotProcess) -> list[Mapping[str, Any]]:
    """What the process said of itself, if it runs."""
    store = ImageStore(bot.store, max_size=1 << 40, max_age=1e9)
    try:
        return [bot.said for bot in await running_bots(store)]
    finally:
        await store.close()


async def learned(bot: BotProcess, field: str, *bots: str) -> None:
    """Wait until the process has said that of these bots."""
    with anyio.fail_after(PATIENCE):
        while True:
            known = [implementation for said in await heard(bot) for implementation in said["bots"]]
            if {
                implementation["bot"]
                for implementation in known
                if implementation[field] is not None
            } >= set(bots):
                return
            await anyio.sleep(0.05)


async def doctor(bot: BotProcess, *options: str) -> dict[str, list[str]]:
    """What the command line says, by what it is about."""
    done = await module(bot.folder, "doctor", "--json", *options)
    lines: dict[str, list[str]] = {}
    for line in done.json["lines"]:
        said = f"{line['state']}: {line['text']} → {line['cure']}"
        lines.setdefault(line["about"], []).append(said)
    assert done.status == (1 if done.json["verdict"] == "failed" else 0), done.out
    return lines


async def test_files_and_the_chat(cdn: SimulatedCdn, tmp_path: Path) -> None:
    near = SimulatedImplementation("napcat", cdn, self_id=10001, file_dir=tmp_path / "near")
    far = SimulatedImplementation(
        "napcat", cdn, self_id=10002, file_dir=tmp_path / "far", reported_dir="/app/.config/QQ"
    )
    settings = {"SUPERUSERS": ["30001"], "QQIMAGE__MIRRORS": {HOST: cdn.base_url}}
    async with started(tmp_path / "bot", settings=settings) as bot:
        async with ReverseWebSocket(near, bot.ws_url), ReverseWebSocket(far, bot.ws_url):
            for seed, implementation in enumerate((near, far)):
                await implementation.connected(1, PATIENCE)
                await implementation.send_group(implementation.picture(png(seed=seed)))
                assert "sha256" in await told(implementation)
            await learned(bot, "reads_files", "10001", "10002")
            lines = await doctor(bot)
            assert any("its files are readable here" in line for line in lines["bot 10001"])
            (unreadable,) = [line for line in lines["bot 10002"] if "not readable" in line]
            assert unreadable.startswith("warning")
            assert "/app/.config/QQ" in unreadable
            assert "QQIMAGE__PATH_MAP" in unreadable
            assert all(
                "reverse WebSocket (fastapi)" in lines[f"bot {n}"][0] for n in (10001, 10002)
            )
            assert lines[f"image host {HOST}"][0].startswith("ok: answers by its mirror")
            assert any(line.startswith("ok: 2 images") for line in lines["store"])
            (process,) = [lines[about] for about in lines if about.startswith("process")]
            assert len(process) == 1

            await _in_chat(near, far)
            # what .env says now is not what the bot runs with
            with (bot.folder / ".env").open("a") as env:
                env.write("QQIMAGE__PREFETCH=false\n")
            assert "QQIMAGE__PREFETCH" in str(await doctor(bot))
    assert await heard(bot) == []


async def test_each_way_is_tried_for_real(cdn: SimulatedCdn, tmp_path: Path) -> None:
    near = SimulatedImplementation("napcat", cdn, self_id=10001, file_dir=tmp_path / "near")
    far = SimulatedImplementation("napcat", cdn, self_id=10002, reported_dir="/app/.config/QQ")
    settings = {
        "QQIMAGE__MIRRORS": {HOST: cdn.base_url},
        "QQIMAGE__PATH_MAP": {"/app/.config/QQ": str(tmp_path / "nowhere")},
    }
    async with started(tmp_path / "bot", settings=settings) as bot:
        lines = await doctor(bot, "--try")
        (process,) = [said for about, said in lines.items() if about.startswith("process")]
        assert any("no implementation is connected" in line for line in process)
        async with ReverseWebSocket(near, bot.ws_url), ReverseWebSocket(far, bot.ws_url):
            for seed, implementation in enumerate((near, far)):
                await implementation.connected(1, PATIENCE)
                await implementation.send_group(implementation.picture(png(seed=10 + seed)))
                assert "sha256" in await told(implementation)
            await learned(bot, "reads_files", "10001", "10002")
            lines = await doctor(bot, "--try")
            tried = lines["trial with bot 10001"]
            assert any("ok: get_image, file in the answer: image/png" in line for line in tried)
            assert any("ok: get_image, url in the answer: image/png" in line for line in tried)
            tried = lines["trial with bot 10002"]
            (unreadable,) = [line for line in tried if "unreadable" in line]
            assert unreadable.startswith("warning")
            assert "QQIMAGE__PATH_MAP leads to" in unreadable
            assert "mount the implementation's folder" in unreadable
            (served,) = lines["served URL"]
            assert served.startswith(f"ok: {bot.served_at}/qqimage/download: image/png")
            assert len(lines["path map"]) == 1
    lines = await doctor(bot, "--try")  # the bot is off: what is left is tried from here
    assert any("url of the segment: image/png" in line for line in lines["trial"])
    assert all("no bot runs" in lines[about][0] for about in ("get_image", "served URL"))


async def _in_chat(near: SimulatedImplementation, far: SimulatedImplementation) -> None:
    await near.send_group("/qqimage doctor", user_id=30002)  # nobody's business
    await near.send_group("/qqimage doctor")
    answer = (await near.next_sent(PATIENCE)).text
    assert "its files are readable here" in answer
    assert "✓ image: the store has it: image/png, 320 × 200" in answer
    assert "✓ image: file in the answer: image/png, 320 × 200" in answer
    assert "10002" not in answer

    await far.send_group(["/qqimage doctor"], group_id=20002)
    answer = (await far.next_sent(PATIENCE)).text
    assert "NapCat.Onebot 4.18.19" in answer
    assert "! image: there is none in this chat to try" in answer

    await far.send_group("/qqimage doctor")  # where there is one, of which the link alone is left
    answer = (await far.next_sent(PATIENCE)).text
    assert "! image: file in the answer unreadable" in answer
    assert "✓ image: url in the answer: image/png" in answer
    assert "rkey=***" in answer or "rkey" not in answer

    await near.send_private("/qqimage stats")
    assert (await near.next_sent(PATIENCE)).text.startswith("2 images, ")
    await near.send_private("/qqimage")
    assert "/qqimage doctor" in (await near.next_sent(PATIENCE)).text
    assert len(near.sent) == 4  # the picture's, and three answers
