"""A mail or a diff as this package reads it, and as git does, in one form to compare."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import binary, diff_parse, mail_body, mailbox, patch
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.people import Moment, parse_date
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused
from tensorflow_macos_build.patchqueue.formats.text_encoding import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.patchqueue.formats.diff import Diff

REFUSED = "refused: "
"""How a reading begins that is a refusal, on either side."""

NOTHING = f"{REFUSED}there is no change in it"
"""What a text without any change is read as: git refuses it."""

_DEFAULT = Moment(0, "+0000")


def mail(content: bytes) -> str:
    """Read a mail as `patches.import` does: author, date, subject, message and the diff's text."""
    try:
        header = patch.parse(content, "mail", keep_subject=False, date=_DEFAULT).header
    except Refused as error:
        return REFUSED + error.what
    text = mailbox.parse(content).text
    diff = to_text(text[mail_body.split_text(text) :])
    return _reading(header.author.name, header.author.email, header.date, header.message, diff)


def mailinfo(content: bytes, *flags: str) -> str:
    """Read a mail as `git mailinfo` does."""
    with tempfile.TemporaryDirectory() as folder:
        completed = git("mailinfo", *flags, "message", "patch", stdin=content, cwd=folder)
        if completed.returncode != 0:
            return REFUSED + to_text(completed.stderr)
        message, diff = (
            to_text((Path(folder) / name).read_bytes()) for name in ("message", "patch")
        )
    lines = to_text(completed.stdout).split("\n")
    fields = dict(line.partition(": ")[::2] for line in lines)
    try:
        date = parse_date(fields["Date"]) if fields.get("Date") else _DEFAULT
    except Malformed:
        return f"{REFUSED}the date is {fields['Date']}"
    whole = f"{fields.get('Subject', '')}\n\n{message}"
    return _reading(fields.get("Author", ""), fields.get("Email", ""), date, whole, diff)


def diff(content: bytes) -> str:
    """Read a diff: a line for each file, as `git apply --numstat` has them."""
    try:
        return "\n".join(_counts(diff_parse.parse(content))) or NOTHING
    except Malformed as error:
        return REFUSED + error.what


def numstat(content: bytes) -> str:
    """Read a diff as `git apply --numstat` does."""
    completed = git("apply", "--numstat", "-z", "-", stdin=content, cwd="/")
    # at binary data that are damaged it stops reading, says so, and ends with 0
    if completed.returncode != 0 or (completed.stderr and b"GIT binary patch" in content):
        return REFUSED + to_text(completed.stderr)
    return os.fsdecode(completed.stdout).replace("\0", "\n").rstrip("\n")


def git(
    *args: str, stdin: bytes = b"", cwd: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git without anybody's settings."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "TZ": "UTC"}
    argv = ["git", *args]
    return subprocess.run(
        argv, input=stdin, cwd=cwd, env=environment, capture_output=True, check=False
    )


def _reading(name: str, email: str, date: Moment, message: str, diff: str) -> str:
    lines = (name, email, f"{date.seconds} {date.zone}", *clean_message(message), diff.rstrip())
    return "\n".join(lines)


def _counts(diff: Diff) -> Iterator[str]:
    for change in diff.changes:
        path = os.fsdecode(change.new_path)
        if change.binary is not None:
            for hunk in filter(None, (change.binary.forward, change.binary.reverse)):
                binary.check(hunk)
            yield f"-\t-\t{path}"
            continue
        marks = [mark for hunk in change.hunks for mark, _ in hunk.lines()]
        yield f"{marks.count(0x2B)}\t{marks.count(0x2D)}\t{path}"
