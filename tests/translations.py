"""The texts of the package and their Chinese: ``uv run python -m tests.translations`` updates both.

Texts are what `Text` and `say` are called with. The command writes new ones into the catalog, drops
those that are gone, lists what has no translation yet, and compiles the catalog for the wheel.
"""

import io
import string
import sys
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[1] / "nonebot_plugin_qqimage"
PO = PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "nonebot_plugin_qqimage.po"
MO = PO.with_suffix(".mo")
_KEYWORDS = {"Text": None, "say": None}
_METHODS = [
    ("simulator/**", "ignore"),
    ("demo/project/**", "ignore"),
    ("**.py", "python"),
    ("**.html", "jinja2"),
]
_HEADER = "# Simplified Chinese texts of nonebot-plugin-qqimage."


def texts() -> dict[str, list[str]]:
    """Every text in the code, and the files it stands in."""
    found: dict[str, list[str]] = {}
    for file, _, message, _, _ in extract_from_dir(PACKAGE, _METHODS, keywords=_KEYWORDS):
        assert isinstance(message, str), f"{file}: one template at a time: {message}"
        places = found.setdefault(message, [])
        if file not in places:
            places.append(file)
    return found


def catalog() -> Catalog:
    """The catalog as it was written."""
    if not PO.exists():
        return _empty()
    return read_po(io.BytesIO(PO.read_bytes()), locale="zh")


def placeholders(text: str) -> list[str]:
    """The fields of a template, each with its format."""
    fields = string.Formatter().parse(text)
    return sorted(f"{name}:{spec}!{kind}" for _, name, spec, kind in fields if name is not None)


def update() -> Catalog:
    """The catalog with the texts that the code has now, and no others."""
    old, new = catalog(), _empty()
    for text, files in sorted(texts().items(), key=lambda item: (item[1], item[0])):
        known = old.get(text)
        new.add(text, known.string if known else "", [(file, None) for file in files])
    return new


def compiled(of: Catalog) -> bytes:
    """What gettext reads."""
    buffer = io.BytesIO()
    write_mo(buffer, of)
    return buffer.getvalue()


def _empty() -> Catalog:
    new = Catalog(locale="zh", project="nonebot-plugin-qqimage", header_comment=_HEADER)
    # the time of a change is git's to know, and should not change each time
    new.creation_date = new.revision_date = datetime(2026, 11, 26, tzinfo=timezone.utc)
    return new


def main() -> int:
    """Update both files; 1 while a text has no translation."""
    new = update()
    PO.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, new, width=98, include_lineno=False)
    PO.write_bytes(buffer.getvalue())
    MO.write_bytes(compiled(catalog()))
    missing = [message.id for message in new if message.id and not message.string]
    for text in missing:
        print(f"without a translation: {text}")
    print(f"{len(new)} texts, {len(missing)} without a translation")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
