"""What becomes of each unit of a patch by itself: landed, clean, or in conflict; git merges it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.patchqueue.proof import proving, units
from tensorflow_macos_build.patchqueue.proof.model import ProofClass
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup
from tensorflow_macos_build.patchqueue.verdict import commit_diffs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.merges import MergeInputs, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.proof.units import PatchUnit
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

_SHOWN = 2
"""Commits that are named of those in which a unit landed."""


class UnitFate(Enum):
    """What becomes of a part of a patch."""

    LANDED = "landed"
    """Its merge leaves nothing to do, or upstream is proven to have it."""
    CLEAN = "clean"
    CONFLICTS = "conflicts"


@dataclass(frozen=True)
class FatedUnit:
    """A unit, what becomes of it, and the commits that made the same lines, where it landed."""

    unit: PatchUnit
    fate: UnitFate
    landed_in: tuple[UpstreamCommit, ...] = ()


def of_patch(
    quarantine: Quarantine, history: UpstreamHistory, merged: MergeInputs, ticker: Ticker
) -> tuple[FatedUnit, ...]:
    """Return the fates of a patch's units, each merged alone.

    Args:
        quarantine: where the merges are made.
        history: what upstream did.
        merged: the trees that a merge of the whole patch is of.
        ticker: told how many units are done.
    """
    return tuple(_fates(quarantine, history, merged, ticker))


def _fates(
    quarantine: Quarantine, history: UpstreamHistory, merged: MergeInputs, ticker: Ticker
) -> Iterator[FatedUnit]:
    parts = units.units_of(quarantine, merged.base, merged.theirs)
    for done, unit in enumerate(parts):
        ticker(done, len(parts), "hunks")
        bound = units.bound_to(unit, parts)
        alone = units.tree_with(quarantine, merged.base, merged.theirs, bound)
        # A file that is what the patch makes it has landed, whatever it was moved from.
        if unit.hunk is None and _is_same(quarantine, merged, unit.file.path):
            fate = UnitFate.LANDED
        else:
            fate = _fate(quarantine, merges.merge(quarantine, merged.base, merged.ours, alone))
        landed = fate is UnitFate.LANDED
        yield FatedUnit(unit, fate, _landed_in(history, unit) if landed else ())


def _is_same(quarantine: Quarantine, merged: MergeInputs, path: str) -> bool:
    lookup = TreeLookup(quarantine)
    return lookup.at(merged.ours, path) == lookup.at(merged.theirs, path)


def _fate(quarantine: Quarantine, merged: MergeResult) -> UnitFate:
    if merged.clean:
        return UnitFate.LANDED if merged.tree == merged.ours else UnitFate.CLEAN
    proof = proving.prove(quarantine, "", merged)
    is_upstreams = set(proof.classes) <= {ProofClass.UPSTREAM_HAS_IT, ProofClass.STAYS_DELETED}
    return UnitFate.LANDED if proof.is_whole and is_upstreams else UnitFate.CONFLICTS


def _landed_in(history: UpstreamHistory, unit: PatchUnit) -> tuple[UpstreamCommit, ...]:
    lines = commit_diffs.significant_lines((unit.diff,))
    return history.describe(history.sharing([unit.file.path], lines)[:_SHOWN])
