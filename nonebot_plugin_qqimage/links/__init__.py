"""Links: URLs of ours that stand for images, and last as long as the store."""

from .links import Links as Links
