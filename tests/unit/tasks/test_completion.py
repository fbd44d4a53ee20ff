"""What the last word of an unfinished command line may become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.tasks import completion, completion_table
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program
from tests.imports import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TASKS = completion_table.of_tasks(
    Program(namespace=namespace).initial_context, namespace.to_contexts()
)


def _candidates(line: str) -> list[str]:
    return completion.candidates(line.split(" "), TASKS)


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("", {"build", "fuse", "patches.lint", "rebase"}),
        ("fu", {"fuse"}),
        ("--l", {"--list", "--list-depth", "--list-format"}),
        ("fuse --o", {"--out"}),
        ("build --pl", {"--plan"}),
        ("test --no-", {"--no-lint"}),
        ("build de", {"demo"}),
        ("build --config tf-2.21", {"tf-2.21", "tf-2.21-cross"}),
        ("build --config=de", {"--config=demo"}),
        ("config.show dem", {"demo"}),
        ("build demo --until sou", {"source"}),
        ("build demo --until build:a", {"build:arm64"}),
        ("patches.lint tf-2.2", {"tf-2.20", "tf-2.21", "tf-2.21-metal", "tf-2.22"}),
        ("rebase --queue de", {"demo"}),
        ("rebase --queue=de", {"--queue=demo"}),
        ("rebase demo v2.18.0 --on-conflict s", {"skip", "stop"}),
        ("patches.drop --queue demo 00800", {"00800-"}),
        ("patches.fold 00800 --queue demo --into 00", {"00100-"}),
        ("lint --queue ", set()),
    ],
)
def test_a_word_is_completed_by_what_stands_before_it(line: str, some: set[str]) -> None:
    candidates = _candidates(line)
    assert all(any(word.startswith(beginning) for word in candidates) for beginning in some)
    assert all(word.startswith(line.rpartition(" ")[2]) for word in candidates)
    assert bool(candidates) == bool(some)


def test_a_wheel_is_completed_by_wheels_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a b.whl", "a.txt", ".a.whl"):
        (tmp_path / name).touch()
    (tmp_path / "at").mkdir()
    (tmp_path / "at/c.whl").touch()
    assert completion.candidates(["fuse", "a"], TASKS) == ["a b.whl", "at/"]
    assert completion.candidates(["fuse", "x.whl", "at/"], TASKS) == ["at/c.whl"]
    assert completion.candidates(["verify", f"{tmp_path}/at/c"], TASKS) == [f"{tmp_path}/at/c.whl"]
    assert completion.candidates(["fuse", "x.whl", "y.whl", "--out", "a"], TASKS) == [
        *("a b.whl", "a.txt", "at/")
    ]


def test_what_is_given_is_not_asked_for_again() -> None:
    assert "demo" in _candidates("build ")
    assert "demo" not in _candidates("build demo ")
    assert "demo" not in _candidates("build demo --arch arm64 ")
    assert "demo" in _candidates("build --arch arm64 ")


def test_the_table_is_read_as_it_was_written() -> None:
    assert completion.loads(completion.dumps(TASKS)) == TASKS


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_each_shell_has_its_script(shell: str) -> None:
    assert "--complete --" in completion.script(shell)
