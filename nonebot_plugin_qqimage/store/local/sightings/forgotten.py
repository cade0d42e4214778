"""What was forgotten, and must not be fetched again until it is seen again. Every function blocks.

What changes the table is given the connection of a transaction.
"""

from collections.abc import Iterable, Sequence

from ....content.info import ImageInfo
from ....messages.claims import confirmed
from ....messages.reference import ImageReference
from ....messages.sighting import Sighting
from ..sqlite.database import Connection

_MAX = 100_000
"""Names kept; the oldest go first."""


def marks_of(sightings: Iterable[Sighting], images: Iterable[ImageInfo]) -> list[tuple[str, str]]:
    """What images are forgotten by: their digests, and other names that stood for them.

    Args:
        sightings: those that were removed, of images that nobody else refers to.
        images: these images, as far as they were stored.

    Returns:
        Each name, with the SHA-256 of its image; that is empty where it is not known.
    """
    known = {info.sha256: info for info in images}
    rows = [(name, info.sha256) for info in known.values() for name in _digests(info)]
    for sighting in sightings:
        reference, info = sighting.reference, known.get(sighting.sha256)
        if info is None:
            names = _claims(reference) or reference.names or _places(reference)
        elif reference.own or confirmed(info, reference, binding=False):
            names = []  # its digests say enough, and it may have been sent thousands of times
        else:
            names = reference.names or _places(reference)
        rows += [(name, sighting.sha256) for name in names]
    return [(_storable(name), sha256) for name, sha256 in rows]


def remember(db: Connection, marks: Iterable[tuple[str, str]]) -> None:
    """Note that images are forgotten, by what `marks_of` gives."""
    db.run_many("INSERT OR REPLACE INTO forgotten (name, sha256) VALUES (?, ?)", marks)
    db.run("DELETE FROM forgotten WHERE id <= (SELECT max(id) FROM forgotten) - ?", _MAX)


def among(db: Connection, references: Sequence[ImageReference]) -> bool:
    """Whether one of these references means what was forgotten."""
    names = [_storable(name) for each in references for name in names_of(each)]
    marks = ", ".join("?" * len(names))
    return bool(db.rows(f"SELECT 1 FROM forgotten WHERE name IN ({marks}) LIMIT 1", *names))


def seen_again(db: Connection, sightings: Iterable[Sighting]) -> None:
    """Take back that images are forgotten, because they have been seen again."""
    if not db.rows("SELECT 1 FROM forgotten LIMIT 1"):
        return
    names = [(_storable(name),) for sighting in sightings for name in names_of(sighting.reference)]
    db.run_many(
        "DELETE FROM forgotten WHERE sha256 != '' "
        "AND sha256 IN (SELECT sha256 FROM forgotten WHERE name = ?)",
        names,
    )
    db.run_many("DELETE FROM forgotten WHERE name = ?", names)


def is_there_again(db: Connection, sha256: str) -> None:
    """Take back that an image is forgotten, because what was seen turned out to be that image."""
    db.run("DELETE FROM forgotten WHERE sha256 = ?", sha256)


def names_of(reference: ImageReference) -> list[str]:
    """What a reference is forgotten by: each of its claims and names, and its place."""
    return [*_claims(reference), *reference.names, *_places(reference)]


def _claims(reference: ImageReference) -> list[str]:
    names = [f"sha256:{reference.sha256}"] if reference.sha256 else []
    names += [f"md5:{md5}" for md5 in reference.md5s]
    if reference.link and reference.link.sha1:
        names.append(f"sha1:{reference.link.sha1}")
    return names


def _places(reference: ImageReference) -> list[str]:
    """The place in whatever chat, and what is said there: served URLs say one of them at most."""
    places = {reference.place or reference.own_key, reference.anywhere}
    return [place for place in places if place]


def _digests(info: ImageInfo) -> list[str]:
    names = [f"sha256:{info.sha256}", f"md5:{info.md5}"]
    return [*names, f"sha1:{info.sha1}"] if info.sha1 else names


def _storable(name: str) -> str:
    return name.encode(errors="replace").decode()
