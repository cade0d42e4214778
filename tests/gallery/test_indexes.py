"""The indexes of the page: made behind the start, and no hindrance to earlier releases."""

import sqlite3
from contextlib import closing
from pathlib import Path

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.browsing.pages import Wanted

from ..store.pictures import Picture


def indexes(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        return {name for (name,) in rows}


async def test_made_once_beside_others(store: ImageStore) -> None:
    await store.totals()
    before = indexes(store.folder)
    beside = ImageStore(store.folder, max_size=1 << 40, max_age=1e9)
    await store.browsing.prepare()
    after = indexes(store.folder)
    assert len(after - before) == 4
    await beside.browsing.prepare()
    await beside.close()
    assert indexes(store.folder) == after


async def test_pages_use_them(store: ImageStore) -> None:
    await store.browsing.prepare()
    with closing(sqlite3.connect(store.folder / "index.sqlite3")) as database:
        for order, where, index in (
            ("added", "(added, sha256) < (1, '')", "images_by_addition"),
            ("added", "mime = 'image/png' AND (added, sha256) < (1, '')", "images_by_type"),
            ("added", "source = 'x' AND (added, sha256) < (1, '')", "images_by_source"),
        ):
            plan = database.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM images WHERE {where} "
                f"ORDER BY {order} DESC, sha256 DESC LIMIT 60"
            ).fetchall()
            assert index in str(plan)


async def test_an_earlier_release_writes_on(store: ImageStore, infos: list[ImageInfo]) -> None:
    """It inserts rows of ten columns, and knows nothing of the indexes."""
    await store.browsing.prepare()
    picture = Picture(7)
    info = picture.info
    with closing(sqlite3.connect(store.folder / "index.sqlite3")) as database:
        values = info.sha256, info.md5, info.mime, info.size, info.width, info.height, info.frames
        database.execute(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, "x", 9e9, 9e9)
        )
        database.commit()
    page = await store.browsing.page(Wanted(), limit=2)
    assert [tile.stored.info.sha256 for tile in page.tiles] == [info.sha256, infos[-1].sha256]


async def test_figures_do_not_keep_others_waiting(store: ImageStore) -> None:
    """They have a connection of their own, which is closed again."""
    store.count("resolved", "store")
    figures = await store.browsing.figures(days=30, chats=3)
    assert sum(day.images for day in figures.days) == 150
    assert len(figures.chats) == 3
    assert sum(counts["store"] for counts in figures.resolved.values()) == 1
    assert (await store.catalog.statistics()).totals.images == 150
