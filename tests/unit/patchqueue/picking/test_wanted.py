"""What somebody may type for a pick."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.picking.wanted import Wanted, parse

ID = "0123456789abcdef0123456789abcdef01234567"
PROJECT = "https://github.com/tensorflow/tensorflow"


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("126377", Wanted(pull="126377")),
        ("#7", Wanted(pull="7")),
        ("!7", Wanted(pull="7")),
        ("pull/7", Wanted(pull="7")),
        ("pull-7", Wanted(pull="7")),
        ("commit/1234567", Wanted(commit="1234567")),
        ("1234567890", Wanted(commit="1234567890")),
        (ID, Wanted(commit=ID)),
        (f"{PROJECT}/pull/126377", Wanted(pull="126377", project=PROJECT)),
        (f"{PROJECT}/pull/126377/files#diff-1", Wanted(pull="126377", project=PROJECT)),
        (f"{PROJECT}/commit/{ID}", Wanted(commit=ID, project=PROJECT)),
        (
            "https://gitlab.com/a/b/-/merge_requests/3",
            Wanted(pull="3", project="https://gitlab.com/a/b"),
        ),
    ],
)
def test_a_change_has_many_names(typed: str, wanted: Wanted) -> None:
    assert parse(typed) == wanted


@pytest.mark.parametrize(
    "typed",
    ["", "main", "0", "-7", "--upload-pack=x", "7\n", "7;id", f"{ID}0", "ABCDEF0", "x" * 9999,
     f"{PROJECT}/issues/7", "ext::sh -c x/pull/7", "refs/pull/7/head"],
)  # fmt: skip
def test_what_names_no_change_is_refused(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(typed)
    assert len(str(caught.value)) < 500
