"""The tables, made and upgraded by several processes at once.

Usage: python -m tests.shared.upgrades URL, which is what each of the processes runs
"""

import asyncio
import sys
import time

from nonebot_plugin_qqimage.store.shared.postgresql import schema
from nonebot_plugin_qqimage.store.shared.postgresql.postgresql import PostgreSQL

from .line import Line
from .server import Server

_PROCESSES = 6


async def upgrades(server: Server, *, short: bool) -> list[Line]:
    """Let several processes begin at once, with no tables and with those of an earlier version."""
    lines: list[Line] = []
    for version in (1,) if short else range(schema.VERSION + 1):
        url = server.database()
        name = url.rpartition("/")[2]
        server.sql("CREATE TABLE others (x int); CREATE SCHEMA theirs", name)
        if version:
            server.sql(_earlier(version), name)
        begun = time.monotonic()
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.shared.upgrades", url)
            )
            for _ in range(_PROCESSES)
        ]
        ended = await asyncio.gather(*(asyncio.wait_for(each.wait(), 60) for each in processes))
        took = time.monotonic() - begun
        now = server.sql("SELECT value FROM qqimage.meta WHERE name = 'version'", name)
        theirs = server.sql("SELECT count(*) FROM others", name)
        figures = f"{ended.count(0)} of {_PROCESSES} went on, version {now}, {took:.1f} s"
        held = not any(ended) and int(now) == schema.VERSION and theirs == "0"
        lines.append(Line(f"{_PROCESSES} processes at once, from version {version}", figures, held))
    return lines


def _earlier(version: int) -> str:
    """What makes the tables as an earlier version made them."""
    return "\n".join(
        (
            "CREATE SCHEMA qqimage;",
            f"COMMENT ON SCHEMA qqimage IS '{schema.MARK}';",
            "CREATE TABLE qqimage.meta (name text PRIMARY KEY, value text NOT NULL);",
            f"INSERT INTO qqimage.meta VALUES ('version', '{version}');",
            *schema.MIGRATIONS[:version],
        )
    )


async def _begin(url: str) -> None:
    shared = PostgreSQL(url, 2.0)
    await shared.pulse(0, None, [])
    await shared.close()


if __name__ == "__main__":
    asyncio.run(_begin(sys.argv[1]))
