"""Set what a rebase says of a queue beside what its people made of it, patch by patch.

    python -m benchmarks.human_answer QUEUE GIT_DIR REVISION NEXT_QUEUE

QUEUE is a queue's folder, NEXT_QUEUE that of the queue that its people had on REVISION. A patch
that is the same in both is one that they carried on as it was; one that is not in the second they
dropped, or wrote anew under another subject.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.review import report

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof


def main() -> None:
    """Rebase, compare, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("queue", type=Path)
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("revision")
    parser.add_argument("next_queue", type=Path)
    options = parser.parse_args()
    result = engine.rebase_folder(
        options.queue, Git(options.git_dir), options.revision, propose=True
    )
    compared = report.compare(str(options.queue), str(options.next_queue))
    people = {pair.old.name: pair.fate.value for pair in compared.pairs if pair.old}
    proofs = {proof.patch: _in_words(proof) for proof in result.proofs}
    table = Table("patch", "we say", "proven", "people")
    for patch in result.patches:
        row = (patch.name, patch.status.value, proofs.get(patch.name, ""), people[patch.name])
        table.add_row(*row)
    new = [pair.subject for pair in compared.pairs if pair.old is None]
    console = Console(width=160)
    console.print(table)
    console.print(f"new in the next queue: {', '.join(new) or 'none'}", markup=False)


def _in_words(proof: ConflictProof) -> str:
    files = sum(file.is_whole for file in proof.files)
    regions = [hunk for file in proof.files for hunk in file.hunks]
    proven = sum(hunk is not None for hunk in regions)
    return f"{files} of {len(proof.files)} files, {proven} of {len(regions)} regions"


if __name__ == "__main__":
    main()
