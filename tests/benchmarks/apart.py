"""Runs a module's `measure` in a process of its own: none inherits another's memory or hooks."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module

from .table import Result


def measured(name: str) -> list[Result]:
    """What the module of this name here has measured."""
    # spawned, for a fork would inherit everything
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, name).result()


def _measure(name: str) -> list[Result]:
    return asyncio.run(import_module(f"{__package__}.{name}").measure())
