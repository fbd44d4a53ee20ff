"""A whole queue moved to another revision of upstream, in memory (`scripts/inv rebase`).

What may be asked for is a `RebaseRequest`, which `run` fulfils from the queue's folder on; the
functions below it begin with what their callers have already: a repository, a queue, commits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import cycles
from tensorflow_macos_build.console import phase, silent
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
from tensorflow_macos_build.patchqueue.audit.model import AuditResult
from tensorflow_macos_build.patchqueue.queue import (
    commit_cache,
    lock,
    materialise,
    opening,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueueCommit
from tensorflow_macos_build.patchqueue.rebase import remarks, write_back
from tensorflow_macos_build.patchqueue.rebase.resolver import ConflictResolver, Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.replay import replay
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.classify import StatusClassifier
from tensorflow_macos_build.patchqueue.verdict.counterfactual import OtherReplays
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.proof.model import ConflictProof
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.queue.storage import Saved
    from tensorflow_macos_build.patchqueue.replay.steps import Replay
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


NOT_AUDITED = AuditResult(not_done="it was not asked for")


@dataclass(frozen=True)
class RebaseResult:
    """A rebase's result.

    Attributes:
        base: the full id of the commit that the queue stood on.
        onto: the full id of the commit that it was moved to.
        tree: the id of the resulting tree.
        patches: what became of each patch, in order.
        drivers: the merge drivers that .gitattributes name for files that were merged; they are
            programs, which are not run.
        saved: what writing the queue back did, where that was asked for.
        audit: which names that the patches use upstream took away.
        proofs: what is proven of each conflict, where that was asked for.
    """

    base: str
    onto: str
    tree: str
    patches: tuple[PatchStatus, ...]
    drivers: tuple[str, ...] = ()
    saved: Saved | None = None
    audit: AuditResult = NOT_AUDITED
    proofs: tuple[ConflictProof, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nobody has to do anything: no conflict, nothing left undone."""
        return not any(patch.status.is_blocking for patch in self.patches)

    @property
    def is_empty(self) -> bool:
        """Whether no patch is left to carry, so that there would be no queue to write."""
        return self.ok and not any(patch.in_tree for patch in self.patches)


@dataclass(frozen=True)
class RebaseRequest:
    """A rebase as somebody wants it.

    Attributes:
        folder: the queue's folder.
        onto: the upstream revision to move it to: a tag, a branch, an id.
        cache: the folder that holds the mirrors of upstream repositories.
        on_conflict: go on with the patch's side, leave the patch out, or stop there.
        write: write the queue back on its new base, when nothing conflicts.
        audit: when to look for names that patches use and that upstream took away.
        propose: show the answers to conflicts that can be proven.
    """

    folder: Path
    onto: str
    cache: Path
    on_conflict: OnConflict = OnConflict.PROVISIONAL
    write: bool = False
    audit: AuditWhen = AuditWhen.LOCAL
    propose: bool = False


def run(
    request: RebaseRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> RebaseResult:
    """Open a queue with its upstream, fetch what the move reads, and rebase.

    Args:
        request: what to move where.
        ticker: told what is fetched, then how many patches are done.
        waiting: told of a wait for another writer of the queue.

    Raises:
        UsageError: there is no such queue, or upstream has no such revision.
        WorkFailed: a patch file is damaged, or does not apply to its own base.
        transfer.Unreachable: the server could not be asked.
    """
    # before the server is asked: of a large upstream that takes minutes
    materialise.refuse_unpinned(storage.load_head(request.folder)[1], request.folder)
    audited = request.audit is not AuditWhen.NEVER
    fetching = phase(ticker, _FETCHING, (_FETCHING, *passes(audited=audited)))
    opened = opening.open(request.folder, request.cache, fetching)
    # All file contents come in one request: what a partial clone lacks later, too, is asked for one
    # by one (`ObjectReader.read`).
    opened.prepare([request.onto], fetching)
    if request.audit is AuditWhen.ALWAYS:
        opened.prepare_audit(request.onto, fetching)
    return rebase_folder(
        request.folder,
        opened.mirror,
        request.onto,
        request.on_conflict,
        ticker,
        write=request.write,
        audit=audited,
        propose=request.propose,
        waiting=waiting,
        passes_before=(_FETCHING,),
    )


_FETCHING = "fetching"


def passes(*, audited: bool = False) -> tuple[str, ...]:
    """Return what a rebase does one after another, by the names that progress is told under."""
    return ("replaying", "classifying", *(["auditing"] if audited else []))


def rebase_folder(
    folder: Path,
    git: Git,
    onto: str,
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    ticker: Ticker = silent,
    *,
    write: bool = False,
    audit: bool = False,
    propose: bool = False,
    waiting: Waiting = lock.unwatched,
    passes_before: tuple[str, ...] = (),
) -> RebaseResult:
    """Do what `rebase` does for the queue in a folder; files that were seen before are not parsed.

    Nobody else writes the queue meanwhile, where it is written back: `waiting` is told of a wait.
    `passes_before` are those that the caller has made already, for how far the work is.

    Raises:
        UsageError: the folder is no queue, or `onto` names no commit.
        WorkFailed: as for `rebase`, or a patch file is damaged.
    """
    if write:
        # Read under the lock, so that what is written back is what was read.
        with lock.sole_writer(folder, waiting):
            queue = storage.load(folder)
            patches = commit_cache.of_queue(queue, git)
            move = _QueueMove(git, folder, queue.base, patches, onto, audit, propose, passes_before)
            return move.run(on_conflict, ticker, queue)
    # Without the lock: nothing is written, and the files are read as one state of the queue.
    base, patches = commit_cache.of_folder(folder, git)
    move = _QueueMove(git, folder, base, patches, onto, audit, propose, passes_before)
    return move.run(on_conflict, ticker)


def rebase(
    queue: Queue,
    git: Git,
    onto: str,
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    ticker: Ticker = silent,
    *,
    write: bool = False,
    audit: bool = False,
    propose: bool = False,
) -> RebaseResult:
    """Move a queue to another revision of upstream; its recorded resolutions are replayed.

    Args:
        queue: the patches and the commit that they are made for.
        git: the repository that has both commits; it gets the resulting tree when all is well.
        onto: a tag, a branch, an id.
        on_conflict: go on with the patch's side, leave the patch out, or stop there.
        ticker: told how many patches are done.
        write: write the queue back on its new base, when nothing conflicts. Patches that upstream
            has leave the queue; the result names them.
        audit: also look for names that patches use and that upstream took away.
        propose: also look for answers to conflicts that can be proven.

    Raises:
        UsageError: `onto` names no commit.
        WorkFailed: a patch does not apply to its own base, or the repository lacks an object.
    """
    patches = commit_cache.of_queue(queue, git)
    move = _QueueMove(git, queue.folder, queue.base, patches, onto, audit, propose)
    return move.run(on_conflict, ticker, queue if write else None)


@dataclass(frozen=True)
class _QueueMove:
    """A queue as commits of a repository, and where it goes."""

    git: Git
    folder: Path
    base: QueueBase
    patches: Sequence[QueueCommit]
    onto: str
    audited: bool = False
    proposes: bool = False
    passes_before: tuple[str, ...] = ()

    def run(
        self, on_conflict: OnConflict, ticker: Ticker, written: Queue | None = None
    ) -> RebaseResult:
        """Rebase; `written` is the queue that is to be written back when nothing conflicts."""
        commit = resolve(self.git, self.onto)
        names = (*self.passes_before, *passes(audited=self.audited))
        decisions = Decisions(resolutions.load(self.folder))
        with open_quarantine(self.git) as quarantine:
            history = history_of(quarantine, self.base, commit)
            result, replayed = rebase_in(
                quarantine,
                self.base,
                commit,
                self.patches,
                on_conflict,
                decisions=decisions,
                history=history,
                write_trees=written is not None,  # a patch's file is the difference of two of them
                ticker=phase(ticker, "replaying", names),
                classifying=phase(ticker, "classifying", names),
            )
            if self.audited:
                audit = remarks.audit(
                    quarantine,
                    history,
                    replayed,
                    result.patches,
                    self.patches,
                    folder=self.folder,
                    ticker=phase(ticker, "auditing", names),
                )
                result = replace(result, audit=audit)
            if self.proposes:
                proofs = tuple(remarks.proofs(quarantine, self.patches, replayed))
                result = replace(result, proofs=proofs)
            if result.ok:
                # The tree is worth keeping also where nothing is written: builds start from it.
                quarantine.keep([result.tree], [commit])
                if written is not None:
                    base = QueueBase(self.base.upstream, self.onto, commit)
                    result = replace(
                        result, saved=write_back.save(quarantine, written, base, replayed)
                    )
        return result


@cycles.rarely_sought()
def rebase_in(
    quarantine: Quarantine,
    base: QueueBase,
    onto: str,
    patches: Sequence[QueueCommit],
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    *,
    decisions: Decisions | None = None,
    history: UpstreamHistory | None = None,
    write_trees: bool = False,
    merger: FileMerger | None = None,
    ticker: Ticker = silent,
    classifying: Ticker = silent,
) -> tuple[RebaseResult, Replay]:
    """Move patches that are commits, in a quarantine of the caller's, and keep nothing.

    Args:
        quarantine: the quarantine.
        base: what the first patch applies to.
        onto: a full commit id.
        patches: in order.
        on_conflict: go on with the patch's side, leave the patch out, or stop there.
        decisions: what people decided about conflicts.
        history: what upstream did, where the caller has it already.
        write_trees: also write the tree after each patch.
        merger: what merges files; it remembers those of other rebases in the quarantine.
        ticker: told how many patches are replayed.
        classifying: told of how many it is known what became of them.
    """
    history = history or history_of(quarantine, base, onto)
    resolver = ConflictResolver(quarantine, history, patches, decisions or Decisions())
    merger = merger or FileMerger(quarantine)
    # The same resolver: where the classifier replays patches anew, the same decisions hold.
    classifier = StatusClassifier(
        quarantine, history, patches, on_conflict, resolver, others=OtherReplays(quarantine, merger)
    )
    replayed = replay(
        quarantine,
        onto,
        [patch.commit for patch in patches],
        on_conflict,
        resolver=resolver,
        write_trees=write_trees,
        merger=merger,
        foreseen=classifier.foresee,
        otherwise=True,
        ticker=ticker,
    )
    result = judged(
        quarantine,
        base,
        onto,
        replayed,
        classifier=classifier,
        resolver=resolver,
        ticker=classifying,
    )
    return result, replayed


def judged(
    quarantine: Quarantine,
    base: QueueBase,
    onto: str,
    replayed: Replay,
    *,
    classifier: StatusClassifier,
    resolver: ConflictResolver,
    passed: Sequence[PatchStatus] = (),
    ticker: Ticker = silent,
) -> RebaseResult:
    """Return a replay's result: what became of each patch.

    Args:
        quarantine: where the replay was made.
        base: what the first patch applies to.
        onto: a full commit id.
        replayed: the replay.
        classifier: gives each patch its status.
        resolver: what the replay asked at conflicts.
        passed: what became of the patches before those of the replay (`StatusClassifier`).
        ticker: told of how many patches it is known what became of them.
    """
    classified = classifier.classify(replayed, ticker, passed=passed)
    statuses = tuple(map(resolver.with_refusals, classified))
    drivers = remarks.drivers(quarantine, replayed)
    return RebaseResult(base.commit, onto, replayed.tree, statuses, drivers)


def history_of(
    quarantine: Quarantine, base: QueueBase, onto: str, *, beside: Sequence[str] = ()
) -> UpstreamHistory:
    """Return what upstream did between a queue's base and a commit (`beside`: `PathHistory`)."""
    # Asked through the quarantine, where no configuration of a user's counts (log.*, diff.*). What
    # a replay makes is none of upstream's history, and is not written out for those questions.
    git = replace(quarantine.git, publish=None)
    return UpstreamHistory(git, base.commit, onto, base.upstream, beside=beside)
