from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.review import allowances
from tensorflow_macos_build.patchqueue.review.lint import LintFinding, LintSeverity

if TYPE_CHECKING:
    from pathlib import Path

BASE = f"upstream: u\nref: v1\ncommit: {'a' * 40}\n"

FINDINGS = (
    LintFinding("trailer-missing", "1-a.patch", None, "m"),
    LintFinding("whitespace", "1-a.patch", 3, "m"),
    LintFinding("whitespace", "2-b.patch", 3, "m"),
)


def allowed_files(*sources: allowances.Allowances) -> list[tuple[str, str]]:
    applied = allowances.applied(FINDINGS, sources)
    return [(f.code, f.file) for f in applied if f.severity is LintSeverity.ALLOWED]


def queue(folder: Path, text: str) -> Path:
    (folder / "queue.yaml").write_text(BASE + text)
    return folder


def test_what_a_queue_allows_by_code_and_file_is_let_pass(tmp_path: Path) -> None:
    text = 'lint:\n  allow:\n    trailer-missing: "*"\n    whitespace: ["2-*", "other-*"]\n'
    allowed = allowances.of_queue(queue(tmp_path, text))
    assert allowed_files(allowed) == [("trailer-missing", "1-a.patch"), ("whitespace", "2-b.patch")]


def test_flags_allow_in_all_files_or_those_that_fit_and_add_to_the_queue(tmp_path: Path) -> None:
    of_queue = allowances.of_queue(queue(tmp_path, "lint: {allow: {trailer-missing: 9-*}}\n"))
    assert allowed_files(of_queue, allowances.of_flags(["whitespace"])) == [
        ("whitespace", "1-a.patch"),
        ("whitespace", "2-b.patch"),
    ]
    patterns = allowances.of_flags(["whitespace:1-*", "whitespace:2-*", "trailer-missing:1-*"])
    assert len(allowed_files(of_queue, patterns)) == 3


def test_a_queue_that_says_nothing_and_a_folder_that_is_none_allow_nothing(tmp_path: Path) -> None:
    assert allowances.of_queue(tmp_path) == {}
    assert allowances.of_queue(queue(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("lint:\n  allow:\n    trailers-missing: '*'\n", "no finding is called `trailers-missing`"),
        ("lint:\n  allow:\n    whitespace: {a: b}\n", "queue.yaml:6:17: a finding is allowed in"),
        ("lint:\n  allow:\n    whitespace: []\n", "allowed in files"),
        ("lint:\n  allow: [whitespace]\n", "the one key of `lint` is `allow`"),
        ("lint:\n  allows: {}\n", "the one key of `lint` is `allow`"),
        ("lint: [a]\n", "the one key of `lint` is `allow`"),
        ("lint: {\n", "queue.yaml"),
    ],
)
def test_a_list_of_what_is_allowed_that_says_nothing_is_refused(
    tmp_path: Path, text: str, what: str
) -> None:
    with pytest.raises(UsageError) as refused:
        allowances.of_queue(queue(tmp_path, text))
    assert what in str(refused.value)


@pytest.mark.parametrize("value", ["white-space", "", ":*", "1-a.patch"])
def test_a_flag_that_names_no_code_is_refused_by_name(value: str) -> None:
    with pytest.raises(UsageError) as refused:
        allowances.of_flags([value])
    assert f"--allow {value}: no finding is called" in str(refused.value)
