"""The schema of the index, version by version.

A released version never changes: what has to change goes into a new one, appended below, that
leads there from the one before. Opening an older file applies what it lacks.
"""

import sqlite3
from collections.abc import Iterator
from typing import Protocol


class _Reads(Protocol):
    """What the schema is read by."""

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement; what it gives."""
        ...


_IMAGES = """
CREATE TABLE images (
    sha256 TEXT PRIMARY KEY,
    md5 TEXT NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    source TEXT NOT NULL,
    added REAL NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX images_by_md5 ON images (md5);
CREATE INDEX images_by_use ON images (used);
CREATE TABLE names (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL REFERENCES images (sha256) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX names_by_image ON names (sha256);
-- kept by triggers, for a sum over a million rows takes too long to ask for at each write
CREATE TABLE totals (images INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
CREATE TRIGGER image_added AFTER INSERT ON images BEGIN
    UPDATE totals SET images = images + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER image_removed AFTER DELETE ON images BEGIN
    UPDATE totals SET images = images - 1, bytes = bytes - OLD.size;
END;
"""
_SIGHTINGS = """
CREATE TABLE sightings (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL,
    bot TEXT NOT NULL,
    position INTEGER NOT NULL,
    chat TEXT NOT NULL,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    sha256 TEXT NOT NULL,
    key TEXT NOT NULL,
    reference TEXT NOT NULL,
    UNIQUE (message, bot, position)
);
CREATE INDEX sightings_by_image ON sightings (sha256);
CREATE INDEX sightings_by_chat ON sightings (chat, time);
-- images that are still to be fetched: few at any time
CREATE INDEX sightings_unresolved ON sightings (key) WHERE sha256 = '';
-- no foreign key: an owner's pin outlives a damaged image, which may be fetched again
CREATE TABLE pins (
    sha256 TEXT NOT NULL,
    owner TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (sha256, owner)
) WITHOUT ROWID;
CREATE TABLE counters (
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, what)
) WITHOUT ROWID;
CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    time REAL NOT NULL
) WITHOUT ROWID;
"""
_ADDITIONS = """
-- beside the table of images, for earlier releases insert rows of ten columns there
CREATE TABLE IF NOT EXISTS digests (
    sha256 TEXT PRIMARY KEY REFERENCES images (sha256) ON DELETE CASCADE,
    sha1 TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS digests_by_sha1 ON digests (sha1);
-- whether links brought what they say, once for each link and implementation
CREATE TABLE IF NOT EXISTS agreements (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    implementation TEXT NOT NULL,
    agrees INTEGER NOT NULL,
    UNIQUE (link, implementation)
);
-- what must not be fetched again until it is seen again
CREATE TABLE IF NOT EXISTS forgotten (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS forgotten_by_image ON forgotten (sha256);
"""
_COLUMNS = {"arrived": "REAL", "more": "TEXT NOT NULL DEFAULT ''"}
"""Columns of sightings that earlier releases leave at their default."""
_AFTER_COLUMNS = """
-- rows of earlier releases have no time of arrival
CREATE INDEX sightings_by_arrival ON sightings (chat, coalesce(arrived, time));
"""
_OUTBOX = """
-- what the shared store is yet to be told; numbers are never used twice
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    chat TEXT NOT NULL,
    user TEXT NOT NULL,
    time REAL NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_by_image ON outbox (sha256) WHERE sha256 != '';
"""
_TO_BROWSE = {
    "images_by_addition": "CREATE INDEX images_by_addition ON images (added)",
    # with the sizes, or counting what there is of each would look up a million rows one by one
    "images_by_type": "CREATE INDEX images_by_type ON images (mime, added, size)",
    "images_by_source": "CREATE INDEX images_by_source ON images (source, added, size)",
    "sightings_by_user": "CREATE INDEX sightings_by_user ON sightings (user, time)",
}
"""Indexes for those who browse, which take seconds to build for a million images."""
_LOOKS = """
-- ids never come again, so that a process finds what is new by them
CREATE TABLE looks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL REFERENCES images (sha256) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    part TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (sha256, version, part)
);
"""
_ANNOTATIONS = """
-- no foreign key: what is known of a pinned image outlives its file, as the pin does
CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    owner TEXT NOT NULL,
    text TEXT NOT NULL,
    time REAL NOT NULL,
    indexed INTEGER NOT NULL,
    UNIQUE (sha256, owner)
);
CREATE INDEX annotations_unindexed ON annotations (id) WHERE indexed = 0;
-- earlier releases remove images, too, and may have an SQLite without full-text search: so it
-- touches nothing of that
CREATE TRIGGER annotated_image_removed AFTER DELETE ON images
WHEN NOT EXISTS (SELECT 1 FROM pins WHERE pins.sha256 = OLD.sha256) BEGIN
    DELETE FROM annotations WHERE sha256 = OLD.sha256;
END;
"""
_UNSENT = """
-- beside the outbox, from which an earlier release that shares the folder would remove them unsent
CREATE TABLE unsent_annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    owner TEXT NOT NULL,
    time REAL NOT NULL,
    UNIQUE (sha256, owner)
);
CREATE TRIGGER unsent_annotation_removed AFTER DELETE ON annotations BEGIN
    DELETE FROM unsent_annotations WHERE sha256 = OLD.sha256 AND owner = OLD.owner;
END;
"""
_FULL_TEXT = """
CREATE VIRTUAL TABLE annotation_text USING fts5 (text, tokenize = 'trigram');
"""
_TRIGRAM = (3, 34)
"""The version of SQLite that brought the tokenizer."""
MIGRATIONS = (_IMAGES, _SIGHTINGS)
"""What leads from each version to the next; the first one makes a new file."""
VERSION = len(MIGRATIONS)
"""The version that this release reads and writes."""


def additions(db: _Reads) -> Iterator[str]:
    """What this release adds to a file, as far as it lacks it.

    An earlier release works on with it, so the version does not rise: two bots that share a folder
    are upgraded one after the other.
    """
    there = {name for (name,) in db.rows("SELECT name FROM sqlite_master")}
    if "forgotten" not in there:
        yield from statements(_ADDITIONS)
    columns = {row[1] for row in db.rows("PRAGMA table_info(sightings)")}
    for name, kind in _COLUMNS.items():
        if name not in columns:
            yield f"ALTER TABLE sightings ADD COLUMN {name} {kind}"
    if "sightings_by_arrival" not in there:
        yield from statements(_AFTER_COLUMNS)
    if "looks" not in there:
        yield from statements(_LOOKS)
    if "annotations" not in there:
        yield from statements(_ANNOTATIONS)
    if "unsent_annotations" not in there:
        yield from statements(_UNSENT)
    if "annotation_text" not in there and has_full_text(db):
        yield from statements(_FULL_TEXT)
    if "outbox" not in there:
        yield from statements(_OUTBOX)


def has_full_text(db: _Reads) -> bool:
    """Whether this SQLite can search texts by three characters in a row."""
    if sqlite3.sqlite_version_info < _TRIGRAM:
        return False
    return ("fts5",) in db.rows("SELECT name FROM pragma_module_list WHERE name = 'fts5'")


def to_browse(db: _Reads) -> list[str]:
    """The statements that make the indexes which a file still lacks for browsing.

    They are no part of `additions`: the start would wait for them. Earlier releases keep such an
    index up to date without knowing it.
    """
    there = {name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}
    return [statement for name, statement in _TO_BROWSE.items() if name not in there]


def statements(script: str) -> Iterator[str]:
    """The single statements of a script; `executescript` would commit the transaction around."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
