"""Hostile and damaged patches are refused with the patch, the line and the reason (law 10)."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.patchqueue.formats import apply, patch
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree

HEAD = (
    b"From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
    b"From: A <a@b>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: x\n\n---\n\n"
)
FIRST = 8
"""The number of the first line after `HEAD`."""


def creates(path: bytes) -> bytes:
    return (
        b"diff --git a/%s b/%s\nnew file mode 100644\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n"
        % (path, path, path)
    )


def link(path: bytes, target: bytes = b"/etc") -> bytes:
    return (
        b"diff --git a/%s b/%s\nnew file mode 120000\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n"
        b"\\ No newline at end of file\n" % (path, path, path, target)
    )


PATHS = {
    "parent": b"../x",
    "parent within": b"a/../../x",
    "absolute": b"/etc/passwd",
    "own folder": b".git/config",
    "own folder below": b"a/.git/hooks/x",
    "own folder in capitals": b".GIT/config",
    "mixed case": b".gIt/config",
    "trailing dot": b".git./config",
    "trailing blank": b".git /config",
    "trailing dots and blanks": b".git . ./config",
    "short name": b"git~1/config",
    "short name in capitals": b"GIT~1/config",
    "stream": b".git::$INDEX_ALLOCATION/config",
    "ignorable code point": ".g\u200cit/config".encode(),
    "ignorable mark at the end": ".git\ufeff/config".encode(),
    "backslash": b"a\\.git\\config",
    "backslash parent": b"..\\x",
    "drive": b"C:/x",
    "dot": b"./x",
    "empty component": b"a//x",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_that_some_system_takes_for_another_place_is_refused(path: bytes) -> None:
    for text in (creates(path), b"--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n" % path):
        with pytest.raises(Refused, match="the path") as refused:
            patch.parse(HEAD + text, "evil.patch")
        assert refused.value.where == f"evil.patch:{FIRST}"


@pytest.mark.parametrize("field", [b"rename", b"copy"])
def test_the_source_of_a_rename_or_copy_is_checked_too(field: bytes) -> None:
    text = b"diff --git a/x b/y\n%s from .git/config\n%s to y\n" % (field, field)
    with pytest.raises(Refused, match="own folder"):
        patch.parse(HEAD + text, "evil.patch")


@pytest.mark.parametrize("path", [b'"a\\000b"', b'"..\\057x"', b'".\\147it/x"'])
def test_a_quoted_path_is_checked_as_what_it_stands_for(path: bytes) -> None:
    quoted = b"diff --git %s %s\nnew file mode 100644\n--- /dev/null\n+++ %s\n@@ -0,0 +1 @@\n+x\n"
    with pytest.raises(Refused, match="the path"):
        patch.parse(HEAD + quoted % ((b'"b/' + path[1:],) * 3), "evil.patch")


def test_names_that_only_look_dangerous_are_taken() -> None:
    for path in (b".gitignore", b".gitattributes", b"git", b"a..b", b"..a", b".github/x", b"a:b"):
        assert patch.parse(HEAD + creates(path), "good.patch").changes[0].new_path == path


def test_a_link_is_not_written_through() -> None:
    with pytest.raises(Refused, match="through the link d that the same patch makes"):
        patch.parse(HEAD + link(b"d") + creates(b"d/x"), "evil.patch")
    later = patch.parse(HEAD + creates(b"d/x"), "evil.patch")
    overlay = PatchedTree({b"d": TreeEntry("120000", "1" * 40)}, lambda _: b"/etc")
    with pytest.raises(Malformed, match="lies below d, which is no folder"):
        overlay.after(later.changes)


def test_gitmodules_may_be_no_link() -> None:
    for path in (b".gitmodules", b".GITMODULES", b"gitmod~1"):
        with pytest.raises(Refused, match=r"make \.gitmodules a symbolic link"):
            patch.parse(HEAD + link(path), "evil.patch")


BODIES = {
    "2 GB of lines": (b"@@ -1,2147483647 +1,2147483647 @@\n x\n", "short of what it states"),
    "more than git counts": (b"@@ -1,9999999999 +1 @@\n x\n", "states a number above"),
    "ends early": (b"@@ -1,3 +1,3 @@\n x\n-y\n", "short of what it states"),
    "too many lines": (b"@@ -1,1 +1,2 @@\n-x\n-y\n+z\n", "more lines than it states"),
    "a line of no kind": (b"@@ -1,2 +1,2 @@\n x\n?y\n", "short of what it states"),
}


@pytest.mark.parametrize(("hunk", "reason"), BODIES.values(), ids=BODIES)
def test_a_hunk_that_is_not_what_it_states_is_refused(hunk: bytes, reason: str) -> None:
    text = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n" + hunk
    with pytest.raises(Refused, match=reason):
        patch.parse(HEAD + text, "evil.patch")


REFUSED = {
    "combined": (b"diff --cc f\nindex 1,2..3\n--- a/f\n+++ b/f\n@@@ -1 -1 +1 @@@\n", "combined"),
    "stray hunk": (b"@@ -1 +1 @@\n-x\n+y\n", "no file header"),
    "binary without content": (
        b"diff --git a/f b/f\nindex 1111111..2222222\nBinary files a/f and b/f differ\n",
        "--binary",
    ),
    "two names": (
        b"diff --git a/f b/g\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-x\n+y\n",
        "names two files",
    ),
    "new and deleted": (
        b"diff --git a/f b/f\nnew file mode 100644\ndeleted file mode 100644\n",
        "more than one of",
    ),
    "odd mode": (b"diff --git a/f b/f\nnew file mode 040000\n", "no file mode"),
    "no such encoding": (b"", "transfer encoding `x-own` is not known"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_applied_is_refused(text: bytes, reason: str) -> None:
    head = HEAD if text else HEAD.replace(b"\n\n", b"\nContent-Transfer-Encoding: x-own\n\n", 1)
    with pytest.raises(Refused, match=reason):
        patch.parse(head + text, "bad.patch")


def test_mail_that_is_no_text_is_refused() -> None:
    for kind in (b"multipart/alternative; boundary=x", b"image/png"):
        head = HEAD.replace(b"\n\n", b"\nContent-Type: %s\n\n" % kind, 1)
        with pytest.raises(Refused, match="is not taken"):
            patch.parse(head, "bad.patch")


def test_a_binary_patch_cannot_make_more_than_it_states() -> None:
    head = b"diff --git a/f b/f\nnew file mode 100644\nindex 00000000..11111111\n"
    bomb = head + b"GIT binary patch\nliteral %d\nHcmV?d00001\n\n"
    for size in (200_000_000, 10**14):
        parsed = patch.parse(HEAD + bomb % size, "bomb.patch")
        with pytest.raises(Malformed, match="more than they can hold"):
            apply.content_after(parsed.changes[0], b"")


def test_hunks_of_repeating_lines_end_in_bounded_time() -> None:
    hunk = b"@@ -%d,3 +%d,3 @@\n a\n-b\n+c\n a\n"
    hunks = b"".join(hunk % (number + 2, number + 2) for number in range(3000))
    text = HEAD + b"diff --git a/f b/f\n--- a/f\n+++ b/f\n" + hunks
    parsed = patch.parse(text, "evil.patch")
    with pytest.raises(Malformed, match=r"repeat too much|does not apply"):
        apply.content_after(parsed.changes[0], b"a\n" * 100_000)
