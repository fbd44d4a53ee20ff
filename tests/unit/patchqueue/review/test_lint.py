from pathlib import Path

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.review import lint
from tensorflow_macos_build.patchqueue.review.lint import CODES, LintLimits, LintSeverity

TRAILERS = "Reason: fork-only\nDrop-When: never\nOwner: A <a@example.org>"
HEADER = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Date: Tue, 1 Dec 2020 10:00:00 +0000
Subject: {subject}

{trailers}
---
"""


def diff(path: str, *lines: str) -> str:
    old = sum(line[0] in " -" for line in lines)
    new = sum(line[0] in " +" for line in lines)
    return "\n".join(
        [
            f"diff --git a/{path} b/{path}",
            f"--- a/{path}",
            f"+++ b/{path}",
            f"@@ -{1 if old else 0},{old} +{1 if new else 0},{new} @@",
            *lines,
            "",
        ]
    )


class Folder:
    """A queue's folder whose files a test writes one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []

    def add(self, body: str, trailers: str = TRAILERS) -> str:
        name = f"{len(self.names) + 1:04}-p.patch"
        text = HEADER.format(subject=f"patch {name}", trailers=trailers) + body
        (self.path / name).write_bytes(text.encode())
        self.names.append(name)
        self.series(*self.names)
        return name

    def series(self, *names: str) -> None:
        (self.path / "series").write_text("".join(f"{name}\n" for name in names))

    def findings(self, limits: LintLimits | None = None) -> list[tuple[str, str, int | None]]:
        reported = lint.lint(self.path, limits or LintLimits())
        return [(finding.code, finding.file, finding.line) for finding in reported]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_good_queue_has_no_findings(folder: Folder) -> None:
    folder.add(diff("a", " x", "+y"))
    folder.add(diff("b", "-x", "+y"))
    assert folder.findings() == []


def test_series_and_files_are_held_to_each_other(folder: Folder) -> None:
    listed = folder.add(diff("a", "+y"))
    two = folder.add(diff("b", "+y"))
    folder.series("# a comment", listed, listed, "gone.patch", "../outside.patch")
    assert sorted(folder.findings(), key=str) == [
        ("series-duplicate", "series", 3),
        ("series-missing", "series", 4),
        ("series-name", "series", 5),
        ("series-unlisted", two, None),
    ]


def test_what_is_no_patch_is_named_with_its_line_and_hides_no_other_fault(folder: Folder) -> None:
    bad = folder.add("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n")
    late = folder.add(diff("b", "+y "))
    codes = folder.findings()
    assert [(code, file) for code, file, _ in codes] == [("unreadable", bad), ("whitespace", late)]
    assert codes[0][2] is not None


@pytest.mark.parametrize(
    ("trailers", "code"),
    [
        ("Drop-When: never\nOwner: a", "trailer-missing"),
        ("Reason: because\nDrop-When: never\nOwner: a", "reason-unknown"),
        ("Reason: backport\nDrop-When: never\nOwner: a", "upstream-missing"),
        ("Reason: fork-only\nDrop-When: some day\nOwner: a", "condition-unclear"),
    ],
)
def test_trailers_are_required_and_read(folder: Folder, trailers: str, code: str) -> None:
    name = folder.add(diff("a", "+y"), trailers)
    assert folder.findings() == [(code, name, None)]


def test_white_space_in_added_lines_is_found_at_its_line(folder: Folder) -> None:
    name = folder.add(diff("a", " x ", "-y ", "+ok", "+bad ", "+a \tb", "+crlf\r"))
    lines = (folder.path / name).read_text().splitlines()
    assert [lines[line - 1] for _, _, line in folder.findings() if line] == ["+bad ", "+a \tb"]


def test_size_and_paths_have_limits(folder: Folder) -> None:
    name = folder.add(diff("third_party/x", "+y"))
    assert folder.findings(LintLimits(forbidden=("third_party/*",)))[0][:2] == (
        "forbidden-path",
        name,
    )
    assert folder.findings(LintLimits(size=10)) == [("too-large", name, None)]


def test_a_patch_that_only_undoes_an_earlier_one_is_found(folder: Folder) -> None:
    folder.add(diff("a", "-old", "+new", "+more"))
    undoing = folder.add(diff("a", "+old", "-new"))
    folder.add(diff("a", "-more", "+better"))
    assert [(code, file) for code, file, _ in folder.findings()] == [("undone", undoing)]


def test_every_code_is_explained_and_only_opinions_are_warnings() -> None:
    warnings = {
        code
        for code in CODES
        if lint.LintFinding(code, "", None, "").severity is LintSeverity.WARNING
    }
    assert warnings == {"whitespace", "condition-true", "undone"}


def test_all_missing_trailers_of_a_patch_are_one_finding(folder: Folder) -> None:
    folder.add(diff("a", "+y"), "owner: in any case of letters")
    [finding] = lint.lint(folder.path, LintLimits())
    assert finding.message == "it has no trailer `Reason:` and no `Drop-When:`"


def test_a_folder_without_series_is_no_queue(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no patch queue"):
        lint.lint(tmp_path, LintLimits())
