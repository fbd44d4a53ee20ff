"""Annotations as the runner of GitHub Actions reads them (actions/runner, ActionCommand.cs)."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.workflow_commands import Annotation, Level, annotate, remarks

_ESCAPES = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def read(command: str) -> tuple[str, dict[str, str], str]:
    """Read a command as `ActionCommand.TryParseV2` does: its name, properties and text."""
    assert command.startswith("::")
    head, _, data = command[2:].partition("::")
    name, _, listed = head.partition(" ")
    pairs = (item.split("=", 1) for item in listed.split(",") if item)
    return name, {key: _unescaped(value) for key, value in pairs}, _unescaped(data)


def _unescaped(text: str) -> str:
    # `%25` last, as the runner does (it is what the others are escaped by).
    for escape, char in sorted(_ESCAPES.items(), key=lambda pair: pair[1] == "%"):
        text = text.replace(escape, char)
    return text


def test_an_annotation_names_file_line_and_column() -> None:
    made = annotate(Annotation("no such key", "build_configs/x.yaml:3:5", "config"))
    assert read(made) == (
        "error",
        {"file": "build_configs/x.yaml", "line": "3", "col": "5", "title": "config"},
        "no such key",
    )


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("", {}),
        ("a.patch", {"file": "a.patch"}),
        ("a.patch:7", {"file": "a.patch", "line": "7"}),
        ("C:a:7", {"file": "C:a", "line": "7"}),
    ],
)
def test_a_place_may_lack_its_column_its_line_or_all(where: str, place: dict[str, str]) -> None:
    assert read(annotate(Annotation("x", where, level=Level.WARNING))) == ("warning", place, "x")


HOSTILE = "x::error file=y::z,title=w%0A\n::stop-commands::t\r##[error]u\x1b[2J"


def test_foreign_text_stays_in_its_part_of_one_command() -> None:
    made = annotate(Annotation(HOSTILE, HOSTILE.replace("\n", ""), HOSTILE))
    assert "\n" not in made
    assert "\r" not in made
    assert "\x1b" not in made
    assert "##[" not in made
    name, properties, text = read(made)
    assert name == "error"
    assert set(properties) == {"file", "title"}
    assert text.startswith("x::error file=y::z,title=w%0A\n")


def test_the_text_is_bounded() -> None:
    assert len(annotate(Annotation("x" * 100_000))) < 5000


def test_remarks_of_compilers_and_of_lists_of_mistakes_are_found_at_their_lines() -> None:
    text = (
        "ERROR: tensorflow/BUILD:3:1: Compiling a.cc failed: (Exit 1)\n"
        "tensorflow/core/a.cc:12:7: error: no member named 'x'\n"
        "tensorflow/core/a.cc:13:7: note: here\n"
        "/usr/include/b.h:5: fatal error: too many\n"
        "    x = 1;\n"
    )
    assert remarks(text, of_compiler=True) == [
        Annotation("no member named 'x'", "tensorflow/core/a.cc:12:7"),
        Annotation("too many", "/usr/include/b.h:5"),
    ]
    mistakes = "build_configs/x.yaml:3:5: no key `a` (did you mean `b`?)\nand 3 more"
    assert remarks(mistakes, "4 mistakes") == [
        Annotation("no key `a` (did you mean `b`?)", "build_configs/x.yaml:3:5", "4 mistakes")
    ]


def test_no_more_remarks_are_made_than_a_page_shows() -> None:
    text = "".join(f"a.c:{line}: error: x{line}\n" for line in range(1000))
    assert len(remarks(text)) == 10
