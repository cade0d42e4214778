from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import BlockBuster

from . import server as servers
from .proxy import Proxy

if TYPE_CHECKING:
    from ..store.pictures import Picture
    from .hosts import Hosts


@pytest.fixture(scope="session")
def server() -> "Iterator[servers.Server]":
    if servers.binaries() is None:
        pytest.skip(servers.ABSENT)
    with servers.running() as running:
        yield running


@pytest.fixture
def database(server: servers.Server) -> str:
    return server.database()


@pytest.fixture
async def hosts(tmp_path: Path, database: str) -> "AsyncGenerator[Hosts, None]":
    from .hosts import Hosts

    made = Hosts(tmp_path, database)
    yield made
    await made.close()


@pytest.fixture
async def proxy(server: servers.Server) -> AsyncGenerator[Proxy, None]:
    made = Proxy(server.port)
    await made.start()
    yield made
    made.forward()
    await made.refuse()


@pytest.fixture
def picture() -> "Picture":
    from ..store.pictures import Picture

    return Picture(1)


@pytest.fixture(autouse=True)
def looks_for_certificates(detect_blocking: BlockBuster) -> None:
    """asyncpg looks whether there are files of passwords and certificates whenever it connects."""
    inside = {"_read_password_file", "_dot_postgresql_path", "_parse_connect_dsn_and_args"}
    for function in detect_blocking.functions.values():
        function.can_block_in("asyncpg/connect_utils.py", inside)
