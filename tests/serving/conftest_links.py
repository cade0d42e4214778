"""The same world as that of served images."""

from .conftest import services, world

__all__ = ["services", "world"]
