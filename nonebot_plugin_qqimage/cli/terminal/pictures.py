"""Pictures in terminals that can show them.

kitty's protocol: https://sw.kovidgoyal.net/kitty/graphics-protocol/ (kitty, Ghostty);
iTerm2's: https://iterm2.com/documentation-images.html (iTerm2, WezTerm).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Literal

Protocol = Literal["kitty", "iterm2"]
_MAX_SIZE = 8 << 20
"""Bytes; a larger picture would keep the terminal busy for too long."""
_CHUNK = 4096
_ROWS = 20
"""Lines that a picture may be high."""


def protocol(environment: Mapping[str, str]) -> Protocol | None:
    """How the terminal shows pictures, by its environment; None if it cannot as far as known."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if environment.get("TMUX") or term.startswith(("screen", "tmux")):
        return None  # which would swallow it
    if environment.get("KITTY_WINDOW_ID") or term in ("xterm-kitty", "xterm-ghostty"):
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return None


def escape(data: bytes, mime: str, how: Protocol) -> str:
    """What to print for the terminal to show a picture; empty if it cannot show this one."""
    if len(data) > _MAX_SIZE:
        return ""
    if how == "iterm2":
        options = f"inline=1;size={len(data)};height={_ROWS};preserveAspectRatio=1"
        return f"\x1b]1337;File={options}:{b64encode(data).decode()}\a\n"
    if mime != "image/png":  # all else it wants as plain pixels
        return ""
    return "".join(_kitty(b64encode(data).decode())) + "\n"


def _kitty(text: str) -> Iterator[str]:
    for start in range(0, len(text), _CHUNK):
        more = int(start + _CHUNK < len(text))
        first = f"a=T,f=100,r={_ROWS}," if start == 0 else ""
        yield f"\x1b_G{first}m={more};{text[start : start + _CHUNK]}\x1b\\"
