"""The package's rooms: imports run downwards only, and the public names are the promised ones.

Every import counts: those inside functions, and those for type checkers alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import nonebot_plugin_qqimage as package

ROOT = Path(package.__file__).parent
ROOMS = [
    "__main__",
    "script",
    "demo",
    "testing",
    "__init__",
    "params",
    "bot",
    "bot.operator",
    "bot.hooks",
    "bot.outgoing",
    "bot.background",
    "bot.services",
    "cli",
    "cli.bots",
    "cli.transfer",
    "cli.contents",
    "cli.upkeep",
    "cli.session",
    "cli.terminal",
    "gallery",
    "gallery.views",
    "gallery.entry",
    "gallery.web",
    "doctor.bots",
    "doctor.trials",
    "doctor.store",
    "doctor.machine",
    "doctor",
    "resolver",
    "event_images",
    "owned",
    "duplicates",
    "similar",
    "image",
    "serving.own_server",
    "serving",
    "pipeline",
    "pipeline.single_flight",
    "pipeline.fairness",
    "fetch",
    "fetch.http",
    "fetch.files",
    "fetch.reservation",
    "store",
    "store.finding",
    "store.keeping",
    "store.memory",
    "store.shared",
    "store.local.upkeep",
    "store.local.access",
    "store.local.files",
    "store.local",
    "store.local.sightings",
    "store.local.sqlite",
    "implementation",
    "messages",
    "messages.names",
    "messages.texts",
    "content",
    "content.reencoding",
    "content.looks",
    "content.decoding",
    "content.formats",
    "content.formats.heif",
    "content.formats.shape",
    "content.bounds",
    "content.info",
    "settings",
    "batching",
    "errors",
    "hints",
    "attempts",
    "config",
    "log",
    "masking",
    "threads",
    "language",
    "simulator",
]
"""From top to bottom: folders, those in them that are rooms of their own, and files. A file may
import what is in its own room or further down."""
PUBLIC = [
    "Annotation",
    "Attempt",
    "Cause",
    "ForwardedImages",
    "Image",
    "ImageExpired",
    "ImageInfo",
    "ImageNotFound",
    "ImageReference",
    "ImageRejected",
    "ImageResolver",
    "ImageUnavailable",
    "Images",
    "ImagesOrAsk",
    "MessageImages",
    "QQImageError",
    "QuotedImages",
    "Resolver",
    "Sighting",
    "SimilarImage",
    "StoreError",
    "StoredImage",
    "get_resolver",
]


def name_of(file: Path) -> str:
    """A file's module, without the package: ``store.local.index``, ``cli.__init__``."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


FILES = {
    name_of(file): file
    for file in sorted(ROOT.rglob("*.py"))
    if "project" not in file.parts  # the demo's example of a bot, which is no part of the package
}


def imported(name: str) -> Iterator[tuple[int, str]]:
    """The line and the module of each import of one of our own files."""
    here = [package.__name__, *name.split(".")]
    for node in ast.walk(ast.parse(FILES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            origins = [(alias.name.split("."), "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here[: -node.level] if node.level else []
            origin = [*start, *(node.module or "").split(".")] if node.module else start
            origins = [(origin, alias.name) for alias in node.names]
        else:
            continue
        for origin, imported_name in origins:
            if origin[0] == package.__name__:
                found = ".".join(origin[1:])
                inside = f"{found}.{imported_name}".lstrip(".")
                init = f"{found}.__init__".lstrip(".")
                yield node.lineno, next(it for it in (inside, found, init) if it in FILES)


IMPORTS = {name: sorted(set(imported(name))) for name in FILES}


def room_of(name: str) -> str:
    """The room that a file lies in; a file at the top is one of its own, and so is one that all
    other rooms of its folder stand on."""
    folder = name
    while folder and folder not in ROOMS:
        folder = folder.rpartition(".")[0]
    return folder or name


def between_rooms() -> Iterator[tuple[str, str, str]]:
    """Each import of one room by another: the two rooms, and where it is."""
    for name, imports in IMPORTS.items():
        for line, target in imports:
            if room_of(name) != room_of(target):
                yield room_of(name), room_of(target), shown(name, line, target)


def shown(name: str, line: int, target: str) -> str:
    return f"{FILES[name].relative_to(ROOT.parent).as_posix()}:{line} imports {target}"


def test_every_file_is_in_a_known_room() -> None:
    assert {room_of(name) for name in FILES} == set(ROOMS)


def test_imports_run_downwards() -> None:
    upwards = [
        where for room, other, where in between_rooms() if ROOMS.index(room) > ROOMS.index(other)
    ]
    assert not upwards, "\n".join(upwards)


def test_only_the_demo_and_the_kit_for_tests_need_the_simulator() -> None:
    needing = {room for room, other, _ in between_rooms() if other == "simulator"}
    assert needing == {"demo", "testing"}
    assert "testing" not in {other for _, other, _ in between_rooms()}
    assert {room for room, other, _ in between_rooms() if other == "demo"} == {"__main__"}


def test_no_files_import_each_other() -> None:
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> None:
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            for _, target in IMPORTS[name]:
                follow(target, [*path, name])
            done.add(name)

    for name in IMPORTS:
        follow(name, [])


def test_no_file_goes_through_the_front_of_its_own_package() -> None:
    found = [
        shown(name, line, target)
        for name, imports in IMPORTS.items()
        for line, target in imports
        if target == f"{name.rpartition('.')[0]}.__init__".lstrip(".")
    ]
    assert not found, "\n".join(found)


def test_public_names() -> None:
    assert sorted(package.__all__) == PUBLIC
    assert all(hasattr(package, name) for name in PUBLIC)


def test_what_a_resolver_offers() -> None:
    assert {name for name in vars(package.ImageResolver) if not name.startswith("_")} == {
        "annotate",
        "annotations",
        "chat_of",
        "find",
        "forget",
        "forwarded_images",
        "image",
        "images",
        "latest",
        "message_images",
        "pin",
        "pins",
        "quoted_images",
        "search",
        "similar",
        "unpin",
    }
