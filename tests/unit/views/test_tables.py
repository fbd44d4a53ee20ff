"""How tables are fitted to a terminal: no name is broken, no blank ends a line."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tensorflow_macos_build.views import tables
from tensorflow_macos_build.views.tables import Table

NAMES = ("00100-give-zeros-for-the-bias-gradient-of-an-empty-batch.patch", "0002-short.patch")
WHY = "text changed in tensorflow/core/kernels/register_kernels.c by a commit of upstream"
TABLE = Table.of(
    ("patch", "status", "evidence"), [(NAMES[0], "upstream", WHY), (NAMES[1], "conflict", "")]
)


def drawn(table: Table, width: int | None = None) -> list[str]:
    return ["".join(piece.text for piece in line) for line in tables.lines(table, width)]


def test_without_a_terminal_a_row_is_a_line_in_columns() -> None:
    head, first, second = drawn(TABLE)
    assert first == f"{NAMES[0]}  upstream  {WHY}"
    assert [head.index("status"), second.index("conflict")] == [first.index("upstream")] * 2


@pytest.mark.parametrize("width", [20, 40, 80, 100, 120, 200])
def test_names_stay_whole_and_every_word_is_there_at_any_width(width: int) -> None:
    lines = drawn(TABLE, width)
    for name in NAMES:
        assert [line for line in lines if name in line.split()]
    assert set(WHY.split()) <= {word for line in lines for word in line.split()}
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_longer_than_a_terminal_of_usual_width(width: int) -> None:
    assert max(map(cell_len, drawn(TABLE, width))) <= width


def test_where_names_leave_no_room_they_have_lines_of_their_own() -> None:
    assert drawn(TABLE, 60)[:4] == [
        "patch",
        "  status    evidence",
        NAMES[0],
        "  upstream  text changed in",
    ]


def test_numbers_are_set_to_the_right_and_a_title_stands_above() -> None:
    table = Table.of(("wheel", "MB"), [("a.whl", "1.5"), ("b.whl", "1,200.0")], "wheels")
    assert drawn(table) == ["wheels", "wheel       MB", "a.whl      1.5", "b.whl  1,200.0"]


def test_lines_of_a_cell_stand_below_each_other() -> None:
    table = Table.of(("", ""), [("error", "x.so\nits id is wrong"), ("note", "y")])
    assert drawn(table) == ["error  x.so", "       its id is wrong", "note   y"]


def test_wide_characters_count_twice() -> None:
    table = Table.of(("a", "b"), [("日本", "x"), ("abcd", "y")])
    assert drawn(table) == ["a     b", "日本  x", "abcd  y"]


def test_a_table_without_rows_is_its_titles() -> None:
    assert drawn(Table.of(("a", "b"), [])) == ["a  b"]
    assert drawn(Table.of((), [])) == []
