"""The READMEs: their examples run, their tables are true, and both say the same."""

import re
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]


def read(readme: str) -> str:
    return (ROOT / readme).read_text("utf-8")


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", read(readme), re.DOTALL)


@pytest.mark.parametrize("readme", READMES)
async def test_the_examples_run(readme: str, tmp_path: Path) -> None:
    plugin = tmp_path / "example.py"
    plugin.write_text("\n".join(blocks(readme, "python")), "utf-8")
    async with SimulatedCdn() as cdn:
        implementation = SimulatedImplementation("napcat", cdn)
        async with BotProcess(tmp_path / "bot", plugins=(plugin,)) as bot:
            async with ReverseWebSocket(implementation, bot.ws_url):
                await implementation.connected(1, 30)
                parts = [
                    *implementation.message("group", "/size").parts,
                    implementation.picture(png()),
                ]
                await implementation.send_group(parts)
                told = {(await implementation.next_sent(30)).text for _ in range(2)}
                await implementation.send_group(
                    list(implementation.message("group", "/last").parts)
                )
                uri = (await implementation.next_sent(30)).text
    assert any(text.startswith("320 × 200 ") for text in told), told
    assert uri.startswith("qqimage:"), uri


@pytest.mark.parametrize("readme", READMES)
def test_the_settings_table_lists_every_setting_and_its_default(readme: str) -> None:
    rows = re.findall(r"^\| `QQIMAGE__([A-Z_]+)` \|(.*?)\|", read(readme), re.MULTILINE)
    listed = {name.lower(): default.strip().strip("`") for name, default in rows}
    defaults = {name: str(value) for name, value in vars(ScopedConfig()).items()}
    assert list(listed) == list(defaults)
    for name, default in listed.items():
        assert default == defaults[name].lower().removesuffix(".0"), name


def test_every_setting_says_what_it_means() -> None:
    source = (ROOT / "nonebot_plugin_qqimage" / "config.py").read_text("utf-8")
    described = re.findall(r"^    ([a-z_]+): .*\n    \"\"\"", source, re.MULTILINE)
    assert described[:-1] == list(vars(ScopedConfig()))  # the last one is the group itself


def test_both_say_the_same() -> None:
    english, chinese = map(read, READMES)
    for pattern in (r"^#+ ", r"^\|", r"^```\w+", r"^- ", r"^\*\*"):
        counts = [len(re.findall(pattern, text, re.MULTILINE)) for text in (english, chinese)]
        assert counts[0] == counts[1], pattern
    for language in ("sh", "yaml"):
        code = [[_without_comments(block) for block in blocks(r, language)] for r in READMES]
        assert code[0] == code[1]
    for pattern in (r"`[A-Z_]{6,}`", r"https?://[\w./:-]+", r"`\w+\.py`"):
        assert sorted(re.findall(pattern, english)) == sorted(re.findall(pattern, chinese))


def _without_comments(code: str) -> str:
    return re.sub(r" +#.*", "", code)


@pytest.mark.parametrize("readme", READMES)
def test_the_first_screen_has_both_commands(readme: str) -> None:
    first_screen = "\n".join(read(readme).splitlines()[:30])
    for command in ("uv run python -m nonebot_plugin_qqimage demo", "uv run pytest"):
        assert f"python -m pip install uv && {command}\n" in first_screen
