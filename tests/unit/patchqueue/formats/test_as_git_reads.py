"""Mails, DEP-3 headers and diffs whose reading git, or GNU patch, settles."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.exchange import sources
from tensorflow_macos_build.patchqueue.formats import apply, dep3, diff_parse, patch, write
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment, parse_date
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree

if TYPE_CHECKING:
    from pathlib import Path

NOON = Moment(1_600_000_000, "+0000")
DIFF = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n"


def git(*args: str, stdin: bytes = b"", cwd: Path) -> tuple[int, bytes]:
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(cwd.parent),
        "GIT_AUTHOR_NAME": "x",
        "GIT_AUTHOR_EMAIL": "x@x",
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x@x",
        "TZ": "UTC",
    }
    done = subprocess.run(
        ["git", *args], input=stdin, cwd=cwd, env=env, capture_output=True, check=False
    )
    return done.returncode, done.stdout


def mailinfo(mail: bytes, folder: Path) -> tuple[str, str, str, str]:
    """Return author, address, subject and message as git reads them."""
    status, out = git("mailinfo", "message", "patch", stdin=mail, cwd=folder)
    assert status == 0
    fields = dict(line.partition(": ")[::2] for line in out.decode().splitlines())
    message = clean_message("s\n\n" + (folder / "message").read_text())[1]
    return fields["Author"], fields["Email"], fields["Subject"], message


def ours(mail: bytes) -> tuple[str, str, str, str]:
    header = patch.parse(mail, "m", keep_subject=False, date=NOON).header
    return header.author.name, header.author.email, header.subject, header.body


TOP = b"From: A <a@b>\nDate: Fri, 9 Jun 2006 00:44:16 -0700\nSubject: [PATCH] one\n"
MAILS = {
    "a line that is no field ends the header": TOP + b"This is no field\nmore\n\ntext\n",
    "of two fields the last counts": TOP + b"Subject: two\n\ntext\n",
    "a field whose blank was lost": TOP + b"\nFrom:B <b@c>\n\ntext\n",
    "a word cut within a character": b"From: =?UTF-8?q?Ren=C3?= =?UTF-8?q?=A9?= <a@b>\n"
    b"Subject: =?utf-8?b?w6nD?=\n =?utf-8?b?qQ==?= x\n\ntext\n",
    "a word with a blank": TOP + b"Subject: =?iso-8859-1?q?na=EFve one?= two\n\ntext\n",
    "a name behind the address": b"From: <a@b> (A U Thor)\nSubject: x\n\ntext\n",
    "comments in the name": b'From: A (zzz) "U" Thor <a@b> (Comment)\nSubject: x\n\ntext\n',
    "a list's tag": b"From: A <a@b>\nSubject: Re: [some-list] [PATCH 2/3] Fix it\n\ntext\n",
    "a subject in the body": TOP + b"\n[PATCH] another\n\nSubject: is no field here\n",
    "a separator in the body": TOP + b"\n>From " + b"0" * 40 + b" Mon Sep 17 00:00:00 2001\n"
    b"From: B <b@c>\n\ntext\n",
    "a folded field in the body": TOP + b"\nSubject: one\n  two\nFrom: B <b@c>\n\ntext\n",
    "the same field twice in the body": TOP + b"\nSubject: one\nSubject: two\n\ntext\n",
    "flowed": TOP + b"Content-Type: text/plain; format=flowed\n\nsome \nwords\n  more\n-- \nx\n",
    "flowed without blanks": TOP
    + b'Content-Type: text/plain; charset="UTF-8"; format="Flowed"; delsp=Yes\n\nso \nme \nwords\n',
    "flowed and quoted": TOP + b"Content-Type: text/plain; format=flowed\n"
    b"Content-Transfer-Encoding: quoted-printable\n\nsome=20\nwords =\n\nmo=\nre\n",
    "base64 without its padding": TOP + b"Content-Transfer-Encoding: base64\n\ndGV4dAo\n",
    "Latin-1": TOP + b"Content-Type: text/plain; charset=ISO-8859-1\n\nna\xefve\n",
    "signed": TOP + b'Content-Type: multipart/signed; boundary="=-x"; micalg=pgp-sha1\n\nold\n'
    b"--=-x\nContent-Type: text/plain; charset=latin1\n\nna\xefve\n---\n" + DIFF + b"\n--=-x\n"
    b"Content-Type: application/pgp-signature; name=x.asc\n\nxx\n--=-x--\n",
}


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS)
def test_a_mail_is_read_as_git_mailinfo_reads_it(mail: bytes, tmp_path: Path) -> None:
    whole = mail if b"boundary=" in mail or b"base64" in mail else mail + b"---\n" + DIFF
    assert ours(whole) == mailinfo(whole, tmp_path)


def test_a_flowed_mail_brings_the_diff_that_was_sent(tmp_path: Path) -> None:
    """RFC 3676: a line that begins with a blank gets another one, and a long line is cut."""
    sent = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n  x\n-y\n+a long \nline\n"
    head = TOP + b"Content-Type: text/plain; format=flowed\n\ntext\n---\n"
    mailinfo(head + sent, tmp_path)
    (change,) = patch.parse(head + sent, "m").changes
    assert (tmp_path / "patch").read_bytes() == change.emit()
    assert change.hunks[0].sides()[1] == [b"x\n", b"a long line\n"]


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (b"Subject: a =?utf-8?q?b", "does not end"),
        (b"Subject: =?x-none?q?b?=", "`x-none` is not known"),
        (b"Content-Type: text/plain; charset=x-none", "`x-none` is not known"),
        (b"Content-Type: text/plain; charset=us-ascii", "not in its stated character set"),
        (b"Content-Type: text/plain; charset=undefined", "is not known"),
    ],
)
def test_text_that_git_cannot_convert_is_refused(field: bytes, reason: str, tmp_path: Path) -> None:
    mail = TOP + field + b"\n\nna\xefve\n---\n" + DIFF
    assert git("mailinfo", "message", "patch", stdin=mail, cwd=tmp_path)[0] != 0
    with pytest.raises(Refused, match=reason):
        patch.parse(mail, "m")


def test_bytes_that_are_no_utf8_become_what_git_commits(tmp_path: Path) -> None:
    """commit.c (verify_utf8) takes each of them for Latin-1, and leaves the rest as it is."""
    mail = TOP + b"\nna\xefve caf\xc3\xa9\n---\n" + DIFF
    git("init", "-q", cwd=tmp_path)
    (tmp_path / "f").write_text("x\n")
    git("add", "f", cwd=tmp_path)
    git("commit", "-qm", "x", cwd=tmp_path)
    assert git("am", "-q", stdin=mail, cwd=tmp_path)[0] == 0
    message = git("log", "-1", "--format=%b", cwd=tmp_path)[1].decode().strip()
    assert patch.parse(mail, "m").header.body == message == "na\u00efve caf\u00e9"


@pytest.mark.parametrize(
    "date",
    [
        "2005-04-07T22:13:13", "2005-04-07 22:13:13 +0200", "2005-04-07T22:13:13Z",
        "Thu Apr  7 22:13:13 2005 +0200", "7 Apr 2005 22:13:13 CEST", "7 Apr 2005 22:13 +0200",
        "Thu, 7 Apr 2005 22:13:13 +02:00", "1112911993 -0700", "@99999999999999999 +2359",
        "Thu, 7 Apr 2005 22:13:13 -0700 (PDT)", "Thu, 31 Dec 2099 00:00:00 +0000",
    ],
)  # fmt: skip
def test_dates_are_read_as_git_reads_them(date: str, tmp_path: Path) -> None:
    env = {**os.environ, "GIT_AUTHOR_DATE": date, "TZ": "UTC", "GIT_AUTHOR_NAME": "x"}
    env["GIT_AUTHOR_EMAIL"] = "x@x"
    argv = ["git", "var", "GIT_AUTHOR_IDENT"]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    moment = parse_date(date)
    assert f"{moment.seconds} {moment.zone}" == done.stdout.partition("> ")[2].strip()


@pytest.mark.parametrize(
    "date",
    [
        "", "yesterday", "bogus", "2005-04-07", "Fri, 31 Dec 2100 00:00:00 +0000",
        "@9223372036854775808 +0000", "@1 +2400", "Fri, 9 Jun 2006 00:44:16 +9999", "@1 +0199",
        f"@{'9' * 5000} +0000", "Fri, 99 Jun 2006 00:44:16 +0000", "1969-12-31 00:00:00 +0000",
    ],
)  # fmt: skip
def test_a_date_that_no_calendar_has_is_refused(date: str) -> None:
    with pytest.raises(Malformed):
        parse_date(date)


def test_fields_in_a_body_that_say_nothing_are_text(tmp_path: Path) -> None:
    """Read as fields, as by default, they make `git am` fail."""
    for text in ("From: bogosity\n  - a list", "Date: bogus\n\nand more"):
        mail = TOP + f"\n{text}\n---\n".encode() + DIFF
        git("mailinfo", "--no-inbody-headers", "message", "patch", stdin=mail, cwd=tmp_path)
        header = patch.parse(mail, "m").header
        assert header.body == (tmp_path / "message").read_text().strip("\n") == text
        assert header.author == Identity("A", "a@b")


SUBJECTS = ["[PATCH] a tool", "[XLA] Fix", "Re: Fix", "re:Fix", "[a] [b] x", "[a]b c", ": x", "[a",
            "[XLA GPU] na\u00efve", "[\u00e9] x", "[=?] x", "Re", "[PATCH v2 1/3] [x] y",
            "[" + "long " * 30 + "] x", "RE: [x]", "[x]"]  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_survives_git_am_whatever_it_begins_with(subject: str, tmp_path: Path) -> None:
    header = Header(Identity("A", "a@b"), NOON, subject, "Body.")
    mail = write.emit(header, diff_parse.parse(DIFF).changes)
    for keeps in (True, False):
        assert patch.parse(mail, "m", keep_subject=keeps).header == header
    git("init", "-q", cwd=tmp_path)
    (tmp_path / "f").write_text("x\n")
    git("add", "f", cwd=tmp_path)
    git("commit", "-qm", "x", cwd=tmp_path)
    for flags in ([], ["--keep"], ["--keep-non-patch"]):
        assert git("am", "-q", *flags, stdin=mail, cwd=tmp_path)[0] == 0
        assert git("log", "-1", "--format=%s", cwd=tmp_path)[1].decode() == f"{subject}\n"
        git("reset", "-q", "--hard", "HEAD^", cwd=tmp_path)


def test_dep3_by_a_mails_names_is_read(tmp_path: Path) -> None:
    lead = (
        b"From: =?UTF-8?q?Ren=C3=A9?= <r@e>\nSubject: Use Unix\n as the host\n"
        b"Forwarded: not-needed\nBug-Debian: https://bugs.example.org/1\nLast-Update: 2020-05-06\n"
        b"X-Debian-version: 3\nThis line is no field.\n\nMore text.\n"
    )
    (tmp_path / "x.patch").write_bytes(lead + b"\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n")
    (imported,) = sources.read_file(tmp_path / "x.patch", NOON)
    header = imported.patch.header
    assert header.author == Identity("Ren\u00e9", "r@e")
    assert header.subject == "Use Unix as the host"
    assert header.date == parse_date("2020-05-06 12:00:00 +0000")
    assert header.body.startswith("This line is no field.\n\nMore text.")
    assert header.trailer("Forwarded") == "not-needed"
    assert header.trailer("Bug-Debian") == "https://bugs.example.org/1"
    assert header.trailer("X-Debian-Version") == "3"
    assert header.trailer("Last-Update") is None


def test_dep3_text_is_kept_whole() -> None:
    lead = (
        b"Description: short\n long\nAuthor: Only A Name\nAuthor: B <b@c>\nOrigin: upstream, abc\n"
        b"\nThe diff between a and b:\n=====\ndiff of tools\n"
    )
    plain = dep3.parse(lead + b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n", "x")
    header = dep3.as_patch(plain, "x", dep3.NOBODY, NOON).header
    assert header.author == Identity("Only A Name", dep3.NOBODY.email)
    assert header.body == (
        "long\n\nThe diff between a and b:\n=====\ndiff of tools\n\nAuthor: B <b@c>\nUpstream: abc"
    )


@pytest.mark.parametrize(
    ("removed", "there", "shown"),
    [
        (b"10", b"10\r", r"should be `10`, but is `10\r`"),
        (b"10\r", b"10", r"should be `10\r`, but is `10`"),
        (b"a b", b"a\tb", r"should be `a b`, but is `a\tb`"),
        (b"a", b"a ", "should be `a`, but is `a `"),
        (b"a", b"\x1b[31ma", r"should be `a`, but is `\x1b[31ma`"),
        (b"a b", b"a\xc2\xa0b", r"should be `a b`, but is `a\xa0b`"),
        (b"a", b"\xe2\x80\x8ba", r"should be `a`, but is `\u200ba`"),
        (b"x" * 200 + b"a", b"x" * 200 + b"b", f"is `…{'x' * 40}b`"),
    ],
)  # fmt: skip
def test_a_line_that_only_seems_right_is_shown_as_it_is(
    removed: bytes, there: bytes, shown: str
) -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-%s\n+y\n" % removed
    (change,) = diff_parse.parse(text).changes
    with pytest.raises(Malformed) as refused:
        apply.content_after(change, there + b"\n")
    assert shown in refused.value.what


@pytest.mark.parametrize("blanks", [1, 2, 3])
@pytest.mark.parametrize("context", [b"", b"\n", b" \n"])
def test_blank_lines_between_files_are_no_context(
    blanks: int, context: bytes, tmp_path: Path
) -> None:
    """A hunk ends by its counts; an editor may have taken the blank off a context line."""
    lines = 1 + bool(context)
    hunk = b"--- a/%s\n+++ b/%s\n@@ -1,%d +1,%d @@\n-x\n+y\n" + context
    files = [hunk % (name, name, lines, lines) for name in (b"f", b"g")]
    for name in ("f", "g"):
        (tmp_path / name).write_bytes(b"x\n" + (b"\n" if context else b""))
    text = (b"\n" * blanks).join(files) + b"\n" * blanks
    assert git("apply", "-", stdin=text, cwd=tmp_path)[0] == 0
    for change in diff_parse.parse(text).changes:
        before = b"x\n" + (b"\n" if context else b"")
        after = (tmp_path / change.new_path.decode()).read_bytes()
        assert apply.content_after(change, before) == after


NAMES = ["O. (x) \u00e9", 'A "B" \u00e9', "A \\ \u00e9", "=?UTF-8?q?x?=", 'a "b" c', "A, B"]


@pytest.mark.parametrize("name", NAMES)
def test_an_author_survives_git_mailinfo_whatever_the_name_holds(name: str, tmp_path: Path) -> None:
    for email in ("a@b", "=?x@b", "\u00e9@b"):
        header = Header(Identity(name, email), NOON, "x", "")
        mail = write.emit(header, diff_parse.parse(DIFF).changes)
        assert patch.parse(mail, "m").header == header
        assert mailinfo(mail, tmp_path)[:2] == (name, email)


def test_a_header_written_by_hand_is_taken_where_patches_come_in(tmp_path: Path) -> None:
    """Debian's patches for unzip are such; a queue's own files must be as `git am` takes them."""
    (tmp_path / "x.patch").write_bytes(
        b"From: sms\nDate: Wed, 11 Feb 2015\nSubject: [PATCH] x\nBug: 12\n\ntext\n\n" + DIFF
    )
    (imported,) = sources.read_file(tmp_path / "x.patch", NOON)
    header = imported.patch.header
    assert header.author == Identity("sms", dep3.NOBODY.email)
    assert header.date == parse_date("11 Feb 2015 12:00:00 +0000")
    assert (header.subject, header.body) == ("x", "text\n\nBug: 12")
    for field in (b"From: sms\n", b"Date: Wed, 11 Feb 2015\n"):
        mail = re.sub(rb"(?m)^%s.*\n" % field[:5], field, TOP) + b"\ntext\n---\n" + DIFF
        with pytest.raises(Refused):
            patch.parse(mail, "m")


BINARY = (
    b"diff --git a/f b/f\nnew file mode 100644\nindex %s..%s\nGIT binary patch\nliteral 4\n"
    b"Lcmc~xEoT4#1K9yf\n\nliteral 0\n%s\n\n"
)
FULL = (b"0" * 40, b"c984a0442d5fba744241e9c2dd75d27f612d6cb2", b"HcmV?d00001")


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        (FULL, True),
        ((b"0000000", b"c984a04", FULL[2]), False),
        ((FULL[0], FULL[1], b"HcmV?d00002"), False),
    ],
)
def test_a_binary_change_is_taken_where_git_takes_it(
    values: tuple[bytes, bytes, bytes], taken: bool, tmp_path: Path
) -> None:
    text = BINARY % values
    git("apply", "-", stdin=text, cwd=tmp_path)
    assert (tmp_path / "f").exists() is taken
    (change,) = diff_parse.parse(text).changes
    overlay = PatchedTree({}, lambda _: b"")
    if taken:
        made = overlay.after([change])[b"f"]
        assert made is not None
        assert made.content == (tmp_path / "f").read_bytes()
    else:
        with pytest.raises(Malformed):
            overlay.after([change])


@pytest.mark.parametrize("part", [b"literal 4", b"literal 0"])
def test_a_size_that_no_file_has_is_refused_where_git_dies_of_it(
    part: bytes, tmp_path: Path
) -> None:
    """git asks for that much memory: of the new content, or of the old one, which it need not."""
    text = (BINARY % FULL).replace(part, b"literal " + b"9" * 40)
    answer = subprocess.run(
        ["git", "apply", "--numstat", "-"],
        input=text,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert answer.returncode != 0
    with pytest.raises(Malformed, match="size"):
        diff_parse.parse(text)


BODIES = [
    "[PATCH]",
    "[PATCH] x",
    "From: a",
    ">From me",
    "date: x\n y",
    "Subject: y\n\nz",
    "From:",
]


@pytest.mark.parametrize("text", BODIES)
def test_a_message_survives_git_mailinfo_whatever_it_begins_with(text: str, tmp_path: Path) -> None:
    header = Header(Identity("A", "a@b"), NOON, "x", text)
    mail = write.emit(header, diff_parse.parse(DIFF).changes)
    assert patch.parse(mail, "m").header == header
    assert mailinfo(mail, tmp_path) == ("A", "a@b", "x", text)


@pytest.mark.parametrize("strip", [0, 2])
def test_a_mail_in_a_series_is_a_mail_whatever_is_stripped(strip: int, tmp_path: Path) -> None:
    prefix = {0: "", 2: "x/y/"}[strip].encode()
    plain = b"--- %sd/f\n+++ %sd/f\n@@ -1 +1 @@\n-x\n+y\n" % (prefix, prefix)
    mail = TOP + b"Content-Transfer-Encoding: quoted-printable\n\nna=C3=AFve\n---\n" + plain
    (tmp_path / "series").write_text(f"x.patch -p{strip}\n")
    (tmp_path / "x.patch").write_bytes(mail)
    (imported,) = sources.read_quilt(tmp_path / "series", NOON)
    assert imported.patch.header.body == "na\u00efve"
    assert [change.new_path for change in imported.patch.changes] == [b"d/f"]
