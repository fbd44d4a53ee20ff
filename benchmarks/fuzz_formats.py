"""Feed broken patches to the readers of patch formats for a given time, with git as the judge.

    python -m benchmarks.fuzz_formats --seconds N [--seed S] [--target NAME]… [FILE…]

The targets are mailbox, diff, binary, dep3, series and quilt. FILEs are further seeds beside those
written here: mails, diffs, or folders of them, such as the samples in git's own t/ or a checkout of
a fork's patches. Each case changes, cuts, repeats, swaps or splices lines, bytes and numbers; it is
reproduced by its seed and number, which are printed with what it broke, and kept as
fuzz-TARGET-SEED-NUMBER. A case fails when

- anything but a reader's own error comes out, it takes more than 2 s of processor time, or memory
  grows beyond 512 MB;
- what is read does not come back byte for byte, or a stored patch reads as another one;
- of one case in `--judge` (20), git refuses what is taken here, or reads something else.

What is refused here and taken by git is counted by its reason, for people to look at.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import as_git, fuzzing
from benchmarks.fuzzing import Target
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.exchange import sources
from tensorflow_macos_build.patchqueue.formats import (
    apply,
    dep3,
    diff_parse,
    mailbox,
    patch,
    series,
    write,
)
from tensorflow_macos_build.patchqueue.formats.people import NO_ADDRESS, Moment
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_REASONS = 12
_LONGEST_SUBJECT = 10_000
_MAXIMUM_SEED = 64 << 10
_NOW = Moment(1_600_000_000, "+0000")

DIFF = b"""diff --git a/d/f b/d/f
index 1234567..89abcde 100644
--- a/d/f
+++ b/d/f
@@ -1,3 +1,4 @@ int main()
 one
-two
+zwei
+drei
 three
@@ -10 +11 @@
-ten
\\ No newline at end of file
+ten
diff --git a/old b/new
similarity index 90%
rename from old
rename to new
diff --git a/x b/x
old mode 100644
new mode 100755
diff --git "a/na\\303\\257ve" "b/na\\303\\257ve"
new file mode 100644
--- /dev/null
+++ "b/na\\303\\257ve"
@@ -0,0 +1 @@
+x
"""
PLAIN = b"""Index: x.c
===================================================================
diff -ruN old/x.c new/x.c
--- old/x.c\t2020-01-02 03:04:05.678 +0100
+++ new/x.c\t1970-01-01 00:00:00.000000000 +0000
@@ -1 +0,0 @@
-x
--- x.orig.c
+++ x.c
@@ -1 +1 @@
-x
+y
"""
MAIL = (
    b"""From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?Ren=C3=A9?= "R." (x) <r@e>
Date: Fri, 9 Jun 2006 00:44:16 -0700
Subject: Re: [list] [PATCH 1/2] =?iso-8859-1?q?na=EFve?=
\t=?utf-8?b?w6nDqQ==?=
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8; format=flowed; delsp=yes
Content-Transfer-Encoding: 8bit

From: Other One <o@o>
Date: 2005-04-07T22:13:13 +0200

Text that \nflows.

Signed-off-by: A <a@b>
---
 d/f | 3 ++-

"""
    + DIFF
)
PARTS = b"""From: A <a@b>
Date: @1600000000 +0000
Subject: parts
Content-Type: multipart/mixed; boundary="=-x"

old readers
--=-x
Content-Type: text/plain; charset=ISO-8859-1
Content-Transfer-Encoding: quoted-printable

na=EFve =
text
--=-x
Content-Type: text/x-patch
Content-Transfer-Encoding: base64

ZGlmZiAtLWdpdCBhL2YgYi9mCi0tLSBhL2YKKysrIGIvZgpAQCAtMSArMSBAQAoteAoreQo=
--=-x--
"""
BINARY = b"""diff --git a/f b/f
new file mode 100644
index 0000000000000000000000000000000000000000..c984a0442d5fba744241e9c2dd75d27f612d6cb2
GIT binary patch
literal 4
Lcmc~xEoT4#1K9yf

literal 0
HcmV?d00001

diff --git a/g b/g
index 1a23e4be731d2f539deeea324686d000ccdfbfcd..659b72404b70ab54da8f878f31930baac622ca49 100644
GIT binary patch
literal 4
LcmYdfNag|n0$2dg

literal 4
LcmYdfNa6wj0#*Rd

diff --git a/h b/h
index e8a0a1ef302d0dc6da4157ebb2c59fb6c100d931..fb037c3d7a8686aba722d57c2e1d1a4f6058ab18 100644
GIT binary patch
delta 9
QcmdlfzDs<=PHx6Z029&!kN^Mx

delta 7
OcmdlbzEga|PHq4VEdv$+

"""
DEP3 = (
    b"""Description: short
 long
 .
 more
From: =?UTF-8?q?Ren=C3=A9?= <r@e>
Origin: upstream, https://example.org/commit/abc
Bug-Debian: https://bugs.example.org/1
Last-Update: 2020-05-06

Free text.
---
"""
    + PLAIN
)
SERIES = b"""# all of them
one.patch
two.diff -p0 # a comment

d/three.patch\t-p2
"""
TOKENS = (
    b"diff --git ", b"--- ", b"+++ ", b"@@ -1 +1 @@", b"/dev/null", b"\\ No newline at end of file",
    b"=?", b"?=", b"=?utf-8?q?", b"From ", b"From: ", b"Subject: ", b"Date: ", b"---\n", b"\0",
    b"\r\n", b"\n", b" ", b"\t", b'"', b"\\", b"..", b".git/", b"a/", b"GIT binary patch\n",
    b"literal 1\n", b"delta 1\n", b"rename from ", b"new file mode 100644\n", b"120000", b"160000",
    b"Content-Transfer-Encoding: base64\n", b"charset=", b"boundary=", b"[PATCH]", b"\xff",
    b"\xe2\x80\x8b", b"99999999999999999999", b"-1", b"0", b"2147483648", b"@@@ -1 -1 +1 @@@\n",
)  # fmt: skip
SEEDS = {
    "mailbox": [MAIL, PARTS],
    "diff": [DIFF, PLAIN],
    "binary": [BINARY],
    "dep3": [DEP3, PLAIN],
    "series": [SERIES],
    "quilt": [SERIES, DEP3, MAIL, DIFF],
}


_BOGUS_FIELD = re.compile(r"^(?:from|date):", re.IGNORECASE | re.MULTILINE)


class Wrong(Exception):
    """A case was read otherwise than it must be."""


def mutate(chosen: random.Random, seeds: list[bytes]) -> bytes:
    """Make a broken text of the seeds."""
    lines = chosen.choice(seeds).splitlines(keepends=True)
    for _ in range(chosen.choice((1, 1, 2, 3, 5, 8))):
        if lines:
            chosen.choice(_MUTATIONS)(chosen, lines, seeds)
    return b"".join(lines)


def _at(chosen: random.Random, lines: list[bytes]) -> int:
    return chosen.randrange(len(lines))


def _remove(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at = _at(chosen, lines)
    del lines[at : at + chosen.choice((1, 1, 1, 4))]


def _repeat(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at, size = _at(chosen, lines), chosen.choice((1, 1, 4, 16))
    lines[at:at] = lines[at : at + size] * chosen.choice((1, 1, 2, 200))


def _swap(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    first, second = _at(chosen, lines), _at(chosen, lines)
    lines[first], lines[second] = lines[second], lines[first]


def _splice(chosen: random.Random, lines: list[bytes], seeds: list[bytes]) -> None:
    other = chosen.choice(seeds).splitlines(keepends=True)
    start = chosen.randrange(max(len(other), 1))
    at = _at(chosen, lines)
    lines[at:at] = other[start : start + chosen.randint(1, 12)]


def _token(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at = _at(chosen, lines)
    column = chosen.choice((0, 0, chosen.randrange(len(lines[at]) + 1)))
    cut = chosen.choice((0, 0, 1, 8))
    lines[at] = lines[at][:column] + chosen.choice(TOKENS) + lines[at][column + cut :]


def _flip(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at = _at(chosen, lines)
    content = bytearray(lines[at])
    if content:
        content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    lines[at] = bytes(content)


def _number(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at = _at(chosen, lines)
    values = (b"0", b"1", b"2", b"7", b"65536", b"4294967296", b"9" * 5000, b"-3")
    lines[at] = re.sub(rb"[0-9]+", lambda _: chosen.choice(values), lines[at], count=1)


def _cut(chosen: random.Random, lines: list[bytes], _: list[bytes]) -> None:
    at = _at(chosen, lines)
    lines[at:] = [lines[at][: chosen.randrange(len(lines[at]) + 1)]]


_MUTATIONS = (_remove, _repeat, _swap, _splice, _token, _token, _token, _flip, _number, _cut)


@dataclass
class Judge:
    """Holds cases to git's answers.

    Attributes:
        case: the number of the case that is judged.
        judged: how many were.
        stricter: why cases were refused here that git takes, with their numbers.
    """

    case: int = 0
    judged: int = 0
    stricter: dict[str, list[int]] = field(default_factory=dict)

    def compare(self, ours: str, theirs: str) -> None:
        """Hold a reading, or a refusal, to git's answer.

        Raises:
            Wrong: git refuses, or reads something else.
        """
        self.judged += 1
        if ours.startswith(as_git.REFUSED):
            if not theirs.startswith(as_git.REFUSED):
                reason = re.sub(r"`[^`]*`|[0-9]+|\S+/\S*", "…", ours)[:90]
                self.stricter.setdefault(reason, []).append(self.case)
        elif ours != theirs:
            raise Wrong(f"here: {ours[:600]!r}\n  git: {theirs[:600]!r}")

    def report(self) -> str:
        """Return how often git was asked, and why cases that it takes were refused here."""
        reasons = sorted(self.stricter.items(), key=lambda item: -len(item[1]))[:_REASONS]
        lines = (
            f"\n  only here {len(cases)} times, first in case {cases[0]}: {reason}"
            for reason, cases in reasons
        )
        return f"; git asked {self.judged} times{''.join(lines)}"


def read_mailbox(content: bytes, judge: Judge | None) -> None:
    """Read every mail, store it, and read it again."""
    mails = mailbox.split(content)
    if b"".join(mails) != content:
        raise Wrong("the mails are not the mailbox")
    for mail in mails:
        with contextlib.suppress(Refused):
            _store(patch.parse(mail, "mail", keep_subject=False, date=_NOW))
    # git's parts end where a line only begins like their boundary, and a header cut at the file's
    # end becomes the body
    if judge is not None and b"boundary" not in mails[0] and b"\n\n" in mails[0]:
        _judge_mail(mails[0], judge)


def _store(read: patch.Patch) -> None:
    """Write a patch as a queue has it, and read that."""
    header = read.header
    if not 0 < len(header.subject) < _LONGEST_SUBJECT or write.shielded(header.body) != header.body:
        return
    again = patch.parse(write.emit(header, read.changes), "stored", keep_subject=False)
    if again.header != header or len(again.changes) != len(read.changes):
        raise Wrong(f"stored as another patch:\n  {header}\n  {again.header}")


def _judge_mail(mail: bytes, judge: Judge) -> None:
    """Hold a mail to `git mailinfo`, but for the differences that docs/patches.md states."""
    ours = as_git.mail(mail)
    if _BOGUS_FIELD.search(ours):
        return  # the field is text here; to git it is a field that says nothing
    flags = ((), ("-b",), ("--no-inbody-headers",))
    answers = [as_git.mailinfo(mail, *extra) for extra in flags]
    by_hand = NO_ADDRESS in ours or answers[0].startswith(f"{as_git.REFUSED}the date is")
    judge.compare(ours, ours if ours in answers or by_hand else answers[0])


def read_diff(content: bytes, judge: Judge | None) -> None:
    """Read a diff, put it together again, and apply it to something."""
    try:
        diff = diff_parse.parse(content)
    except Malformed:
        pass
    else:
        if diff.emit() != content:
            raise Wrong("the diff does not come back byte for byte")
        for change in diff.changes:
            with contextlib.suppress(Malformed):
                apply.content_after(change, b"one\ntwo\nthree\n")
    if judge is not None and b"\0" not in content:  # to git a name ends there
        judge.compare(as_git.diff(content), as_git.numstat(content))


def read_dep3(content: bytes, _: Judge | None) -> None:
    """Read a patch with DEP-3 fields, store it, and read it again."""
    try:
        plain = dep3.parse(content, "x")
    except Refused:
        return
    if plain.emit() != content:
        raise Wrong("the patch does not come back byte for byte")
    _store(dep3.as_patch(plain, "x", dep3.NOBODY, _NOW))


def read_series(content: bytes, _: Judge | None) -> None:
    """Read a series and put it together again."""
    try:
        entries = series.parse(content)
    except Malformed:
        return
    if entries.emit() != content:
        raise Wrong("the series does not come back byte for byte")


def read_quilt(content: bytes, _: Judge | None) -> None:
    """Read a folder whose series and patches are all the case."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "d").mkdir()
        for file in ("series", "one.patch", "two.diff", "d/three.patch"):
            (folder / file).write_bytes(SERIES if file == "series" else content)
        with contextlib.suppress(Refused, UsageError):
            sources.read_quilt(folder / "series", _NOW)
        (folder / "series").write_bytes(content)
        with contextlib.suppress(Refused, UsageError):
            sources.read_folder(folder, _NOW)


TARGETS: dict[str, Callable[[bytes, Judge | None], None]] = {
    "mailbox": read_mailbox,
    "diff": read_diff,
    "binary": read_diff,
    "dep3": read_dep3,
    "series": read_series,
    "quilt": read_quilt,
}


def seeds_of(named: list[Path]) -> list[bytes]:
    """Return the files, and those in folders, that are not too large."""
    seeds = []
    for top in named:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and 0 < path.stat().st_size <= _MAXIMUM_SEED:
                seeds.append(path.read_bytes())
    return seeds


def target(name: str, seeds: list[bytes], every: int) -> Target:
    """Return a reader that asks git about one case in `every`."""
    judge = Judge()

    def read(case: bytes, number: int) -> None:
        judge.case = number
        TARGETS[name](case, judge if number % every == 0 else None)

    return Target(name, seeds, mutate, read, judge.report)


def main() -> int:
    """Run the chosen targets, sharing the time."""
    flags = fuzzing.parser(__doc__, TARGETS)
    flags.add_argument("--judge", type=int, default=20)
    chosen = flags.parse_args()
    os.environ["GIT_CEILING_DIRECTORIES"] = os.sep
    more = seeds_of(chosen.files)
    return fuzzing.run(chosen, TARGETS, lambda name: target(name, SEEDS[name] + more, chosen.judge))


if __name__ == "__main__":
    raise SystemExit(main())
