"""Loaded once by the process that all others are forked from, which then start at once."""

from . import clocks, growth, half_writes, kills, processes

__all__ = ["clocks", "growth", "half_writes", "kills", "processes"]
