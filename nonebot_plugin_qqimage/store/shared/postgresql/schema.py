"""The tables in PostgreSQL, version by version, in a schema of their own; nothing else is touched.

A released version never changes: what has to change goes into a new one, appended below. Whichever
host comes first makes or upgrades them, while the others wait for it. So that hosts can be upgraded
one after the other, a new version only adds what the one before can do without.
"""

from ....language import Text
from ..breaker import Refused
from .connections import Connection

_LOCK = 0x71_71_69_6D_61_67_65
"""The number of the advisory lock that one host holds while it makes or upgrades the tables."""
_IMAGES = """
CREATE TABLE qqimage.image (
    sha256 text PRIMARY KEY,
    md5 text NOT NULL,
    mime text NOT NULL,
    size bigint NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    frames integer NOT NULL,
    sha1 text NOT NULL,
    source text NOT NULL,
    added timestamptz NOT NULL DEFAULT clock_timestamp(),
    used timestamptz NOT NULL DEFAULT clock_timestamp(),
    data bytea NOT NULL
);
-- images are compressed already, and to try it costs a third of the speed
ALTER TABLE qqimage.image ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX image_by_md5 ON qqimage.image (md5);
CREATE INDEX image_by_sha1 ON qqimage.image (sha1);
CREATE INDEX image_by_use ON qqimage.image (used);
CREATE TABLE qqimage.name (
    name text PRIMARY KEY,
    sha256 text NOT NULL REFERENCES qqimage.image ON DELETE CASCADE
);
CREATE INDEX name_by_image ON qqimage.name (sha256);
CREATE TABLE qqimage.lease (
    key text PRIMARY KEY,
    holder text NOT NULL,
    fence bigint NOT NULL,
    until timestamptz NOT NULL
);
CREATE SEQUENCE qqimage.fence;
"""
_SIGHTINGS = """
CREATE TABLE qqimage.sighting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity text NOT NULL UNIQUE,
    message text NOT NULL,
    bot text NOT NULL,
    position integer NOT NULL,
    chat text NOT NULL,
    "user" text NOT NULL,
    time double precision NOT NULL,
    sha256 text NOT NULL,
    key text NOT NULL,
    reference text NOT NULL,
    more text NOT NULL,
    arrived double precision NOT NULL
);
CREATE INDEX sighting_by_image ON qqimage.sighting (sha256) WHERE sha256 <> '';
CREATE INDEX sighting_by_message ON qqimage.sighting (message, bot);
CREATE INDEX sighting_by_chat ON qqimage.sighting (chat, arrived, id);
CREATE INDEX sighting_by_user ON qqimage.sighting ("user", arrived, id);
CREATE INDEX sighting_by_arrival ON qqimage.sighting (arrived, id);
CREATE INDEX sighting_unresolved ON qqimage.sighting (key) WHERE sha256 = '';
CREATE TABLE qqimage.pin (
    sha256 text NOT NULL,
    owner text NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (sha256, owner)
);
CREATE INDEX pin_by_owner ON qqimage.pin (owner);
"""
_CHANGES = """
-- the number of the last change: whoever makes one locks it, so that they become seen in order
CREATE TABLE qqimage.counter (number bigint NOT NULL);
INSERT INTO qqimage.counter VALUES (0);
CREATE TABLE qqimage.change (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    body text NOT NULL
);
-- orders that have been obeyed, which a host repeats where it did not hear so
CREATE TABLE qqimage.obeyed (
    name text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE qqimage.host (
    name text PRIMARY KEY,
    at timestamptz NOT NULL,
    version text NOT NULL,
    max_size bigint NOT NULL,
    max_age double precision NOT NULL
);
"""
_ANNOTATIONS = """
CREATE TABLE qqimage.annotation (
    sha256 text NOT NULL,
    owner text NOT NULL,
    -- empty where the owner has taken it back, which other hosts have to be told
    text text NOT NULL,
    time double precision NOT NULL,
    PRIMARY KEY (sha256, owner)
);
-- by triggers, for hosts with an earlier release remove images and pins, too
CREATE FUNCTION qqimage.forget_annotations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM qqimage.annotation a USING gone WHERE a.sha256 = gone.sha256
    AND NOT EXISTS (SELECT 1 FROM qqimage.image i WHERE i.sha256 = a.sha256)
    AND NOT EXISTS (SELECT 1 FROM qqimage.pin p WHERE p.sha256 = a.sha256);
    RETURN NULL;
END $$;
CREATE TRIGGER annotated_image_removed AFTER DELETE ON qqimage.image
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION qqimage.forget_annotations();
CREATE TRIGGER annotated_image_unpinned AFTER DELETE ON qqimage.pin
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION qqimage.forget_annotations();
"""
_STORE = """
-- the local store that keeps the text; empty where that may be several, or is not known
ALTER TABLE qqimage.annotation ADD COLUMN IF NOT EXISTS store text NOT NULL DEFAULT '';
"""
MIGRATIONS = (_IMAGES, _SIGHTINGS, _CHANGES)
"""What leads from each version to the next; the first one makes the first tables."""
VERSION = len(MIGRATIONS)
"""The version that this release reads and writes."""
MARK = "tables of nonebot-plugin-qqimage"
"""The comment on the schema, by which it is known to be ours."""


async def prepare(db: Connection) -> None:
    """Make the tables, or upgrade them, unless they are as they should be.

    Raises:
        Refused: a newer version of this plugin has made them; or what has their name is not
            ours; or there are none, and this user may not make any.
    """
    if await _version(db) == VERSION and await _has_stores(db):
        return
    async with db.transaction():
        await db.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        version = await _version(db)
        if version is None:
            await _create(db)
        for script in MIGRATIONS[version or 0 :]:
            await db.execute(script)
        # an earlier release goes on without it, which it does not with a higher version
        if not await _has_annotations(db):
            await db.execute(_ANNOTATIONS)
        await db.execute(_STORE)
        await db.execute(f"UPDATE qqimage.meta SET value = '{VERSION}' WHERE name = 'version'")


async def _version(db: Connection) -> int | None:
    """The version of the tables; None where there are none."""
    rows = await db.fetch(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'qqimage'"
    )
    if not rows:
        return None
    if rows[0][0] != MARK:
        raise Refused(
            Text(
                "its schema qqimage was not made by this plugin, and is left alone: use another "
                "database"
            )
        )
    (found,) = await db.fetch("SELECT value FROM qqimage.meta WHERE name = 'version'")
    version = int(found[0])
    if version > VERSION:
        raise Refused(
            Text(
                "a newer version of nonebot-plugin-qqimage has made its tables (schema {version}, "
                "this one knows {known}); update the plugin",
                version=version,
                known=VERSION,
            )
        )
    return version


async def _has_annotations(db: Connection) -> bool:
    (found,) = await db.fetch("SELECT to_regclass('qqimage.annotation') IS NOT NULL")
    return bool(found[0])


async def _has_stores(db: Connection) -> bool:
    (found,) = await db.fetch(
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'store' "
        "AND attrelid = to_regclass('qqimage.annotation'))"
    )
    return bool(found[0])


async def _create(db: Connection) -> None:
    (may,) = await db.fetch("SELECT has_database_privilege(current_database(), 'CREATE')")
    if not may[0]:
        raise Refused(
            Text(
                "its user may make no tables: run GRANT CREATE ON DATABASE … TO … as its owner, at "
                "least until this bot has started once"
            )
        )
    await db.execute("CREATE SCHEMA qqimage")
    await db.execute(f"COMMENT ON SCHEMA qqimage IS '{MARK}'")
    await db.execute("CREATE TABLE qqimage.meta (name text PRIMARY KEY, value text NOT NULL)")
    await db.execute("INSERT INTO qqimage.meta VALUES ('version', '0')")
