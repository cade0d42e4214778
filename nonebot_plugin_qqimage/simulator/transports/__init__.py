"""The three ways between an implementation and a bot."""

from .forward_ws import ForwardWebSocket as ForwardWebSocket
from .http import HttpApi as HttpApi
from .reverse_ws import ReverseWebSocket as ReverseWebSocket
