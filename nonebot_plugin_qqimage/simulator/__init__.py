"""Simulated OneBot implementations and a simulated image host, for the demo and for tests.

Needs the extra ``demo``.
"""
