"""`invoke rebase`: a whole queue moved to another revision of upstream, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.history import History
from tensorflow_macos_build.patchqueue.judge import Judge, Landed
from tensorflow_macos_build.patchqueue.replay import OnConflict, replay
from tensorflow_macos_build.patchqueue.status import Carried
from tensorflow_macos_build.upstream.objects import quarantine, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.status import PatchStatus
    from tensorflow_macos_build.upstream.git import Git
    from tensorflow_macos_build.upstream.objects import Quarantine


@dataclass(frozen=True)
class Rebase:
    """A rebase's result.

    Attributes:
        base: the full id of the commit that the queue stood on.
        onto: the full id of the commit that it was moved to.
        tree: the id of the resulting tree.
        patches: what became of each patch, in order.
    """

    base: str
    onto: str
    tree: str
    patches: tuple[PatchStatus, ...]

    @property
    def ok(self) -> bool:
        """Say whether nobody has to do anything: no conflict, nothing left undone."""
        return not any(patch.status.is_trouble for patch in self.patches)


def rebase_commits(
    git: Git,
    base: str,
    onto: str,
    patches: Sequence[Carried],
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    *,
    url: str = "",
    keep: bool = True,
    ticker: Ticker | None = None,
) -> Rebase:
    """Move patches that are commits on `base` to the commit `onto`.

    Args:
        git: the repository that holds them all.
        base: a full commit id; the first patch's parent.
        onto: a full commit id.
        patches: in order.
        on_conflict: go on with the patch's side, leave the patch out, or stop there.
        url: upstream's URL, for links to its commits.
        keep: put the resulting tree into the repository when nothing conflicts.
        ticker: told how many patches are done.
    """
    with quarantine(git) as pen:
        result = rebase_in(pen, base, onto, patches, on_conflict, url=url, ticker=ticker)
        if keep and result.ok:
            pen.keep([result.tree], [onto])
    return result


def rebase_in(
    pen: Quarantine,
    base: str,
    onto: str,
    patches: Sequence[Carried],
    on_conflict: OnConflict,
    *,
    url: str = "",
    ticker: Ticker | None = None,
) -> Rebase:
    """Do the work of `rebase_commits` in a quarantine of the caller's, and keep nothing."""
    history = History(pen.git, base, onto, url)
    commits = [patch.commit for patch in patches]
    landed = Landed(history, patches)
    done = replay(pen, onto, commits, on_conflict, resolver=landed, ticker=ticker)
    judge = Judge(pen, history, patches, on_conflict)
    return Rebase(base, onto, done.tree, judge.judge(done))


def carried(git: Git, span: str) -> tuple[Carried, ...]:
    """Give the commits of a range `A..B` as patches, oldest first.

    Raises:
        UsageError: the range holds a merge, which is no patch.
    """
    out = git.out("log", "-z", "--reverse", "--topo-order", "--format=%H %P%n%s%n%B", span, "--")
    found = []
    for number, record in enumerate(filter(None, out.split(b"\0")), 1):
        ids, subject, message = text(record).split("\n", 2)
        commit, *parents = ids.split()
        if len(parents) > 1:
            raise UsageError(
                f"commit {commit} is a merge: a queue is a straight line of patches",
                where=span,
                hint="straighten it first: git rebase --no-rebase-merges",
            )
        found.append(Carried(f"{number:04}", commit, subject, message))
    return tuple(found)


def resolve(git: Git, name: str) -> str:
    """Give the full id of the commit that a revision names.

    Raises:
        UsageError: the repository knows no such revision.
    """
    done = git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", expected=()
    )
    if done.status != 0:
        raise UsageError(
            f"upstream has no revision `{name}`",
            where=str(git.git_dir),
            hint="fetch it, or see what there is: git for-each-ref",
        )
    return text(done.stdout).strip()
