"""What the formats read is what git reads: git's own tools are the judges."""

from __future__ import annotations

import difflib
import os
import subprocess
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.formats import (
    apply,
    diff_parse,
    message,
    patch,
    people,
    trailers,
)
from tensorflow_macos_build.patchqueue.formats.people import Moment
from tensorflow_macos_build.patchqueue.formats.refused import Malformed
from tests import chains

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOON = Moment(1_600_000_000, "+0000")
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(*args: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> tuple[int, bytes]:
    done = subprocess.run(
        ["git", *args], input=stdin, capture_output=True, check=False, env=ENVIRONMENT, cwd=cwd
    )
    return done.returncode, done.stdout


MESSAGE_LINES = [
    *chains.BODY, "Key : value", " folded", "\tfolded too", "(cherry picked from commit abc)",
    "no colon here", "Two words: no", "Key:", "key-2: x: y", "#c", "http://x", ": x",
    "Reviewed-by:A",
]  # fmt: skip


@settings(max_examples=120)
@given(st.lists(st.sampled_from(MESSAGE_LINES), max_size=9))
def test_trailers_are_those_that_git_finds(lines: list[str]) -> None:
    message = "\n".join(["Subject", "", *lines]) + "\n"
    _, out = git("interpret-trailers", "--parse", "--no-divider", stdin=message.encode())
    read = [f"{trailer.key}: {trailer.value}".rstrip() for trailer in trailers.parse(message)]
    assert read == [line.rstrip() for line in out.decode().splitlines()]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(MESSAGE_LINES), max_size=9), st.sampled_from(["Key", "key-2"]))
def test_a_trailer_is_replaced_where_git_replaces_it(lines: list[str], key: str) -> None:
    # Of comments git takes the last ones for no part of a message, which a patch's are.
    message = "\n".join(["Subject", "", *(line for line in lines if line[:1] != "#")]) + "\n"
    flags = ("--no-divider", "--where", "after", "--if-exists", "replace", "--trailer", f"{key}: v")
    _, out = git("interpret-trailers", *flags, stdin=message.encode())
    made = trailers.replaced(message, [trailers.Trailer(key, "v")])
    assert trailers.parse(made) == trailers.parse(out.decode())


FROM = [
    "A U Thor <a@b.c>", '"Q, R" <q@r>', "=?UTF-8?q?Fr=C3=A9d?= <f@x>", "a@b.c (A Thor)",
    "=?ISO-8859-1?B?SvxyZ2Vu?= <j@x>", "Zo\u00eb <z@x>", '"a \\"b\\" c" <d@e>',
    "<a@b> (A U Thor)", 'A (zzz) "U" Thor <a@b> (Comment)', "a@b", "A <a>", "A\n\tU Thor <a@b>",
    "=?UTF-8?q?Fr=C3?= =?UTF-8?q?=A9d?= <f@x>", "A <a@b>\nnot a field",
]  # fmt: skip
SUBJECT = [
    "[PATCH] fix", "[PATCH v3 1/2] [XLA] fix", "Re: [PATCH] x", "plain",
    "=?UTF-8?q?=C3=A9t=C3=A9?=", "a [PATCH] b",
    "[list] [PATCH] x", "[tag] x", "RE: re: [PATCH] [a] [b] x", "=?utf-8?b?w6nD?= =?utf-8?b?qQ==?=",
    "=?UTF-8?q?=0A=5Btag=5D?= x", "=?iso-8859-1?q?na=EFve one?= two", "one\nSubject: two",
    "folded\n over\n lines", "=?UTF-8?q?one?=\n =?UTF-8?q?_two?=", "  blanks   within ",
]  # fmt: skip
TEXT = [
    "First.", "", "---", "--- x", "diff -ru a/f b/f", "Index: f", "From: In Body <i@b>", "  x ",
    "Subject: in body", "Date: Thu, 1 Jan 2015 10:00:00 +0100", "caf\u00e9 = \u65e5", "x=3Dy", "",
    f">From {'0' * 40} Mon Sep 17 00:00:00 2001", ">From me", "[PATCH] in body", "From:x@y",
    "ends ", " begins", "-- ", "--", "[PATCH]", "subject: lower", "  twice  ",
    "From: <i@b> (In Body)",
]  # fmt: skip


@settings(max_examples=120)
@given(
    st.sampled_from(FROM),
    st.sampled_from(SUBJECT),
    st.lists(st.sampled_from(TEXT), max_size=6),
    # git takes the blank that flowed text begins with off twice where the lines are encoded, too
    st.sampled_from(
        [("8bit", ""), ("quoted-printable", ""), ("base64", ""), ("8bit", "; format=flowed"),
         ("8bit", "; format=Flowed; delsp=yes")]
    ),
)  # fmt: skip
def test_mails_are_read_as_git_mailinfo_reads_them(
    tmp_path_factory: pytest.TempPathFactory,
    author: str,
    subject: str,
    lines: list[str],
    sent: tuple[str, str],
) -> None:
    encoding, flow = sent
    folder = tmp_path_factory.mktemp("mail")
    body = "\n".join([*lines, "---", ""]).encode()
    mail = (
        f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: {author}\nSubject: {subject}\n"
        "Date: Fri, 20 Nov 2020 10:11:12 -0330\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset=UTF-8{flow}\n"
        f"Content-Transfer-Encoding: {encoding}\n\n"
    ).encode() + _encoded(body, encoding)
    answers = [_mailinfo(mail, folder, *flags) for flags in ((), ("-b",))]
    assume(all(answers))
    header = patch.parse(mail, "m", keep_subject=False, date=NOON).header
    read = (header.author.name, header.author.email, header.date, header.subject, header.body)
    # tags before `[PATCH]` go, as without -b, and those behind it stay, as with it
    assert read in answers


def _mailinfo(mail: bytes, folder: Path, *flags: str) -> tuple[str, str, Moment, str, str] | None:
    status, out = git("mailinfo", *flags, folder / "message", folder / "patch", stdin=mail)
    if status != 0:
        return None
    lines = [line for line in out.decode().splitlines() if ": " in line]
    fields = dict(line.split(": ", 1) for line in lines)
    date = people.parse_date(fields["Date"]) if fields.get("Date") else NOON
    text = (folder / "message").read_text(encoding="utf-8")
    subject, body = message.clean_message(f"{fields.get('Subject', '')}\n\n{text}")
    return fields.get("Author", ""), fields.get("Email", ""), date, subject, body


def _encoded(body: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        body = body.replace(b"=", b"=3D").replace(b"caf", b"ca=\nf")
        return b"".join(b"=%02X" % byte if byte > 126 else bytes([byte]) for byte in body)
    if encoding == "base64":
        done = subprocess.run(["base64"], input=body, capture_output=True, check=True)
        return done.stdout
    return body


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "}\n", "\n", "x\n"]), max_size=14)


@settings(max_examples=150)
@given(old=LINES, edits=st.data(), context=st.integers(0, 3), bare=st.booleans())
def test_hunks_go_where_git_apply_puts_them(
    tmp_path_factory: pytest.TempPathFactory,
    old: list[str],
    edits: st.DataObject,
    context: int,
    bare: bool,
) -> None:
    new = _edited(edits, old)
    if bare and new:
        new[-1] = new[-1].removesuffix("\n")
    text = _unified(old, new, context)
    assume(text)
    moved = _edited(edits, edits.draw(LINES)[:4] + old)
    folder = tmp_path_factory.mktemp("apply")
    (folder / "f").write_text("".join(moved))
    change = diff_parse.parse(text).changes[0]
    bare_hunks = [hunk for hunk in change.hunks if hunk.context() == (0, 0)]
    # at a file's first line, what has no context may be the whole file: git is told, we are not
    assume(not any(hunk.old_start <= 1 for hunk in bare_hunks))
    flags = ("--unidiff-zero",) if bare_hunks else ()
    status, _ = git("apply", "--whitespace=nowarn", *flags, "-", stdin=text, cwd=folder)
    try:
        result = apply.content_after(change, "".join(moved).encode())
    except Malformed:
        assert status != 0
        return
    assert status == 0
    assert (folder / "f").read_bytes() == result


def _edited(edits: st.DataObject, lines: list[str]) -> list[str]:
    lines = list(lines)
    for _ in range(edits.draw(st.integers(0, 2))):
        position = edits.draw(st.integers(0, len(lines)))
        lines[position : position + edits.draw(st.integers(0, 2))] = edits.draw(LINES)[:2]
    return lines


def _unified(old: list[str], new: list[str], context: int) -> bytes:
    lines = []
    for line in difflib.unified_diff(old, new, "a/f", "b/f", n=context):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines).encode()
