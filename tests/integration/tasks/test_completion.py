"""Words are completed in bash as it does so itself, by a program on PATH."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.tasks import completion
from tests.imports import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# What bash sets before it calls a completion function (bash(1), Programmable Completion).
ASKED = """\
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_inv "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def inv(tmp_path: Path) -> Path:
    """A program that is the command line of this checkout, and the script beside it."""
    program = tmp_path / "inv"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tensorflow_macos_build "$@"\n')
    program.chmod(0o755)
    (tmp_path / "inv.bash").write_text(completion.script("bash"))
    return program


@pytest.mark.parametrize(
    ("line", "parts", "replies"),
    [
        ("inv fus", ["fus"], ["fuse"]),
        ("inv fuse --ou", ["fuse", "--ou"], ["--out"]),
        ("inv build de", ["build", "de"], ["demo"]),
        ("inv rebase --queue=dem", ["rebase", "--queue", "=", "dem"], ["demo"]),
        ("inv rebase --queue=", ["rebase", "--queue", "="], ["demo"]),
        ("inv build --until build:ar", ["build", "--until", "build", ":", "ar"], ["arm64"]),
        ("inv patches.lint dem", ["patches.lint", "dem"], ["demo"]),
    ],
)
def test_bash_replaces_the_last_part_of_a_word(
    inv: Path, line: str, parts: list[str], replies: list[str]
) -> None:
    asked = subprocess.run(
        ["bash", "-c", ASKED, "bash", inv.with_name("inv.bash"), line, inv, *parts],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(replies) <= set(asked.stdout.split())
    if line[-1] != "=":
        assert asked.stdout.split() == replies


def test_bash_knows_what_to_call_for_the_program(inv: Path) -> None:
    shown = subprocess.run(
        ["bash", "-c", '. "$1"; complete -p inv', "bash", inv.with_name("inv.bash")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout == "complete -F _inv inv\n"
