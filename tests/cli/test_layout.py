"""Text fits the terminal: lines end between words, and columns stay under each other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.cli.terminal.layout import columns_of, row_of, wrapped
from nonebot_plugin_qqimage.doctor.figures import width_of

WORDS = st.lists(
    st.text(st.sampled_from("ab/-.图片，。（）：×→é"), min_size=1, max_size=12), min_size=1
)


@given(words=WORDS, width=st.integers(10, 60))
def test_lines_are_broken_between_words(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    latin = set(re.findall(r"[a-z/.-]+", text))
    assert set(re.findall(r"[a-z/.-]+", "\n".join(lines))) == latin
    for line in lines:
        assert width_of(line) <= width or len(re.findall("[图片 ]", line)) <= 1


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("回答里的文件：无法读取", ["回答里的", "文件：无", "法读取"]),
        ("用时（/a/long/path）", ["用时", "（/a/long/path）"]),
        ("a/very/long/path stays whole", ["a/very/long/path", "stays", "whole"]),
        ("", [""]),
        ("  indented", ["  indented"]),
    ],
)
def test_where_a_line_ends(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8 if "one" not in text and "indented" not in text else 10) == lines


CELLS = st.text(st.sampled_from("ab 图"), max_size=20)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), width=st.integers(20, 120))
def test_columns_stay_under_each_other(rows: list[tuple[str, str, str]], width: int) -> None:
    layout = columns_of(rows, width, right=[2])
    if layout is None:  # too narrow for the longest words
        return
    widths, gap = layout
    assert sum(widths) + 2 * gap <= width
    for row in rows:
        for line in row_of(row, widths, gap, right=[2]):
            assert width_of(line) <= width


def test_a_table_for_a_file_is_as_wide_as_it_is() -> None:
    assert columns_of([("x" * 500, "y")], None) == ([500, 1], 2)
