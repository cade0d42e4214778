"""Real pictures that other packages ship: photos, and scans, where these packages are installed."""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from .making import Picture

_FOLDERS = {
    "skimage": "data",
    "sklearn": "datasets/images",
    "matplotlib": "mpl-data/sample_data",
}
"""Where packages have pictures. None of them is imported."""
_TYPES = {".png", ".jpg", ".jpeg"}
_TWICE = {"chessboard_GRAY.png"}
"""What is there in another form, too."""
_LEAST, _MOST = 100, 1280
"""Pixels of a side: smaller ones are icons, and larger ones take long to change in many ways."""


@cache
def paths() -> list[Path]:
    """The files of all real pictures that are there."""
    return sorted(_files(), key=lambda path: path.name)


def real(number: int) -> Picture:
    """One of them."""
    with Image.open(paths()[number]) as picture:
        picture.thumbnail((_MOST, _MOST))
        return picture.convert("RGBA" if "A" in picture.getbands() else "RGB")


def _files() -> Iterator[Path]:
    for package, folder in _FOLDERS.items():
        found = find_spec(package)
        if found is None or found.origin is None:
            continue
        for path in (Path(found.origin).parent / folder).glob("*"):
            if path.suffix in _TYPES and path.name not in _TWICE:
                with Image.open(path) as picture:
                    if min(picture.size) >= _LEAST:
                        yield path
