"""What runs here, in which version."""

import platform
import ssl
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("nonebot-plugin-qqimage", "nonebot2", "nonebot-adapter-onebot")


def versions() -> dict[str, str]:
    """The versions of everything that matters. Blocks: it reads files."""
    found = {"python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION.split()[1]}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a folder of sources
            found[package] = "unknown"
    return found


def about_versions(found: dict[str, str]) -> str:
    """The same, in words."""
    return ", ".join(f"{name} {number}" for name, number in found.items())
