"""Tells what is on pictures."""
