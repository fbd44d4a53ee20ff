"""What is read is written back byte for byte (law 1), and says what it should."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.formats import (
    apply,
    dep3,
    diff_parse,
    mailbox,
    message,
    patch,
    paths,
    people,
    series,
    text_encoding,
    trailers,
    write,
)
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment
from tensorflow_macos_build.patchqueue.formats.refused import Malformed
from tensorflow_macos_build.patchqueue.queue import names

SEPARATOR = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
FIELDS = b"From: A <a@b>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: %s\n\n"
DIFF = (
    b"---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@ void f()\n-x\n+y\n"
    b"-- \n2.39.5\n\n"
)


@pytest.mark.parametrize("module", [apply, message, names, paths, people, trailers, text_encoding])
def test_the_examples_in_the_documentation_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]  # a module is an object
    assert result.attempted > 0
    assert result.failed == 0


def test_a_mailbox_is_split_at_separators_and_not_at_lines_that_look_like_one() -> None:
    body = b"From deadbeef is where it broke.\nFrom x Mon Sep 17 00:00:00 2001\nFrom here on\n"
    first = SEPARATOR + FIELDS % b"one" + body + DIFF
    second = SEPARATOR + FIELDS % b"two" + DIFF
    assert mailbox.split(first + second) == [first, second]
    parsed = patch.parse(first, "x")
    assert parsed.header.body == body.decode().rstrip("\n")
    assert patch.parse(second, "x").header.subject == "two"


def test_a_body_line_that_is_a_separator_survives_being_stored() -> None:
    body = f"Quoting:\n{SEPARATOR.decode()}From: B <b@c>\nSubject: not me"
    header = Header(Identity("A", "a@b"), Moment(0, "+0000"), "one", body)
    stored = write.emit(header, diff_parse.parse(DIFF).changes)
    assert mailbox.split(stored) == [stored]
    assert patch.parse(stored, "x").header == header


CHANGES = {
    "rename": (b"similarity index 100%\nrename from f\nrename to g\n", ChangeKind.RENAME),
    "copy": (b"similarity index 90%\ncopy from f\ncopy to g\n", ChangeKind.COPY),
    "mode": (b"old mode 100644\nnew mode 100755\n", ChangeKind.MODIFY),
    "empty file": (b"new file mode 100644\nindex 000000000..e69de29bb\n", ChangeKind.ADD),
    "empty file gone": (
        b"deleted file mode 100644\nindex e69de29bb..000000000\n",
        ChangeKind.DELETE,
    ),
}


@pytest.mark.parametrize(("header", "kind"), CHANGES.values(), ids=CHANGES)
def test_headers_without_hunks_are_read(header: bytes, kind: ChangeKind) -> None:
    second = b"g" if kind in (ChangeKind.RENAME, ChangeKind.COPY) else b"f"
    text = b"diff --git a/f b/%s\n" % second + header
    diff = diff_parse.parse(text + text)
    assert [change.kind for change in diff.changes] == [kind, kind]
    assert diff.changes[0].new_path == second
    assert diff.emit() == text + text


@pytest.mark.parametrize("name", [b"a b", b"b/a b/a", b'"q"', b"na\xc3\xafve", b"x\ty", b"a\\b"])
def test_names_of_files_without_hunks_are_told_from_the_first_line(name: bytes) -> None:
    sides = [paths.quote(side + name) for side in (b"a/", b"b/")]
    text = b"diff --git %s %s\nold mode 100644\nnew mode 100755\n" % (sides[0], sides[1])
    assert diff_parse.parse(text).changes[0].new_path == name


@given(st.binary(min_size=1, max_size=30))
def test_quoting_a_path_and_reading_it_gives_the_path(path: bytes) -> None:
    quoted = paths.quote(path)
    assert (paths.unquote(quoted)[0] if quoted.startswith(b'"') else quoted) == path


PIECES = st.sampled_from(
    [b"@@ -1 +1 @@\n", b"-x\n", b"+y\n", b" z\n", b"--- a/f\n", b"+++ b/f\n", b"\\ No\n",
     b"rename from f\n", b"rename to g\n", b"new file mode 100644\n", b"GIT binary patch\n", b"\n",
     b"literal 3\n", b"KcmZQz0{{R30{{R3\n", b"index 1234567..1234568 100644\n", b"noise\n",
     b"diff --git a/f b/f\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map(b"".join))
def test_any_text_that_is_taken_comes_back_byte_for_byte(text: bytes) -> None:
    try:
        diff = diff_parse.parse(text)
    except Malformed:
        return
    assert diff.emit() == text
    assert dep3.parse(b"Subject: x\n" + text, "x").emit() == b"Subject: x\n" + text


SERIES = st.sampled_from(
    [b"# all\n", b"\n", b"one.patch\n", b"two.patch -p0 # x\n", b"d/3.diff\t-p2"]
)


@given(st.lists(SERIES, unique=True, max_size=5).map(b"".join))
def test_a_series_comes_back_byte_for_byte(content: bytes) -> None:
    try:
        assert series.parse(content).emit() == content
    except Malformed:
        assert b"d/3.diff\t-p2" in content


@pytest.mark.parametrize("line", [b"../x\n", b"/x\n", b"x -R\n", b"x\nx\n", b"x y\n", b"\xff\n"])
def test_a_series_that_leaves_its_folder_or_reverses_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        series.parse(line)


def test_times_of_1970_tell_new_and_deleted_files_of_plain_diffs() -> None:
    epoch, later = b"1970-01-01 01:00:00.000000000 +0100", b"2020-01-01 00:00:00.0 +0000"
    text = b"diff -ruN a/f b/f\n--- a/f\t%s\n+++ b/f\t%s\n@@ -%s +%s @@\n%sx\n"
    made = diff_parse.parse(text % (epoch, later, b"0,0", b"1", b"+")).changes[0]
    deleted = diff_parse.parse(text % (later, epoch, b"1", b"0,0", b"-")).changes[0]
    assert (made.kind, deleted.kind) == (ChangeKind.ADD, ChangeKind.DELETE)
    assert made.lead == b"diff -ruN a/f b/f\n"


def test_a_patch_attached_to_a_mail_is_read() -> None:
    mail = (
        SEPARATOR
        + FIELDS[:-1] % b"x"
        + b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="-b"\n'
        b"\nfor old readers\n---b\nContent-Type: text/plain; charset=ISO-8859-1\n\nna\xefve\n"
        b"---b\nContent-Type: text/x-patch; name=x\nContent-Transfer-Encoding: base64\n\n"
        b"LS0tCmRpZmYgLS1naXQgYS9mIGIvZgotLS0gYS9mCisrKyBiL2YKQEAgLTEgKzEgQEAKLXgKK3kK\n---b--\n"
    )
    parsed = patch.parse(mail, "x")
    assert parsed.header.body == "na\u00efve"
    assert parsed.changes[0].new_path == b"f"
