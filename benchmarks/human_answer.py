"""Set what a rebase says of a queue beside what its people made of it.

    python -m benchmarks.human_answer QUEUE GIT_DIR REVISION --next NEXT_QUEUE
    python -m benchmarks.human_answer QUEUE GIT_DIR REVISION --merges COMMIT… [--tip COMMIT]

QUEUE is a queue's folder, NEXT_QUEUE that of the queue that its people had on REVISION. A patch
that is the same in both is one that they carried on as it was; one that is not in the second they
dropped, or wrote anew under another subject.

Of a fork that merges, the answer is in the merges by which its people came to REVISION, upstream's
parent first. Each is made anew: which of our conflicts it had, too, or why not; which side stands
in it where a region conflicts, and where something is proven; which conflicts it had besides; and
whether names that an audit misses are gone from the fork at --tip (default: the last merge).
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.human_merges import Fork, HumanMerges, is_there
from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import commit_cache
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.review import report

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult


def main() -> None:
    """Rebase, compare, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("queue", type=Path)
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("revision")
    answer = parser.add_mutually_exclusive_group(required=True)
    answer.add_argument("--next", type=Path, metavar="NEXT_QUEUE")
    answer.add_argument("--merges", nargs="+", metavar="COMMIT")
    parser.add_argument("--tip", metavar="COMMIT")
    options = parser.parse_args()
    begun = time.perf_counter()
    git = Git(options.git_dir)
    result = engine.rebase_folder(
        options.queue, git, options.revision, propose=True, audit=bool(options.merges)
    )
    print(measure.machine())
    print(f"{len(result.patches)} patches, {time.perf_counter() - begun:.0f} s")
    if options.next:
        _beside_queue(result, options.queue, options.next)
        return
    commits = [resolve(git, name) for name in options.merges]
    tip = resolve(git, options.tip) if options.tip else commits[-1]
    with open_quarantine(git) as quarantine:
        _beside_merges(
            result, quarantine, options.queue, HumanMerges.read(quarantine, commits, tip)
        )


def _beside_queue(result: RebaseResult, queue: Path, following: Path) -> None:
    compared = report.compare(str(queue), str(following))
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


def _beside_merges(
    result: RebaseResult, quarantine: Quarantine, queue: Path, people: HumanMerges
) -> None:
    fork = _fork(result, quarantine, queue)
    counts = Counter(f"patches: {patch.status.value}" for patch in result.patches)
    known = _conflicts(result, people, fork, counts)
    for reason, paths in people.others(known, fork).items():
        counts[f"in conflict in their merges alone: {reason}"] = len(paths)
        print(f"theirs alone, {reason}: {', '.join(paths)}")
    _proposals(result, people, counts)
    _findings(result, people, counts)
    for name in sorted(counts):
        print(f"{counts[name]:>7}  {name}")


def _fork(result: RebaseResult, quarantine: Quarantine, queue: Path) -> Fork:
    commits = commit_cache.of_folder(queue, quarantine.source)[1]
    before, after = quarantine.tree(result.base), quarantine.tree(commits[-1].commit)
    return Fork(
        before, after, merges.merge(quarantine, before, quarantine.tree(result.onto), after)
    )


def _conflicts(
    result: RebaseResult, people: HumanMerges, fork: Fork, counts: Counter[str]
) -> set[str]:
    """Print each file in conflict beside what people met there; return their paths."""
    paths: dict[str, set[str]] = {}
    for patch in result.patches:
        for conflict in patch.evidence.conflicts:
            met = people.met(conflict, fork)
            stands = Counter(people.choice(conflict))
            counts[f"files in conflict, by patch: {met}"] += 1
            counts.update({f"regions, in their last merge: {k}": n for k, n in stands.items()})
            paths.setdefault(conflict.path, set()).add(met)
            sides = ", ".join(f"{count} {side}" for side, count in stands.items())
            print(f"{patch.name}: {patch.status.value}: {conflict.path}: {met}; {sides}")
    for reasons in paths.values():
        counts[f"files in conflict: {sorted(reasons, key=_rank)[0]}"] += 1
    return set(paths)


def _rank(met: str) -> tuple[int, str]:
    """Let a file count as met where one of its conflicts is."""
    return (0 if met == "met" else 1 if met.startswith("met") else 2), met


def _proposals(result: RebaseResult, people: HumanMerges, counts: Counter[str]) -> None:
    for proof in result.proofs:
        for file in proof.files:
            made = people.content(file.path)
            if file.deleted:
                counts[f"stays-deleted: {_same(made is None)}"] += 1
            for number, hunk in enumerate(file.hunks, 1):
                counts["regions"] += 1
                if hunk is None:
                    continue
                same = is_there(hunk, made or b"")
                counts[f"{hunk.proof.value}: {_same(same)}"] += 1
                where = f"{proof.patch}: {file.path} region {number}: {hunk.proof.value}"
                print(f"{where}: {_same(same)}")


def _findings(result: RebaseResult, people: HumanMerges, counts: Counter[str]) -> None:
    for finding in result.audit.findings:
        uses = people.uses(finding)
        here = [line for line in uses if line.startswith(f"{finding.use.path}:")]
        fate = "used nowhere" if not uses else "used in that file" if here else "used elsewhere"
        counts[f"audit findings: {fate} at their tip"] += 1
        print(f"{finding.patch}: {finding.used.kind.value} {finding.used.name}: {fate}")
        print(f"  {finding.use.path}:{finding.use.line}: {finding.use.text}")
        if finding.renamed_to:
            print(f"  now {finding.renamed_to}")
        for line in (here or uses)[:3]:
            print(f"  theirs: {line[:160]}")


def _same(same: bool) -> str:
    return "as people did" if same else "otherwise than people did"


if __name__ == "__main__":
    main()
