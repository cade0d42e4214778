"""Serving images over HTTP, to plugins that only know URLs."""

from .links import Links as Links
