"""Fetching: the sources of an image's bytes, and the order in which they are tried."""
