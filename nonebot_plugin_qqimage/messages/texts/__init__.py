"""Texts in segments: those with URLs of this bot, and those that are too long to copy."""
