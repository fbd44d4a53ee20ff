"""patches.lint and patches.report as people call them, on a queue in a checkout with history."""

import json
import subprocess
from pathlib import Path

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.upstream import embedded
from tests import command_line

ROOT = Path(__file__).parents[3]

PATCH = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Date: Tue, 1 Dec 2020 10:00:00 +0000
Subject: {subject}

Reason: fork-only
Drop-When: {drop}
Owner: A <a@example.org>
---
diff --git a/{path} b/{path}
new file mode 100644
--- /dev/null
+++ b/{path}
@@ -0,0 +1 @@
+{line}
"""


def inv(cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return command_line.run(*args, cwd=cwd)


def git(cwd: Path, *args: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    argv = ["git", *identity, *args]
    return subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose queue `q` has a first patch in its history and a second one beside it."""
    upstream = embedded.create(tmp_path / "up.git")
    commit = upstream.line("rev-parse", "v2.16.0^{commit}")
    root = tmp_path / "checkout"
    queue = root / "patches" / "q"
    queue.mkdir(parents=True)
    (root / "tasks.py").write_text("from tensorflow_macos_build.tasks.namespace import namespace\n")
    (queue / "queue.yaml").write_text(f"upstream: 'embedded:'\nref: v2.16.0\ncommit: '{commit}'\n")
    write(queue, "00100-one.patch", subject="one", path="one", line="1", drop="never")
    (queue / "series").write_text("00100-one.patch\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "queue")
    late = "upstream >= v2.17"
    write(queue, "00200-two.patch", subject="two", path="two", line="2", drop=late)
    (queue / "series").write_text("00100-one.patch\n00200-two.patch\n")
    return root


def write(queue: Path, name: str, **fields: str) -> None:
    (queue / name).write_text(PATCH.format(**fields))


def test_a_report_compares_history_with_the_folder_and_writes_its_files(checkout: Path) -> None:
    args = ("--old", "HEAD:patches/q", "--new", "q", "--html", "out/r.html", "--markdown", "r.md")
    done = inv(checkout, "patches.report", *args, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    documents.check(document)
    assert [(patch["subject"], patch["fate"]) for patch in document["patches"]] == [
        ("one", "same"),
        ("two", "added"),
    ]
    assert "+2" in document["patches"][1]["difference"]
    assert "<details" in (checkout / "out" / "r.html").read_text()
    assert "1 added, 1 same." in (checkout / "r.md").read_text()


def test_lint_says_which_condition_has_come_true_at_an_upstream_ref(checkout: Path) -> None:
    quiet = inv(checkout, "patches.lint", "--queue", "q", "--json", "--onto", "v2.16.0")
    assert (quiet.returncode, json.loads(quiet.stdout)["findings"]) == (0, [])
    done = inv(checkout, "patches.lint", "--queue", "q", "--json", "--onto", "v2.17.0")
    document = json.loads(done.stdout)
    documents.check(document)
    [finding] = document["findings"]
    assert (finding["code"], finding["file"]) == ("condition-true", "00200-two.patch")
    assert (done.returncode, document["ok"]) == (0, True)


def test_lint_ends_with_1_when_there_are_errors(checkout: Path) -> None:
    (checkout / "patches" / "q" / "00100-one.patch").unlink()
    done = inv(checkout, "patches.lint", "--queue", "q")
    assert done.returncode == 1
    assert "series:1: error: there is no 00100-one.patch [series-missing]" in done.stdout


def test_lint_of_a_fork_shows_a_few_of_each_kind_and_how_to_mend_all(checkout: Path) -> None:
    queue = checkout / "patches" / "q"
    names = [f"{number:05}-p.patch" for number in range(100, 4100, 100)]
    for name in names:
        write(queue, name, subject="p", path=name, line="x ", drop="never")
    for name in names[:-1]:
        (queue / name).write_text((queue / name).read_text().replace("Owner: A", "By: A"))
    (queue / "series").write_text("".join(f"{name}\n" for name in names))
    (queue / "00100-one.patch").unlink()
    (queue / "00200-two.patch").unlink()
    done = inv(checkout, "patches.lint", "--queue", "q")
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert output.count("[trailer-missing]") == output.count("[whitespace]") == 4
    assert "error: 36 more in 39 files; --json has all [trailer-missing]" in output
    assert "patches.trailers --queue q" in output
    heading, *counts = done.stdout.splitlines()[:3]
    assert heading.split() == ["findings", "files", "severity", "code", "meaning"]
    assert [line.split()[:4] for line in counts] == [
        ["39", "39", "error", "trailer-missing"],
        ["40", "40", "warning", "whitespace"],
    ]
    flags = ("--allow", "trailer-missing", "--allow", "whitespace:00[1-9]*")
    done = inv(checkout, "patches.lint", "--queue", "q", *flags)
    assert done.returncode == 0
    assert "0 errors, 31 warnings, 48 allowed" in done.stdout
    base = (queue / "queue.yaml").read_text()
    (queue / "queue.yaml").write_text(base + "lint:\n  allow:\n    trailer-missing: '*'\n")
    done = inv(checkout, "patches.lint", "--queue", "q", "--json")
    document = json.loads(done.stdout)
    documents.check(document)
    assert (done.returncode, document["ok"], len(document["findings"])) == (0, True, 79)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("patches.lint", "--queue", "none"), "patches/none: this is no patch queue"),
        (("patches.report", "--old", "HEAD:nope", "--new", "q"), "HEAD:nope: there is no such"),
        (("patches.report", "--old", "none", "--new", "q"), "patches/none: there is no such queue"),
    ],
)
def test_a_wrong_place_ends_with_2_and_is_named(
    checkout: Path, args: tuple[str, ...], message: str
) -> None:
    done = inv(checkout, *args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
