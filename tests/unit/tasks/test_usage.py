"""A command line that no task takes is refused before anything runs; the right word is blamed."""

from __future__ import annotations

import shlex
from typing import cast

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks import usage
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program


class _Parser(Program):
    """The command line up to the point where tasks would run."""

    def execute(self) -> None:
        return


def _run(*argv: str) -> int:
    try:
        _Parser(namespace=namespace, binary="inv").run(["inv", *argv])
    except SystemExit as ended:
        return cast("int", ended.code)
    return 0


PARSER = _Parser(namespace=namespace)
CONTEXTS = {str(context.name): context for context in namespace.to_contexts()}
TAKES = usage.Takes(PARSER.initial_context, CONTEXTS, lambda _task: ())
FLAGS = [(task, flag) for task in sorted(CONTEXTS) for flag in sorted(CONTEXTS[task].flags)]


def test_an_unknown_flag_is_named_with_the_nearest_that_the_task_has() -> None:
    for task, flag in FLAGS:
        _check_misspellings(task, flag)


def _check_misspellings(task: str, flag: str) -> None:
    for wrong in (flag[:3] + flag[4:], flag + "s", flag[1:], flag.upper(), f"{flag}_"):
        if wrong not in {*CONTEXTS[task].flags, *CONTEXTS[task].inverse_flags}:
            for words in ([task, wrong, "W.whl"], [task, f"{wrong}=x"]):
                with pytest.raises(UsageError) as raised:
                    usage.check(words, TAKES)
                assert raised.value.what == f"`{task}` has no flag `{wrong}`"
                assert raised.value.hint == f"did you mean `{flag}`?"


INVOKES = [
    *("--echo", "-e", "--pty", "-p", "--hide", "--hide=both", "--warn-only", "-w", "--dry", "-R"),
    *("--prompt-for-sudo-password", "--command-timeout=3", "-T", "--no-dedupe", "--write-pyc"),
    *("--collection=x", "-c", "--search-root=/", "-r", "--debug", "-d", "-f"),
]


@pytest.mark.parametrize("flag", INVOKES)
def test_invokes_own_flags_are_refused_wherever_they_stand(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in ([flag, "build"], ["build", flag]):
        assert _run(*argv) == 2, argv
        assert flag.partition("=")[0] in capsys.readouterr().err


TWICE = [
    ["rebase", "--queue", "demo", "--onto=v2.18.0", "--onto", "v2.19.0"],
    ["rebase", "--queue=demo", "--queue=demo", "--onto", "v2.18.0"],
    ["rebase", "v2.18.0", "--queue", "demo", "--onto", "v2.19.0"],
]


@pytest.mark.parametrize("argv", TWICE)
def test_a_second_value_is_said_to_be_one(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 2
    assert "has two values" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help", "bild"], ["--help=bild"], ["-h", "bild"]])
def test_help_on_no_task_is_wrong_usage_with_the_nearest(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 2
    assert "there is no task `bild`\nhint: did you mean `build`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["import"], "did you mean `patches.import`?"),
        (["report"], "did you mean `ci.report` or `patches.report`?"),
        (["fuse", "a.whl"], "usage: scripts/inv fuse A.whl B.whl [--out DIR] [--flags]"),
        (["patches.forecast", "demo"], "usage: scripts/inv patches.forecast --queue QUEUE"),
    ],
)
def test_what_is_missing_or_misnamed_is_answered_by_how_it_is_typed(
    words: list[str], hint: str
) -> None:
    required = {name: getattr(namespace[name], "required", ()) for name in CONTEXTS}
    takes = usage.Takes(PARSER.initial_context, CONTEXTS, required.__getitem__)
    with pytest.raises(UsageError) as raised:
        usage.check(words, takes)
    assert raised.value.hint.startswith(hint)


def test_a_flag_that_may_be_repeated_and_each_task_of_a_line_take_their_own_values() -> None:
    assert _run("verify", "W.whl", "--allow", "a", "--allow=b", "verify", "W.whl") == 0
    assert _run("build", "--plan", "--plan") == 0


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--list", "--list-format", "xml"], "`xml`"),
        (["--list", "--list-format="], "`--list-format`"),
        (["--list", "--list-depth", "x"], "`--list-depth` takes a whole number, not `x`"),
    ],
)
def test_a_list_that_cannot_be_made_is_wrong_usage(
    argv: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 2
    err = capsys.readouterr().err
    assert named in err
    assert "base 10" not in err


def test_help_lists_no_flag_that_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--help"], ["build", "--help"]):
        assert _run(*argv) == 0
        words = capsys.readouterr().out.replace("=", " ").replace(",", " ").split()
        assert not {flag.partition("=")[0] for flag in INVOKES} & set(words)


def test_help_is_a_line_each_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    for argv, name in ((["--list"], "wheelhouse"), (["fuse", "--help"], "--rule")):
        assert _run(*argv) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        (line,) = (words for words in lines if words[:1] == [name])
        assert len(line) > 10


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("build --dry", "did you mean `--plan`?"),
        ("build --dry-run", "did you mean `--plan`?"),
        ("-R build", "inv build --plan` prints what would be done"),
        ("--config demo build", "inv build --config demo"),
        ("--json verify W.whl", "inv verify --json W.whl"),
        ("--queue 'a b' rebase --onto x", "inv rebase --queue 'a b' --onto x"),
        ("verify W.whl X.whl", "`verify` takes no `X.whl`"),
        ("verify --json=no W.whl", "`--json` takes no value"),
        ("fuse A B --out --jsn", "`--out` needs a value"),
        ("fuse A B --out --json", "`--out` needs a value"),
        ("build -- --plan", "`--` is not taken"),
        ("patches.drop 00800", "`patches.drop` needs `--queue`"),
        ("rebase --onto x", "`rebase` needs `--queue`"),
        ("fuse A.whl", "`fuse` needs `--second`"),
        ("buidl", "did you mean `build`?"),
        ("patches.drp x", "did you mean `patches.drop`?"),
        ("lint verfy", "`lint` takes no `verfy`"),
        ("test --no-lintt", "did you mean `--no-lint`?"),
        ("fuse A B --build_tag 1", "did you mean `--build-tag`?"),
    ],
)
def test_wrong_usage_is_blamed_on_the_word_at_fault(
    line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*shlex.split(line)) == 2
    errors = capsys.readouterr().err
    assert says in errors
    assert "No idea" not in errors


@pytest.mark.parametrize(
    "line",
    [
        "fuse A.whl B.whl --out=--odd",
        "smoke W.whl --timeout -5",
        "smoke --python 3.11",
        "patches.forecast --queue q --latest --json",
        "patches.forecast --queue q --latest 3",
        "lint test --no-lint --path a --path b",
        "rebase --queue q --onto x",
        "rebase demo v2.18.0",
        "build demo --plan",
        "build --config demo",
        "doctor tf-2.21",
        "verify build",
        "fuse - B.whl",
        "--list",
        "--list patches",
        "-F json -l",
        "-D 1 --list",
        "verify -h",
    ],
)
def test_what_is_right_is_taken(line: str) -> None:
    assert _run(*shlex.split(line)) == 0


@pytest.mark.parametrize(
    ("word", "names", "near"),
    [
        ("--outputs", ["--output", "--outer"], "--output"),
        ("--u", ["--universal2-tag", "--out"], "--universal2-tag"),
        ("--xyz", ["--json"], ""),
        ("", ["--json"], ""),
    ],
)
def test_the_nearest_name_is_that_which_was_meant(word: str, names: list[str], near: str) -> None:
    assert usage.nearest(word, names) == near


@pytest.mark.parametrize(
    "words",
    [
        ("--latest", "1", "--queue", "demo"),
        ("--queue", "demo", "--latest", "1"),
        ("--latest", "--queue", "demo"),
    ],
)
def test_a_number_that_may_be_left_out_stands_where_it_likes(words: tuple[str, ...]) -> None:
    assert _run("patches.forecast", *words) == 0
