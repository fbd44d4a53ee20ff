"""Law 1 of a queue that is changed: what is written was proven without applying all of it.

The judge is the replay of every file from disk, as `git fast-import` takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.edit import operations
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.formats import patch as patch_format
from tensorflow_macos_build.patchqueue.queue import (
    commit_cache,
    commit_range,
    materialise,
    read_back,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase, QueuePatch
from tests import chains

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
    from tests.chains import Chain

    Make = Callable[[Quarantine, list[PatchEdit]], list[PatchEdit]]


@st.composite
def changes(draw: st.DrawFn) -> Make:
    """Draw a change of a queue, whose positions are taken modulo its length."""
    first, second = draw(st.integers(0, 9)), draw(st.integers(0, 9))

    def at(number: int, edits: list[PatchEdit]) -> int:
        return number % len(edits)

    makes: list[Make] = [
        lambda _, edits: operations.dropped(edits, at(first, edits)),
        lambda _, edits: operations.moved(edits, at(first, edits), at(second, edits)),
        lambda _, edits: operations.folded(edits, at(first, edits), at(second, edits)),
    ]
    return draw(st.sampled_from(makes))


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains.chains(), several=st.lists(changes(), min_size=1, max_size=3))
def test_a_changed_queue_makes_from_disk_what_its_commits_say(
    tmp_path_factory: pytest.TempPathFactory, chain: Chain, several: list[Make]
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git, base, tip = chains.build(folder / "repository", chain)
    history = commit_range.read(git, base, tip)
    queue_base = QueueBase("embedded:", "v1", history.base)
    queue = storage.save(folder / "q", queue_base, history.steps, git).queue
    for make in several:
        if not queue.patches:
            break
        session = EditSession(queue, git, folder / "edit")
        try:
            edited = session.change(make)
        except UsageError:  # a patch folded into itself
            assume(False)
        if edited.saved is None:  # a conflict: the queue is as it was
            session.abort()
        queue = storage.load(folder / "q")
        kept = commit_cache.of_queue(queue, git)
        with open_quarantine(git) as quarantine:
            made = materialise.commits(queue, quarantine)
        assert [commit.commit for commit in kept] == [commit.id for commit in made]


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains.chains(), data=st.data())
def test_a_file_that_reads_back_as_another_is_refused(
    tmp_path_factory: pytest.TempPathFactory, chain: Chain, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git, base, tip = chains.build(folder / "repository", chain)
    history = commit_range.read(git, base, tip)
    queue_base = QueueBase("embedded:", "v1", history.base)
    queue = storage.save(folder / "q", queue_base, history.steps, git).queue
    stayed = {
        patch.name: patch.content for patch in queue.patches if data.draw(st.booleans(), "stays")
    }
    with open_quarantine(git) as quarantine:
        read_back.verify(queue, history.steps, stayed, quarantine)
        at = data.draw(st.integers(0, len(queue.patches) - 1), "altered")
        other = _altered(queue, at)
        with pytest.raises(MacosBuildError):
            read_back.verify(other, history.steps, stayed, quarantine)


def _altered(queue: Queue, at: int) -> Queue:
    """Return a queue of which one patch adds something to a file that it changes, or a new file."""
    patch = queue.patches[at]
    more = (
        b"diff --git a/zz b/zz\nnew file mode 100644\n--- /dev/null\n+++ b/zz\n@@ -0,0 +1 @@\n+z\n"
    )
    content = patch.content + more
    parsed = QueuePatch(patch.name, content, patch_format.parse(content, patch.name))
    patches = (*queue.patches[:at], parsed, *queue.patches[at + 1 :])
    return Queue(queue.name, queue.base, patches, queue.folder, queue.picks)
