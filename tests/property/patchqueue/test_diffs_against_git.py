"""What is taken as a diff, and what its lines name, is what `git apply` takes and names."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.patchqueue.formats import diff_parse
from tensorflow_macos_build.patchqueue.formats.refused import Malformed
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


FILES = {b"x.c": b"x\n", b"d/x.c": b"x\n", b"x.orig.c": b"x\n", b"good.c": b"x\n", b"e": b""}
NAMES = [b"x.c", b"d/x.c", b"x.orig.c", b"good.c", b"evil.c", b"a b.c", b"x.c.orig", b"e"]
STAMPS = [
    b"", b"\t2020-01-02 03:04:05.678 +0100", b"\t1970-01-01 00:00:00.000000000 +0000",
    b" 2020-01-02 03:04:05 +0100", b"\t1970-01-01 01:00:00 +01:00", b"\t(revision 1)", b"\t",
]  # fmt: skip
MODE_LINES = [
    b"new file mode 100644\n", b"deleted file mode 100644\n", b"old mode 100644\n",
    b"new mode 100755\n", b"rename from x.c\n", b"rename to evil.c\n", b"copy from x.c\n",
    b"copy to evil.c\n", b"index 1234567..89abcde 100644\n", b"similarity index 90%\n",
    b"index broken\n",
]  # fmt: skip
HUNKS = [
    b"@@ -1 +1 @@\n-x\n+y\n", b"@@ -0,0 +1 @@\n+x\n", b"@@ -1 +0,0 @@\n-x\n", b"",
    b"@@ -1 +1,2 @@\n x\n+fourteen\n", b"@@ -1 +1 @@\n-x\n+y\n\\ No newline at end of file\n",
    b"@@ -1 +1 @@\n x\n", b"@@ -1 +1 @@\n-x\n\\ No\n+y\n", b"@@ -1,2 +1 @@\n-x\n+y\n",
    b"@@ -1 +1 @\n-x\n+y\n",
]  # fmt: skip


@st.composite
def one_file(draw: st.DrawFn) -> bytes:
    first, second = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    second = draw(st.sampled_from([first, first, second]))
    old, new = draw(st.sampled_from([(b"a/" + first, b"b/" + second), (first, second)]))
    old, new = draw(st.sampled_from([(old, new), (b"/dev/null", new), (old, b"/dev/null")]))
    hunks = draw(st.sampled_from(HUNKS))
    if draw(st.booleans()):
        stamps = draw(st.tuples(st.sampled_from(STAMPS), st.sampled_from(STAMPS)))
        return b"--- %s%s\n+++ %s%s\n" % (old, stamps[0], new, stamps[1]) + hunks
    named = draw(st.sampled_from([first, second]))
    extended = b"".join(draw(st.lists(st.sampled_from(MODE_LINES), max_size=2)))
    lines = draw(st.sampled_from([b"--- %s\n+++ %s\n" % (old, new)] * 3 + [b""]))
    return b"diff --git a/%s b/%s\n" % (named, named) + extended + lines + hunks


@settings(max_examples=250)
@example([b"--- x.orig.c\n+++ x.c\n@@ -1 +1 @@\n-x\n+y\n"], 0)
@example([b"--- x.c\n+++ x.c.orig\n@@ -1 +1 @@\n-x\n+y\n"], 0)
@example([b"--- a/x.c\n+++ b/x.c\n@@ -1 +1,2 @@\n x\n+fourteen\n"], 5)
@example([b"diff --git a/good.c b/good.c\n--- /dev/null\n+++ b/evil.c\n@@ -0,0 +1 @@\n+x\n"], 0)
@example([b"--- d/x.c\n+++ x.orig.c\n@@ -1 +1 @@\n-x\n+y\n"], 0)
@example([b"--- x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"], 0)
@example([b"--- e\n+++ e\n@@ -0,0 +1 @@\n+x\n"], 0)
@given(st.lists(one_file(), min_size=1, max_size=2), st.sampled_from([0, 0, 0, 1, 5]))
def test_a_diff_changes_what_git_apply_changes(
    tmp_path_factory: pytest.TempPathFactory, files: list[bytes], cut: int
) -> None:
    text = b"\n".join(files)
    text = text[: len(text) - cut]
    folder = tmp_path_factory.mktemp("apply")
    _write(folder)
    status = _git("apply", "--whitespace=nowarn", "-", stdin=text, cwd=folder)
    ours = _applied(text)
    if isinstance(ours, Malformed):
        assert status != 0 or _is_stated(ours), ours.what
        return
    if ours != FILES and status != 0:
        # a hunk without context is taken here, at the lines that it states
        status = _git("apply", "--unidiff-zero", "-", stdin=text, cwd=folder)
    assert status == 0 or ours == FILES
    assert ours == _read(folder)


def _is_stated(error: Malformed) -> bool:
    """Whether it is a refusal that git does not share, and that the documentation states."""
    return any(
        words in error.what
        for words in (
            "names two files",
            "already there",
            "not all of its lines",
            "more than one",
            "has only one of",
            "nothing follows",
        )
    )


def _applied(text: bytes) -> dict[bytes, bytes] | Malformed:
    contents = {f"{number:040}": content for number, content in enumerate(FILES.values())}
    listed = zip(FILES, contents, strict=True)
    overlay = PatchedTree(
        {path: TreeEntry("100644", oid) for path, oid in listed}, contents.__getitem__
    )
    try:
        made = overlay.after(diff_parse.parse(text).changes)
    except Malformed as error:
        return error
    after: dict[bytes, bytes] = dict(FILES)
    for path, file in made.items():
        if file is None:
            del after[path]
        else:
            after[path] = file.content
    return after


def _write(folder: Path) -> None:
    for path, content in FILES.items():
        target = folder / os.fsdecode(path)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


def _read(folder: Path) -> dict[bytes, bytes]:
    return {
        os.fsencode(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _git(*args: str, stdin: bytes, cwd: Path) -> int:
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(cwd.parent)}
    argv = ["git", *args]
    return subprocess.run(
        argv, input=stdin, cwd=cwd, env=env, capture_output=True, check=False
    ).returncode
