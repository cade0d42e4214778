"""Serving images over HTTP, to plugins that only know URLs."""
