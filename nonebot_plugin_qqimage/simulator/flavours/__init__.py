"""The programs that a simulated implementation can behave as."""

from .base import Flavour
from .gocqhttp import GoCqhttp
from .lagrange import Lagrange
from .llonebot_3_24 import LLOneBot324
from .llonebot_3_29 import LLOneBot329
from .luckylilliabot import LuckyLilliaBot8
from .napcat import NapCat
from .snowluma import SnowLuma

FLAVOURS: dict[str, type[Flavour]] = {
    "luckylilliabot-8": LuckyLilliaBot8,
    "luckylilliabot-3.29": LLOneBot329,
    "luckylilliabot-3.24": LLOneBot324,
    "napcat": NapCat,
    "snowluma": SnowLuma,
    "lagrange": Lagrange,
    "gocqhttp": GoCqhttp,
}
"""All flavours by name."""
