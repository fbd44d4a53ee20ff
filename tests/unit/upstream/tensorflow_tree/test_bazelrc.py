"""Run-control files: their words, their configs, and what is refused as Bazel refuses it."""

from __future__ import annotations

import time

import pytest

from tensorflow_macos_build.upstream.tensorflow_tree import bazelrc
from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BadConfig, BazelRc, RcImport
from tensorflow_macos_build.upstream.tensorflow_tree.fact import MOST_BYTES, Unread


def rc(text: str, **others: str) -> BazelRc:
    contents = {".bazelrc": text, **others}
    return bazelrc.read(
        lambda path: contents[path].encode("utf-8", "surrogateescape") if path in contents else None
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("build --a --b", ["build", "--a", "--b"]),
        ("# build --a", []),
        ("build --a # b", ["build", "--a"]),
        ("build --a#b --c", ["build", "--a"]),
        ("build --a='x # y'", ["build", "--a=x # y"]),
        ('build "--a=b c"d', ["build", "--a=b cd"]),
        (r"build --a=\#b\ c", ["build", "--a=#b c"]),
        (r"build '--a=it\'s'", ["build", "--a=it's"]),
        ("build '' --a", ["build", "--a"]),
        ("build '--a b", ["build", "--a b"]),
        ("build --a\\", ["build", "--a"]),
        ("build\t--a\0--b", ["build", "--a", "--b"]),
        ("", []),
    ],
)
def test_a_line_is_split_as_bazel_splits_it(line: str, words: list[str]) -> None:
    assert bazelrc.tokens(line) == words


def test_a_backslash_joins_lines_in_comments_too_and_lines_keep_their_numbers() -> None:
    read = rc("# one \\\nbuild --not\nbuild --a=\\\r\nb \\\n  --c\n\nbuild --d\r\n")
    assert [(line.arguments, line.where) for line in read.lines] == [
        (("--a=b", "--c"), ".bazelrc:3"),
        (("--d",), ".bazelrc:7"),
    ]


def test_a_config_is_flattened_section_by_section_and_in_place() -> None:
    read = rc(
        "build:mac --copt=1 --config=base --copt=4\n"
        "test:mac --copt=never\n"
        "common:mac --define=first\n"
        "build:base --copt=2\n"
        "build:base --copt=3\n"
        "build --copt=0\n"
    )
    copts = ("--copt=1", "--copt=2", "--copt=3", "--copt=4")
    assert read.flags_of("mac") == ("--define=first", *copts)
    assert read.configs() == ("base", "mac")
    assert read.flags(["mac"]) == ("--copt=0", "--define=first", *copts)


@pytest.mark.parametrize(
    ("switch", "flags"),
    [
        ("--enable_platform_specific_config", ("--copt=mac", "--copt=z")),
        ("--enable_platform_specific_config=no", ("--copt=z",)),
        ("--enable_platform_specific_config --noenable_platform_specific_config", ("--copt=z",)),
        ("--copt=y", ("--copt=z",)),
    ],
)
def test_the_hosts_config_stands_where_it_is_switched_on(
    switch: str, flags: tuple[str, ...]
) -> None:
    read = rc(f"build {switch} --copt=z\nbuild:macos --copt=mac\nbuild:linux --copt=linux\n")
    assert tuple(flag for flag in read.flags() if flag in ("--copt=mac", "--copt=z")) == flags
    assert "--copt=linux" not in read.flags()


def test_a_config_outside_of_configs_may_have_its_value_in_a_word_of_its_own() -> None:
    assert rc("build --config a\nbuild:a --copt=1").flags() == ("--copt=1",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("build:b --copt=1", "--config=a is not defined for build"),
        ("test:a --copt=1", "--config=a is not defined for build"),
        ("build:a --config=b", "--config=a → b is not defined for build"),
        ("build:a --config=b\nbuild:b --config=a", "--config=a → b → a leads to itself"),
        ("build:a --config b", ".bazelrc:1 gives --config no value"),
        ("\n".join(f"build:{n or 'a'} --config={n + 1}" for n in range(99)), "more than 50 others"),
    ],
)
def test_a_config_that_bazel_would_refuse_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadConfig, match=message.replace("(", r"\(")):
        rc(text).flags_of("a")


def test_configs_that_double_at_every_step_end_at_a_bound_and_soon() -> None:
    doubling = [f"build:{n} --config={n + 1} --config={n + 1}" for n in range(40)]
    read = rc("\n".join([*doubling, "build:40 --copt=1"]))
    start = time.process_time()
    with pytest.raises(BadConfig, match="stands for more than 20000 flags"):
        read.flags_of("0")
    assert time.process_time() - start < 5


def test_imports_of_the_tree_are_read_where_they_stand_and_others_are_noted() -> None:
    read = rc(
        "build --copt=1\nimport %workspace%/a/more.rc\ntry-import %workspace%/user.rc\n"
        "try-import %workspace%/../evil.rc\ntry-import ~/own.rc\nbuild --copt=3\n",
        **{"a/more.rc": "build --copt=2\n"},
    )
    assert read.flags() == ("--copt=1", "--copt=2", "--copt=3")
    assert read.imports == (
        RcImport("%workspace%/a/more.rc", False, ".bazelrc:2"),
        RcImport("%workspace%/user.rc", True, ".bazelrc:3"),
        RcImport("%workspace%/../evil.rc", True, ".bazelrc:4"),
        RcImport("~/own.rc", True, ".bazelrc:5"),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import %workspace%/.bazelrc", "leads to itself"),
        ("import a b", "imports 2 files"),
        ("import", "imports 0 files"),
        ("try-import %workspace%/twice.rc", "one import too many"),
        ("#" * (MOST_BYTES + 1), "has more than"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, reason: str) -> None:
    chain = {f"{n}.rc": f"import %workspace%/{n + 1}.rc\n" * 2 for n in range(40)}
    with pytest.raises(Unread, match=reason):
        rc(text, **{"twice.rc": "import %workspace%/0.rc", "40.rc": "", **chain})


def test_the_values_of_a_flag_come_in_both_spellings() -> None:
    flags = ("--cpu=a", "--copt=--cpu=no", "--cpu", "b", "--cpus=c", "--cpu")
    assert bazelrc.values(flags, "--cpu") == ("a", "b")
