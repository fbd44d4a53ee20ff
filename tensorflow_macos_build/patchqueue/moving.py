"""Moving a queue, as it is on disk, to another upstream commit, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue import materialise
from tensorflow_macos_build.patchqueue.rebase import Rebase, rebase_in
from tensorflow_macos_build.patchqueue.replay import OnConflict
from tensorflow_macos_build.patchqueue.status import Carried
from tensorflow_macos_build.upstream.objects import quarantine

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.queue import Queue
    from tensorflow_macos_build.upstream.git import Git


def move(
    queue: Queue,
    git: Git,
    onto: str,
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    *,
    ticker: Ticker | None = None,
) -> Rebase:
    """Put a queue's patches on the commit `onto`.

    Args:
        queue: the patches and the commit that they were made for.
        git: the repository that has both commits; it gets the resulting tree when all is well.
        onto: a full commit id.
        on_conflict: go on with the patch's side, leave the patch out, or stop there.
        ticker: told how many patches are done.

    Raises:
        WorkFailed: a patch does not apply to its own base, or the repository lacks an object.
    """
    with quarantine(git) as pen:
        made = materialise.commits(queue, pen.git)
        carried = [
            Carried(
                one.patch.name,
                one.id,
                one.patch.patch.header.subject,
                one.patch.patch.header.message,
            )
            for one in made
        ]
        base = queue.base
        result = rebase_in(
            pen, base.commit, onto, carried, on_conflict, url=base.upstream, ticker=ticker
        )
        if result.ok:
            pen.keep([result.tree], [onto])
    return result
