"""git's own test material, read by this package and by git, side by side.

    python -m benchmarks.git_samples GIT [--quiet]

GIT is a checkout of github.com/git/git, or its git directory. Every mail of t/t5100's mailboxes is
read as `patches.import` reads it and by `git mailinfo`: author, address, date, subject, message and
the diff's bytes. Every diff of t4013, t4100, t4101, t4109, t4110, t4135 and t4256 is read here and
by `git apply --numstat`: its paths and its counts of lines. Prints each difference with what both
say, and the numbers. A difference that is meant is one of `STATED`; ends with 1 when there is
another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import as_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAILBOXES = ("sample.mbox", "rfc2047-samples.mbox")
DIFFS = ("t4013", "t4100", "t4101", "t4109", "t4110", "t4135", "t4256")

STATED = {
    "no author": "the mail names no author: `git am` refuses it, too",
    "combined": "a merge's combined diff is among them: git leaves it out, and says nothing",
    "binary": "the binary change has no content: `git apply` refuses to apply it, too",
    "in-body": "a `From` without an address and a `Date` that is none are text, as `git mailinfo"
    " --no-inbody-headers` has it; read as fields they make `git am` fail",
}


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
        refused = all(reading.startswith(as_git.REFUSED) for reading in (self.ours, self.git))
        return refused or self.ours == self.git


def mails(tests: Path) -> Iterator[Sample]:
    """Read every mail of the sample mailboxes."""
    for name in MAILBOXES:
        with tempfile.TemporaryDirectory() as out:
            as_git.git("mailsplit", f"-o{out}", str(tests / "t5100" / name))
            for path in sorted(Path(out).iterdir()):
                yield _mail(f"{name}/{path.name}", path.read_bytes())
    yield _mail("t4256/1/patch", (tests / "t4256" / "1" / "patch").read_bytes())


def diffs(tests: Path) -> Iterator[Sample]:
    """Read every diff of the sample folders."""
    for folder in DIFFS:
        for path in sorted((tests / folder).rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            sample = _diff(str(path.relative_to(tests)), content)
            if path.suffix in {".diff", ".patch"} or not sample.git.startswith(as_git.REFUSED):
                yield sample


def _mail(name: str, content: bytes) -> Sample:
    ours, theirs, reason = as_git.mail(content), as_git.mailinfo(content), ""
    if "names no author" in ours:
        reason = "no author"
    elif ours == as_git.mailinfo(content, "--no-inbody-headers"):
        reason = "in-body"
    return Sample(name, ours, theirs, reason)


def _diff(name: str, content: bytes) -> Sample:
    ours, theirs = as_git.diff(content), as_git.numstat(content)
    reasons = {
        "combined": "combined diff" in ours,
        "binary": "--binary" in ours,
    }
    reason = next((reason for reason, is_so in reasons.items() if is_so), "")
    return Sample(name, ours, theirs, reason)


def _tests(checkout: Path, scratch: Path) -> Path:
    """Return the folder `t` of a checkout, or of what a git directory has at its HEAD."""
    if (checkout / "t" / "t5100").is_dir():
        return checkout / "t"
    paths = ["t/t5100", *(f"t/{name}" for name in DIFFS)]
    archive = as_git.git("--git-dir", str(checkout), "archive", "HEAD", *paths).stdout
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tests = _tests(arguments.git, Path(scratch))
        faults = _report("mails", list(mails(tests)), quiet=arguments.quiet)
        faults += _report("diffs", list(diffs(tests)), quiet=arguments.quiet)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
