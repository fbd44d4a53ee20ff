"""Set what a rebase says of a queue beside what its people made of it.

    python -m benchmarks.human_answer QUEUE GIT_DIR REVISION --next NEXT_QUEUE
    python -m benchmarks.human_answer QUEUE GIT_DIR REVISION --merges COMMIT… [--tip COMMIT]
        [--replay-alone]

QUEUE is a queue's folder, NEXT_QUEUE that of the queue that its people had on REVISION. A patch
that is the same in both is one that they carried on as it was; one that is not in the second they
dropped, or wrote anew under another subject.

Of a fork that merges, the answer is in the merges by which its people came to REVISION, upstream's
parent first. Each is made anew: which of our conflicts it had, too, or why not; which side stands
in it where a region conflicts, and where something is proven; which conflicts it had besides; and
whether a line that uses a name which is gone still stands at --tip (default: the last merge).
With --replay-alone patches get no statuses, which of thousands take far longer than the replay.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import measure
from benchmarks.human_merges import Conflict, Fork, HumanMerges, is_there, of_merge, of_report
from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.audit.auditor import Auditor
from tensorflow_macos_build.patchqueue.queue import commit_cache
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.rebase import engine, remarks
from tensorflow_macos_build.patchqueue.replay import replay
from tensorflow_macos_build.patchqueue.replay.steps import StepOutcome
from tensorflow_macos_build.patchqueue.review import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.audit.model import AuditFinding
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueueCommit
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
    parser.add_argument("--replay-alone", action="store_true")
    options = parser.parse_args()
    git = Git(options.git_dir)
    print(measure.machine())
    begun = time.perf_counter()
    if options.next:
        result = engine.rebase_folder(options.queue, git, options.revision, propose=True)
        _beside_queue(result, options.queue, options.next)
    else:
        with open_quarantine(git) as quarantine:
            _beside_merges(quarantine, options)
    print(f"{time.perf_counter() - begun:.0f} s")


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


class _Move(NamedTuple):
    """A move of a queue.

    Attributes:
        statuses: how many patches came out how.
        conflicts: the files in conflict.
        proofs: what is proven of them.
        findings: what the audit shows.
    """

    statuses: Counter[str]
    conflicts: Sequence[Conflict]
    proofs: Sequence[ConflictProof]
    findings: Sequence[AuditFinding]


def _beside_merges(quarantine: Quarantine, options: argparse.Namespace) -> None:
    commits = [resolve(quarantine.source, name) for name in options.merges]
    tip = resolve(quarantine.source, options.tip) if options.tip else commits[-1]
    people = HumanMerges.read(quarantine, commits, tip)
    base, patches = commit_cache.of_folder(options.queue, quarantine.source)
    onto = resolve(quarantine.source, options.revision)
    trees = [quarantine.tree(oid) for oid in (base.commit, onto, patches[-1].commit)]
    fork = Fork(trees[0], trees[2], merges.merge(quarantine, *trees))
    how = _replayed if options.replay_alone else _rebased
    move = how(quarantine, base, patches, onto)
    counts = Counter({f"patches: {status}": count for status, count in move.statuses.items()})
    _conflicts(move, people, fork, counts)
    _proposals(move, people, counts)
    _findings(move, people, counts)
    for name in sorted(counts):
        print(f"{counts[name]:>7}  {name}")


def _rebased(
    quarantine: Quarantine, base: QueueBase, patches: Sequence[QueueCommit], onto: str
) -> _Move:
    history = engine.history_of(quarantine, base, onto)
    result, replayed = engine.rebase_in(quarantine, base, onto, patches, history=history)
    conflicts = [
        of_report(patch, shown) for patch in result.patches for shown in patch.evidence.conflicts
    ]
    statuses = Counter(patch.status.value for patch in result.patches)
    carried = {patch.commit for patch in result.patches if patch.in_tree}
    left = [patch for patch in patches if patch.commit in carried]
    findings = Auditor(quarantine, history, result.tree).audit(left).findings
    return _Move(statuses, conflicts, [*remarks.proofs(quarantine, patches, replayed)], findings)


def _replayed(
    quarantine: Quarantine, base: QueueBase, patches: Sequence[QueueCommit], onto: str
) -> _Move:
    """Return a move without statuses, which of thousands of patches take far longer."""
    done = replay.replay(quarantine, onto, [patch.commit for patch in patches])
    merged = [
        (patch.name, step.merged)
        for patch, step in zip(patches, done.steps, strict=True)
        if step.outcome is StepOutcome.CONFLICT and step.merged is not None
    ]
    conflicts = [conflict for name, m in merged for conflict in of_merge(quarantine, name, m)]
    history = engine.history_of(quarantine, base, onto)
    findings = Auditor(quarantine, history, done.tree).audit(patches).findings
    proofs = [*remarks.proofs(quarantine, patches, done)]
    return _Move(Counter(s.outcome.value for s in done.steps), conflicts, proofs, findings)


def _conflicts(move: _Move, people: HumanMerges, fork: Fork, counts: Counter[str]) -> None:
    """Print each file in conflict beside what people met there, and what they met besides."""
    paths: dict[str, set[str]] = {}
    for conflict in move.conflicts:
        met = people.met(conflict, fork)
        stands = Counter(people.choice(conflict))
        counts[f"files in conflict, by patch: {met}"] += 1
        counts.update({f"regions, in their last merge: {k}": n for k, n in stands.items()})
        paths.setdefault(conflict.path, set()).add(met)
        sides = ", ".join(f"{count} {side}" for side, count in stands.items())
        print(f"{conflict.patch}: {conflict.status}: {conflict.path}: {met}; {sides}")
    for reasons in paths.values():
        counts[f"files in conflict: {sorted(reasons, key=_rank)[0]}"] += 1
    for reason, others in people.others(set(paths), fork).items():
        counts[f"in conflict in their merges alone: {reason}"] = len(others)
        print(f"theirs alone, {reason}: {', '.join(others)}")


def _rank(met: str) -> tuple[int, str]:
    """Let a file count as met where one of its conflicts is."""
    return (0 if met == "met" else 1 if met.startswith("met") else 2), met


def _proposals(move: _Move, people: HumanMerges, counts: Counter[str]) -> None:
    for proof in move.proofs:
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


def _findings(move: _Move, people: HumanMerges, counts: Counter[str]) -> None:
    for finding in move.findings:
        fate = "stands" if people.still_uses(finding) else "is another one, or gone"
        counts[f"audit findings: the line {fate} at their tip"] += 1
        print(f"{finding.patch}: {finding.used.kind.value} {finding.used.name}: line {fate}")
        print(f"  {finding.use.path}:{finding.use.line}: {finding.use.text}")
        if finding.renamed_to:
            print(f"  now {finding.renamed_to}")


def _same(same: bool) -> str:
    return "as people did" if same else "otherwise than people did"


if __name__ == "__main__":
    main()
