import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from .http_server import Server, serving

if TYPE_CHECKING:
    from nonebot_plugin_qqimage.pipeline.fairness.budget import Reservation


@pytest.fixture
async def server() -> AsyncGenerator[Server, None]:
    async with serving() as server:
        yield server


@pytest.fixture
async def reservation() -> AsyncGenerator["Reservation", None]:
    # NoneBot must load the plugin before anyone imports it
    from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget

    async with ByteBudget(1 << 30).reserve(1 << 20) as reservation:
        yield reservation


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file


@pytest.fixture
def one_authority(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust one authority instead of all there are: to read those takes longer than a test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give host names addresses of our choosing; no real look-up happens in these tests."""

    def resolve(addresses: dict[str, str | list[str]]) -> None:
        async def getaddrinfo(
            host: str | bytes, port: int, **options: object
        ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
            name = host.decode() if isinstance(host, bytes) else host
            found = addresses.get(name.lower(), [])
            return [
                (2, 1, 6, "", (address, port))
                for address in ([found] if isinstance(found, str) else found)
            ]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    return resolve
