"""The implementations the simulated implementation can behave as."""

from .answers import Action as Action
from .answers import Answer as Answer
from .answers import ImplementationSettings as ImplementationSettings
from .answers import Json as Json
from .answers import Over as Over
from .answers import Refused as Refused
from .answers import TokenRefusal as TokenRefusal
from .base import Flavour as Flavour
from .gocqhttp import GoCqhttp
from .lagrange import Lagrange
from .llonebot_3_24 import LLOneBot324
from .llonebot_3_29 import LLOneBot329
from .luckylilliabot import LuckyLilliaBot8
from .napcat import NapCat

FLAVOURS: dict[str, type[Flavour]] = {
    "luckylilliabot-8": LuckyLilliaBot8,
    "luckylilliabot-3.29": LLOneBot329,
    "luckylilliabot-3.24": LLOneBot324,
    "napcat": NapCat,
    "lagrange": Lagrange,
    "gocqhttp": GoCqhttp,
}
"""All flavours by name."""
