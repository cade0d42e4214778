"""Simulated OneBot implementations and a simulated image host, for the demo and for tests.

They need nothing that the plugin itself does not need.
"""
