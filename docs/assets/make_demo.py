"""Runs the demo and draws what it prints: ``uv run python docs/assets/make_demo.py``.

The picture stands in both READMEs. It needs no font and no file from elsewhere.
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.terminal_theme import TerminalTheme
from rich.theme import Theme

TARGET = Path(__file__).with_name("demo.svg")
COMMAND = "uv run python -m nonebot_plugin_qqimage demo"
WIDTH = 116
"""Columns: as many as the demo's table has, and a few more."""

_COLOURS = "6e7681 ff7b72 3fb950 d29922 58a6ff bc8cff 39c5cf b1bac4"
"""Black (here a grey that can be read), red, green, yellow, blue, magenta, cyan, white."""
_THEME = TerminalTheme(
    background=(22, 27, 34),
    foreground=(201, 209, 217),
    normal=[tuple(bytes.fromhex(colour)) for colour in _COLOURS.split()],
)
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{
    font: {char_height}px ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace;
    line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class _Demo(RegexHighlighter):
    """Colours for what the demo prints."""

    base_style = "demo."
    highlights: ClassVar[list[str]] = [
        r"(?P<bad>download url has expired(?= {2}| \w)|a web page(?= {6})|nothing within \d+ s)",
        r"(?P<bad>nowhere: see below)",
        r"(?P<good>\b(?:file|base64|url) (?:in the answer|of the segment|with a fresh key)|store\b)"
        r"(?=: image/)",
        r"(?m)(?P<quiet>^─+$)",
        r"(?m)(?P<head>^picture .*ms$)",
        r"(?m)(?P<end>^\d+ of the \d+ pictures that could be had were)",
        r"(?P<hint>Hint: .*)",
    ]


_STYLES = {
    "demo.bad": "red",
    "demo.good": "green",
    "demo.quiet": "bright_black",
    "demo.head": "bold",
    "demo.end": "bold green",
    "demo.hint": "yellow",
    "demo.prompt": "bold blue",
}


def main() -> int:
    """Run the demo, and write the picture; returns the demo's exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "nonebot_plugin_qqimage", "demo"],
        env={
            **os.environ,
            "PYTHONIOENCODING": "utf-8",
            "QQIMAGE__LANGUAGE": "en",
            "COLUMNS": str(WIDTH),
        },
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    sys.stdout.write(done.stdout)
    if done.returncode == 0:
        TARGET.write_text(drawn(done.stdout), "utf-8")
    return done.returncode


def drawn(text: str) -> str:
    """An SVG picture of a terminal with this text.

    Args:
        text: what the demo has printed.
    """
    console = Console(
        record=True,
        file=io.StringIO(),  # it is only recorded
        width=WIDTH,
        theme=Theme(_STYLES),
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
    )
    console.print(f"[demo.prompt]$[/] {COMMAND}", highlight=False)
    console.print(_Demo()(f"{text.rstrip()}\n"))  # the last line would be cut at its feet
    svg = console.export_svg(title="", theme=_THEME, code_format=_SVG)
    return re.sub(r" +$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main())
