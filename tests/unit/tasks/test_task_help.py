"""What help says of each task, and that its examples can be typed."""

from __future__ import annotations

import shlex

import pytest

from tensorflow_macos_build.tasks import task_help, usage
from tensorflow_macos_build.tasks.examples import EXAMPLES, SECTIONS
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program

PROGRAM = Program(namespace=namespace, binary="inv")
CONTEXTS = {str(context.name): context for context in namespace.to_contexts()}
BY_EVERY_NAME = {
    name: context for full, context in CONTEXTS.items() for name in (full, *context.aliases)
}
TAKES = usage.Takes(
    PROGRAM.initial_context, BY_EVERY_NAME, lambda task: getattr(namespace[task], "required", ())
)


def test_each_task_has_an_example_and_a_section() -> None:
    assert set(EXAMPLES) == set(CONTEXTS)
    assert {name.partition(".")[0] for name in CONTEXTS} == {
        word for words in SECTIONS.values() for word in words
    }


@pytest.mark.parametrize("task", EXAMPLES)
def test_an_example_is_a_line_of_its_task(task: str) -> None:
    words = shlex.split(EXAMPLES[task])
    assert BY_EVERY_NAME[words[0]].name == task
    usage.check(words, TAKES)


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ("fuse", "inv fuse A.whl B.whl [--out DIR] [--flags]"),
        ("build.build", "inv build [CONFIG] [--flags]"),
        ("rebase.rebase", "inv rebase QUEUE REVISION [--flags]"),
        ("patches.drop", "inv patches.drop NAME --queue QUEUE [--flags]"),
        ("smoke.run", "inv smoke [W.whl] [--flags]"),
    ],
)
def test_a_usage_line_names_what_is_needed(task: str, line: str) -> None:
    required = getattr(namespace[task], "required", ())
    assert task_help.usage_line("inv", CONTEXTS[task], required) == line


def test_help_tells_values_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    for task in ("build", "fuse"):
        with pytest.raises(SystemExit):
            PROGRAM.run(["inv", task, "--help"])
    out = capsys.readouterr().out
    assert "CONFIG   A config under build_configs/, or the path of one. [default: demo]" in out
    assert "--out DIR" in out
    assert "[default: dist]" in out
    assert "STRING" not in out


@pytest.mark.parametrize(("flag", "before"), [("--help", ["Flags:"]), ("--list", [])])
def test_the_list_of_tasks_is_in_groups(
    flag: str, before: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        PROGRAM.run(["inv", flag])
    lines = capsys.readouterr().out.splitlines()
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [*before, *(f"{title}:" for title in SECTIONS)]
    assert [line for line in lines if line.split()[:1] == ["build"]]
