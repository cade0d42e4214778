"""Every text that people read exists in English and in Chinese, and says the same in both."""

import ast
import copy
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from nonebot_plugin_qqimage import language
from nonebot_plugin_qqimage.language import Text, localized, say, use

from .translations import MO, PACKAGE, catalog, compiled, placeholders, texts

HOW = "run: uv run python -m tests.translations"
KNOWN = "nothing wrong"


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    yield
    use("en")


def test_every_text_is_translated() -> None:
    written = catalog()
    missing = [text for text in texts() if not (found := written.get(text)) or not found.string]
    assert missing == [], HOW


def test_no_translation_is_of_a_text_that_is_gone() -> None:
    there = texts()
    assert [message.id for message in catalog() if message.id and message.id not in there] == []


def test_translations_have_the_placeholders_of_their_texts() -> None:
    wrong = [
        (message.id, message.string)
        for message in catalog()
        if message.id and placeholders(str(message.id)) != placeholders(str(message.string))
    ]
    assert wrong == []


def test_lines_of_the_log_begin_alike_in_both_languages() -> None:
    lines = [message for message in catalog() if str(message.id).startswith("qqimage:")]
    wrong = [line.id for line in lines if not str(line.string).startswith("qqimage: ")]
    assert lines
    assert not wrong  # operators look for what the documentation names


def test_the_compiled_catalog_is_that_of_the_source() -> None:
    assert MO.read_bytes() == compiled(catalog()), HOW


def test_logs_speak_the_language_of_the_operator() -> None:
    """A line of the log is a `say(…)`, or nothing but an error, which speaks it by itself."""
    wrong: list[str] = []
    for path in PACKAGE.rglob("*.py"):
        if not {"simulator", "demo"}.isdisjoint(path.relative_to(PACKAGE).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_log(node.func):
                (line,) = node.args
                if not _is_say(line) and ast.unparse(line) != "f'qqimage: {error}'":
                    wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(line)}")
    assert wrong == []


def _is_log(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and ast.unparse(function.value) == "logger"
        and function.attr in ("debug", "info", "success", "warning", "error", "exception")
    )


def _is_say(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "say"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_Hans_CN"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_auto_is_the_locale_of_the_process(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    use("auto")
    assert (say(KNOWN) != KNOWN) == (expected == "zh")


@pytest.mark.parametrize("name", ["zh_CN", "Chinese (Simplified)_China"])
def test_auto_where_the_environment_says_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(language.locale, "getlocale", lambda: (name, "UTF-8"))
    use("auto")
    assert say(KNOWN) != KNOWN


def test_a_text_is_english_for_programs_and_chinese_for_people() -> None:
    inner = Text(KNOWN)
    outer = Text("{what}: {count:g}", what=inner, count=2.0)
    use("zh")
    assert json.dumps(outer) == json.dumps(f"{KNOWN}: 2")
    assert localized(outer) == f"{inner.local}: 2"
    assert inner.local != KNOWN
    assert localized("plain") == "plain"


def test_a_text_survives_copies() -> None:
    text = Text("{what}!", what=Text(KNOWN))
    use("zh")
    for clone in (copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert clone == text
        assert clone.local == text.local != text


def test_braces_in_values_are_no_fields() -> None:
    use("zh")
    assert say("{name}", name="{other}") == "{other}"
    assert Text("{name}", name="a{b").with_values(str.upper) == "A{B"


def test_the_catalog_is_where_the_package_looks(tmp_path: Path) -> None:
    use("zh")
    assert say(KNOWN) != KNOWN
