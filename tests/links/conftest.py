"""The same world as that of served images."""

from ..web.conftest import resolver, world

__all__ = ["resolver", "world"]
