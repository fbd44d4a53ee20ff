"""git's own test material, read by this package and by git, side by side.

    python -m benchmarks.git_samples GIT [--quiet]

GIT is a checkout of github.com/git/git, or its git directory. Every mail of t/t5100's mailboxes is
read as `patches.import` reads it and by `git mailinfo`: author, address, date, subject, message and
the diff's bytes.
Every diff of t4013, t4100, t4101, t4109, t4110, t4135 and t4256 is read here and by `git apply
--numstat`: its paths and its counts of lines. Prints each difference with what both say, and the
numbers. A difference that is meant is one of `STATED`; ends with 1 when there is another.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import dep3, mail_body, mailbox, patch
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.people import Moment, parse_date
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.formats.diff import Diff

MAILBOXES = ("sample.mbox", "rfc2047-samples.mbox")
DIFFS = ("t4013", "t4100", "t4101", "t4109", "t4110", "t4135", "t4256")

STATED = {
    "no author": "the mail names no author: `git am` refuses it, too",
    "combined": "a merge's combined diff is among them: git leaves it out, and says nothing",
    "binary": "the binary change has no content: `git apply` refuses to apply it, too",
    "in-body": "a `From` without an address and a `Date` that is none are text, as `git mailinfo"
    " --no-inbody-headers` has it; read as fields they make `git am` fail",
    "nothing": "git reads no change there, either",
}
_DEFAULT = Moment(0, "+0000")


@dataclass(frozen=True)
class Sample:
    """One sample as both read it, and the reason of a difference that is meant."""

    name: str
    ours: str
    git: str
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.ours == self.git


def mails(tests: Path) -> Iterator[Sample]:
    """Read every mail of the sample mailboxes."""
    for name in MAILBOXES:
        with tempfile.TemporaryDirectory() as out:
            _git("mailsplit", f"-o{out}", str(tests / "t5100" / name))
            for path in sorted(Path(out).iterdir()):
                yield _both(f"{name}/{path.name}", path.read_bytes())
    flowed = tests / "t4256" / "1" / "patch"
    yield _both("t4256/1/patch", flowed.read_bytes())


def _both(name: str, content: bytes) -> Sample:
    ours, theirs, reason = _mail(content), _mailinfo(content), ""
    if ours == "the patch names no author: it needs a `From:` field":
        reason = "no author"
    elif ours == _mailinfo(content, "--no-inbody-headers"):
        reason = "in-body"
    return Sample(name, ours, theirs, reason)


def diffs(tests: Path) -> Iterator[Sample]:
    """Read every diff of the sample folders."""
    for folder in DIFFS:
        for path in sorted((tests / folder).rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            theirs = _numstat(content)
            if path.suffix not in {".diff", ".patch"} and theirs == NOTHING:
                continue
            ours = _counted(content)
            reason = "combined" if "combined diff" in ours else ""
            reason = reason or ("binary" if "--binary" in ours else "")
            reason = reason or ("nothing" if theirs == NOTHING else "")
            yield Sample(str(path.relative_to(tests)), ours, theirs, reason)


NOTHING = "no change"


def _mail(content: bytes) -> str:
    try:
        header = patch.parse(content, "mail", keep_subject=False, date=_DEFAULT).header
    except Refused as error:
        return error.what
    person, date = header.author, header.date
    text = mailbox.parse(content).text
    diff = text[mail_body.split_text(text) :].decode("utf-8", "backslashreplace")
    lines = (person.name, person.email, f"{date.seconds} {date.zone}", header.subject, header.body)
    return "\n".join((*lines, diff.rstrip()))


def _mailinfo(content: bytes, *flags: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        out = _git("mailinfo", *flags, "message", "patch", stdin=content, cwd=folder)
        message = (Path(folder) / "message").read_text(encoding="utf-8", errors="replace")
        diff = (
            (Path(folder) / "patch").read_text(encoding="utf-8", errors="backslashreplace").rstrip()
        )
    fields = dict(line.partition(": ")[::2] for line in out.decode().splitlines())
    date = _DEFAULT
    if fields.get("Date"):
        try:
            date = parse_date(fields["Date"])
        except Malformed:
            return f"the date is {fields['Date']}"
    subject, body = clean_message(f"{fields.get('Subject', '')}\n\n{message}")
    lines = (fields.get("Author", ""), fields.get("Email", ""), f"{date.seconds} {date.zone}")
    return "\n".join((*lines, subject, body, diff.rstrip()))


def _counted(content: bytes) -> str:
    try:
        diff = dep3.parse(content, "diff").diff
    except Refused as error:
        return error.what
    return "\n".join(_lines(diff)) or NOTHING


def _lines(diff: Diff) -> Iterator[str]:
    for change in diff.changes:
        if change.binary is not None:
            yield f"-\t-\t{os.fsdecode(change.new_path)}"
            continue
        marks = [mark for hunk in change.hunks for mark, _ in hunk.lines()]
        yield f"{marks.count(0x2B)}\t{marks.count(0x2D)}\t{os.fsdecode(change.new_path)}"


def _numstat(content: bytes) -> str:
    out = _git("apply", "--numstat", "-z", "--allow-empty", "-", stdin=content, cwd="/")
    return os.fsdecode(out).replace("\0", "\n").rstrip("\n") or NOTHING


def _git(*args: str, stdin: bytes = b"", cwd: str | None = None) -> bytes:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "TZ": "UTC"}
    argv = ["git", *args]
    done = subprocess.run(
        argv, input=stdin, cwd=cwd, env=environment, capture_output=True, check=False
    )
    return done.stdout


def _tests(place: Path, scratch: Path) -> Path:
    """Return the folder `t` of a checkout, or of what a git directory has at its HEAD."""
    if (place / "t" / "t5100").is_dir():
        return place / "t"
    wanted = ["t/t5100", *(f"t/{name}" for name in DIFFS)]
    archive = _git("--git-dir", str(place), "archive", "HEAD", *wanted)
    subprocess.run(["tar", "x"], input=archive, cwd=scratch, check=True)
    return scratch / "t"


def _report(what: str, samples: Sequence[Sample], *, quiet: bool) -> int:
    differ = [sample for sample in samples if not sample.agrees]
    faults = [sample for sample in differ if not sample.reason]
    for sample in differ:
        print(f"{sample.name}: {STATED.get(sample.reason, 'NOT MEANT')}")
        if not quiet:
            print(f"  here: {sample.ours!r}\n  git:  {sample.git!r}")
    print(
        f"{what}: {len(samples)} samples, {len(samples) - len(differ)} agree, "
        f"{len(differ) - len(faults)} differ as stated, {len(faults)} otherwise"
    )
    return len(faults)


def main() -> int:
    """Compare all samples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("git", type=Path)
    parser.add_argument("--quiet", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tests = _tests(chosen.git, Path(scratch))
        faults = _report("mails", list(mails(tests)), quiet=chosen.quiet)
        faults += _report("diffs", list(diffs(tests)), quiet=chosen.quiet)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
