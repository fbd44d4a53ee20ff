"""Parse and re-emit every patch file below a folder, or in a git repository's newest commit.

    python -m benchmarks.roundtrip FOLDER_OR_REPOSITORY [SUBFOLDER]

Prints how many files came back byte for byte, those that were refused with the reason, and how fast
it went. Exits with 1 when a file came back changed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import dep3, diff_parse, mail_body, mailbox
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.formats.refused import Malformed, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(source: Path, below: str) -> int:
    changed, refused, count, size = [], [], 0, 0
    mails = 0
    files = list(_files(source, below))
    begun = time.perf_counter()
    for name, content in files:
        count, size = count + 1, size + len(content)
        mails += mailbox.is_mail(content)
        try:
            if _again(name, content) != content:
                changed.append(name)
        except (Malformed, Refused) as error:
            refused.append(f"{name}: {error}")
    seconds = time.perf_counter() - begun
    print(f"{count} files ({mails} mails), {size / 1e6:.2f} MB, {size / 1e6 / seconds:.0f} MB/s")
    print(f"{count - len(changed) - len(refused)} byte for byte, {len(refused)} refused")
    for line in (*changed, *refused):
        print(f"  {line}")
    return 1 if changed or not count else 0


def _again(name: str, content: bytes) -> bytes:
    """Read a patch file of any form, and put it together again from its parts."""
    if not mailbox.is_mail(content):
        return dep3.parse(content, name).emit()
    pieces = []
    for raw in mailbox.split(content):
        patch_format.parse(raw, name)
        mail = mailbox.parse(raw)
        cut = mail_body.split_text(mail.text)
        text = mail.text[:cut] + diff_parse.parse(mail.text[cut:]).emit()
        body = raw[len(raw) - len(mail.text) :]
        pieces.append(raw if mail.decoded and text == mail.text else raw[: -len(body)] + text)
    return b"".join(pieces)


def _files(source: Path, below: str) -> Iterator[tuple[str, bytes]]:
    endings = (".patch", ".diff")
    if not (source / "objects").is_dir():
        for path in sorted((source / below).rglob("*")):
            if path.suffix in endings and path.is_file():
                yield path.name, path.read_bytes()
        return
    git = ["git", "--git-dir", str(source)]
    argv = [*git, "ls-tree", "-r", "-z", "--name-only", "HEAD", *([below] if below else [])]
    listed = subprocess.run(argv, check=True, capture_output=True).stdout.decode().split("\0")
    for name in listed:
        if name.endswith(endings):
            shown = [*git, "show", f"HEAD:{name}"]
            yield name, subprocess.run(shown, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
