"""The schema of the index, version by version.

A released version never changes: what has to change goes into a new one, appended below, that
leads there from the one before. Opening an older file applies what it lacks.
"""

import sqlite3
from collections.abc import Iterator

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
MIGRATIONS = (_IMAGES, _SIGHTINGS)
"""What leads from each version to the next; the first one makes a new file."""
VERSION = len(MIGRATIONS)
"""The version that this release reads and writes."""


def statements(script: str) -> Iterator[str]:
    """The single statements of a script; `executescript` would commit the transaction around."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
