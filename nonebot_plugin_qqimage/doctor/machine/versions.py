"""What runs here, in which version."""

import platform
import ssl
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import anyio.to_thread

_PACKAGES = ("nonebot-plugin-qqimage", "nonebot2", "nonebot-adapter-onebot")


async def versions() -> dict[str, str]:
    """The versions of everything that matters.

    They are read in a thread, one by one: to make sense of each takes a millisecond in which
    nothing else has a turn, not even the event loop.
    """
    found = {"python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION.split()[1]}
    for package in _PACKAGES:
        found[package] = await anyio.to_thread.run_sync(_version, package)
    return found


def about_versions(found: Mapping[str, str]) -> str:
    """Versions, as one line of names and numbers."""
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"
