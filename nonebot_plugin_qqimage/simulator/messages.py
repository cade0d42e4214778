"""What QQ itself knows of a message, before a program writes it down in its own way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .image_host.catalog import HostedPicture
from .image_host.keys import Kind


@dataclass(frozen=True)
class Text:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Picture:
    """A picture in a message; the same one sent again has another fileid."""

    hosted: HostedPicture
    name: str
    size: int
    sticker: bool = False
    flash: bool = False
    """Whether it is shown for a few seconds only; most programs do not say so."""
    given: str | None = None
    """What the bot gave as ``file`` when it sent this by a call; None for all other pictures."""


@dataclass(frozen=True)
class MarketFace:
    """A face from QQ's shop."""

    hosted: HostedPicture
    package_id: int = 1
    key: str = "k0123456789"
    summary: str = "[你好]"

    @property
    def emoji_id(self) -> str:
        """Its id, which is also its fileid."""
        return self.hosted.fileid


@dataclass(frozen=True)
class Quote:
    """The message quotes another one."""

    message_id: int


@dataclass(frozen=True)
class Forward:
    """A forwarded record."""

    forward_id: str
    nodes: "tuple[Message, ...]"


@dataclass(frozen=True)
class SharedFile:
    """A picture uploaded as a file."""

    hosted: HostedPicture
    name: str
    notice_id: str
    """The id NapCat has in the notice alone."""

    @property
    def file_id(self) -> str:
        """Its id, which is also its fileid."""
        return self.hosted.fileid


@dataclass(frozen=True)
class Other:
    """Any other segment, as it came."""

    type: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])


Part = Text | Picture | MarketFace | Quote | Forward | SharedFile | Other
"""One part of a message."""


@dataclass(frozen=True)
class Message:
    """A message, with all that any program tells of it."""

    kind: Kind
    parts: tuple[Part, ...]
    message_id: int
    seq: int
    time: int
    user_id: int = 30001
    nickname: str = "Tester"
    card: str = "card"
    own: bool = False
    """Whether the bot's own account sent it."""
    implementation_id: int = 20001
    """The group, or the person a private chat is with."""
    group_name: str = "TestGroup"
    temporary_group: int | None = None
    """The group through which a private chat between strangers runs: a temporary session."""
    message_type: str | None = None
    """What the chat is said to be, where OneBot v11 has no such kind; None is ``kind``."""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a message in such a chat says besides."""
