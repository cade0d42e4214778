"""Annotations in the list beside exported images: written by ``export``, taken by ``import``."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

import anyio.to_thread

from ...errors import StoreError
from ...store.annotations import Annotations
from ...store.local.annotations import Annotation
from .manifest import NAME

_MAX_LINE = 4 << 20
"""Characters of a line of the list that is read; ours have a thousand sightings at most."""


def said(annotation: Annotation) -> dict[str, Any]:
    """An annotation, for JSON."""
    return {"owner": annotation.owner, "text": annotation.text, "time": annotation.time}


async def take_over(store: Annotations, folder: Path, kept: Collection[str]) -> None:
    """Keep what the list in a folder says of images, but for what is known here since later.

    Args:
        store: where it is kept.
        folder: which has a list, or none.
        kept: the SHA-256 of the images that are meant.
    """
    lines = await anyio.to_thread.run_sync(lambda: [*_annotations(folder / NAME, kept)])
    for each in lines:
        try:
            await store.put(each.sha256, each.owner, each.text, each.time)
        except (StoreError, ValueError):  # too long, or too many: not written by us
            continue


def _annotations(path: Path, kept: Collection[str]) -> Iterator[Annotation]:
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError:
        return
    with file:
        while line := file.readline(_MAX_LINE):
            try:
                entry = json.loads(line)
                found = [
                    Annotation(entry["sha256"], each["owner"], each["text"], float(each["time"]))
                    for each in entry.get("annotations", ())
                ]
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue  # not written by us
            yield from (each for each in found if _is_sane(each) and each.sha256 in kept)


def _is_sane(annotation: Annotation) -> bool:
    given = cast("tuple[object, ...]", (annotation.sha256, annotation.owner, annotation.text))
    return all(isinstance(value, str) and value for value in given) and annotation.time > 0
