"""Attacks on what the store promises.

``python -m tests.promises`` runs them in full; ``tests/store/test_promises.py`` shortened.
"""
