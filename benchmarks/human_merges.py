"""What people made of a fork by merging: their merges, made anew, and the trees they committed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import markers, merges
from tensorflow_macos_build.git.markers import ConflictHunk
from tensorflow_macos_build.patchqueue.proof.model import ProofClass
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.merges import MergeOutcome, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.audit.model import AuditFinding
    from tensorflow_macos_build.patchqueue.proof.model import HunkProof
    from tensorflow_macos_build.patchqueue.verdict.status import ConflictReport, PatchStatus

_TELLING = 8
"""Letters and digits from which on a line tells a region from others: not `return true;`."""


def remade(quarantine: Quarantine, ours: str, theirs: str) -> MergeResult | None:
    """Make a merge of two parents anew, `ours` as upstream's side; None without one merge base."""
    bases = quarantine.git.run("merge-base", "--all", ours, theirs, expected=(0, 1)).stdout.split()
    if len(bases) != 1:
        return None
    trees = (quarantine.tree(oid) for oid in (bases[0].decode(), ours, theirs))
    return merges.merge(quarantine, *trees)


def is_there(hunk: HunkProof, made: bytes) -> bool:
    """Whether a proven region's lines stand together, or the items of a list, in any order."""
    if hunk.proof is ProofClass.LIST_OF_BOTH:
        return set(hunk.lines) <= set(made.splitlines(keepends=True))
    return b"".join(hunk.lines) in made


class Conflict(NamedTuple):
    """A file in conflict: of which patch, with what status, and its conflicting regions."""

    patch: str
    status: str
    path: str
    regions: tuple[ConflictHunk, ...]


def of_report(patch: PatchStatus, report: ConflictReport) -> Conflict:
    """Return a conflict as a rebase shows it."""
    regions = (ConflictHunk(*map(_ended, (h.base, h.ours, h.theirs))) for h in report.hunks)
    return Conflict(patch.name, patch.status.value, report.path, tuple(regions))


def of_merge(quarantine: Quarantine, patch: str, merged: MergeOutcome) -> Iterator[Conflict]:
    """Yield the conflicts of a merge."""
    for file in merged.conflicted:
        left = file.left
        marked = quarantine.objects.blob(left.oid) if left and left.is_file else b""
        yield Conflict(patch, "conflict", file.path, markers.hunks(marked))


def _ended(lines: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(f"{line}\n".encode() for line in lines)


class Fork(NamedTuple):
    """The net change of a queue: its trees, and the merge of it with the new base.

    Attributes:
        before: the tree of its base.
        after: the tree that it makes of it.
        merged: the merge of the new base with all of it at once.
    """

    before: str
    after: str
    merged: MergeResult


@dataclass
class HumanMerges:
    """Merges as people made them, the last one last.

    Attributes:
        quarantine: sees their commits.
        commits: full ids.
        tip: where names are looked for: people mend what a merge broke in the commits after it.
        merged: each of them made anew.
    """

    quarantine: Quarantine
    commits: Sequence[str]
    tip: str
    merged: Sequence[MergeResult]

    @classmethod
    def read(cls, quarantine: Quarantine, commits: Sequence[str], tip: str) -> HumanMerges:
        """Make merges anew whose first parents are upstream's."""
        made = []
        for commit in commits:
            merged = remade(quarantine, *quarantine.objects.commit(commit).parents)
            if merged is None:
                raise SystemExit(f"{commit} has no single merge base")
            made.append(merged)
        return cls(quarantine, commits, tip, made)

    def content(self, path: str) -> bytes | None:
        """Return a file of the last merge as it was committed."""
        entry = TreeLookup(self.quarantine).at(self.quarantine.tree(self.commits[-1]), path)
        return None if entry is None else self.quarantine.objects.blob(entry.oid)

    def met(self, conflict: Conflict, fork: Fork) -> str:
        """Return whether a conflict was one of theirs, too, and else why it was none."""
        lookup = TreeLookup(self.quarantine)
        for commit, merged in zip(self.commits, self.merged, strict=True):
            left = lookup.at(merged.tree, conflict.path)
            if any(file.path == conflict.path for file in merged.conflicted):
                marked = self.quarantine.objects.blob(left.oid) if left else b""
                return "met" if _meets(conflict, marked) else "met in other lines"
            if left != lookup.at(self.quarantine.tree(commit), conflict.path):
                return "changed by hand in their merge, which is clean there"
        entries = [lookup.at(tree, conflict.path) for tree in (fork.before, fork.after)]
        if entries[0] == entries[1]:
            return "the fork itself took it back later"
        if all(file.path != conflict.path for file in fork.merged.conflicted):
            return "between two patches only: all of them at once merge cleanly"
        return "the net change conflicts here alone"

    def others(self, known: set[str], fork: Fork) -> dict[str, list[str]]:
        """Return the files in conflict in their merges that are none of `known`, by reason."""
        reasons: dict[str, list[str]] = {}
        for merged in self.merged:
            for path in sorted({file.path for file in merged.conflicted} - known):
                reasons.setdefault(self._apart(merged, path, fork), []).append(path)
        return reasons

    def _apart(self, merged: MergeResult, path: str, fork: Fork) -> str:
        """Return why a file in conflict in a merge of theirs is in none of ours."""
        lookup = TreeLookup(self.quarantine)
        before, after = (lookup.at(tree, path) for tree in (fork.before, fork.after))
        if before == after:
            return "no patch changes it: upstream's own branches differ"
        left = lookup.at(merged.tree, path)
        if before is None or left is None:
            return "a patch changes it, and merges cleanly"
        was = self.quarantine.objects.blob(before.oid)
        regions = markers.hunks(self.quarantine.objects.blob(left.oid))
        if regions and all(b"".join(region.theirs) in was for region in regions):
            return "patches change other lines of it: upstream's own branches differ"
        return "a patch changes it, and merges cleanly"

    def choice(self, conflict: Conflict) -> list[str]:
        """Return which side of each region stands in their last merge."""
        made = self.content(conflict.path)
        if made is None:
            return ["no file"]
        sides = ((b"".join(region.ours), b"".join(region.theirs)) for region in conflict.regions)
        return [_side(made, *pair) for pair in sides]

    def still_uses(self, finding: AuditFinding) -> bool:
        """Whether the line that uses a name which is gone stands in the fork at the tip."""
        entry = TreeLookup(self.quarantine).at(self.quarantine.tree(self.tip), finding.use.path)
        text = b"" if entry is None else self.quarantine.objects.blob(entry.oid)
        return finding.use.text.encode() in (line.strip() for line in text.splitlines())


def _meets(conflict: Conflict, marked: bytes) -> bool:
    """Whether a conflict has a telling line in common with a region of theirs, or no lines."""
    mine, theirs = map(_telling_lines, (conflict.regions, markers.hunks(marked)))
    return not mine or not theirs or not mine.isdisjoint(theirs)


def _telling_lines(regions: Sequence[ConflictHunk]) -> set[bytes]:
    lines = {line for r in regions for line in (*r.base, *r.ours, *r.theirs)}
    return {line.strip() for line in lines if len(re.findall(rb"\w", line)) >= _TELLING}


def _side(made: bytes, ours: bytes, theirs: bytes) -> str:
    stands = ours in made, theirs in made
    if not ours.strip() or not theirs.strip():
        # an empty side stands everywhere; only the other one tells
        is_ours = (theirs not in made) if not ours.strip() else ours in made
        return "upstream's side" if is_ours else "the patch's side"
    match stands:
        case (True, True):
            return "both sides"
        case (True, False):
            return "upstream's side"
        case (False, True):
            return "the patch's side"
    return "other lines"
