"""A plain model of a queue, and folders in which a real one begins as the model says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tensorflow_macos_build import temporary
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.edit.session import EditSession
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import Identity, Moment
from tensorflow_macos_build.patchqueue.queue import names, storage
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.queue.picks import Pick
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
from tensorflow_macos_build.upstream.handle import Mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit

SHARED = "f0"
"""The file that upstream changes, too."""

RELEASES = ("v1", "v2", "v3")
"""v2 changes what no patch touches; v3 changes `SHARED` as well."""

PICKS = ("k0", "k1", "k2")
"""The files that picks change: of a commit, or of a pull request where the number is even."""

Outcome = Literal["done", "waits", "refused"]


@dataclass(frozen=True)
class Patch:
    """A patch of the model: its subject, and the line that each of its files has then."""

    subject: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Queue:
    """A queue of the model."""

    release: str
    patches: tuple[Patch, ...]
    picks: tuple[str, ...] = ()

    def at(self, subject: str) -> int:
        return [patch.subject for patch in self.patches].index(subject)

    def without(self, subject: str) -> Queue:
        return replace(self, patches=tuple(p for p in self.patches if p.subject != subject))

    def with_at(self, position: int, *patches: Patch) -> Queue:
        there = self.patches
        return replace(self, patches=(*there[:position], *patches, *there[position + 1 :]))

    def conflicting(self, release: str) -> str:
        """The subject of the patch that conflicts on the way to a release; "" for none."""
        if (self.release == "v3") == (release == "v3"):
            return ""
        owners = [p.subject for p in self.patches if SHARED in dict(p.lines)]
        return owners[0] if owners else ""

    def text(self, path: str) -> str:
        changed = {path: f"picked {path}" for path in self.picks}
        changed |= {path: line for patch in self.patches for path, line in patch.lines}
        return changed.get(path, upstream(self.release)[path])


@dataclass(frozen=True)
class Begun:
    """A rebase or an edit under way: what was asked for, and the queue that it began with.

    The names of its files belong to the queue: what was decided is kept by them. A patch that is
    moved away and back may have another number then; so the patches can be the same again, and
    nobody goes on, before the files are as they were.
    """

    request: str
    queue: Queue
    series: str


def upstream(release: str) -> dict[str, str]:
    """Return what each file holds at a release."""
    base = {f"{kind}{number}": f"base {kind}{number}" for kind in "fg" for number in range(4)}
    return {
        **base,
        **{path: f"base {path}" for path in PICKS},
        "other": "v1" if release == "v1" else "v2",
        SHARED: "of upstream" if release == "v3" else f"base {SHARED}",
    }


def make_repository(folder: Path) -> None:
    """Make upstream's repository: a branch for each release, on one line."""
    stream = []
    for number, release in enumerate(RELEASES, 1):
        head = f"commit refs/heads/{release}\nmark :{number}\ncommitter A <a@b> {number} +0000\n"
        stream.append(f"{head}data 2\nx\n" + (f"from :{number - 1}\n" if number > 1 else ""))
        stream += [_file(path, line) for path, line in upstream(release).items()]
    for number, path in enumerate(PICKS):
        name = f"refs/pull/{number}/head"
        stream.append(f"commit {name}\ncommitter A <a@b> 9 +0000\ndata 3\n{path}\nfrom :1\n")
        stream.append(_file(path, f"picked {path}"))
    git = Git(folder)
    git.init()
    git.run("fast-import", "--quiet", stdin="".join(stream).encode())


class QueueSandbox:
    """Folders with the queue, its upstream, and what is under way; what is run in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queue = folder / "patches/q"
        self.git = Mirror(git_dir=folder / "upstream.git", origin="embedded:", folder=folder)
        self.tmp = folder / "tmp"

    def edit(self) -> EditSession:
        return EditSession(storage.load(self.queue), self.git, self.folder / "edit/q")

    def rebase(self) -> RebaseSession:
        return RebaseSession(storage.load(self.queue), self.git, self.folder / "rebase/q")

    def outcome(self, command: Callable[[], object]) -> Outcome:
        """Run a command; say what a task's exit status would."""
        temporary.sweep_scratch()  # as every task does
        try:
            result = command()
        except MacosBuildError:
            return "refused"
        waits = getattr(result, "conflicts", ()) or getattr(result, "patch", "")
        return "waits" if waits else "done"


def start_with(sandbox: QueueSandbox, queue: Queue) -> None:
    """Write the model's queue by plain git commands and this package's writer."""
    git, work = sandbox.git, "refs/work/queue"
    commit = git.line("rev-parse", queue.release)
    stream = [f"reset {work}\nfrom {commit}\n\n"]
    for patch in queue.patches:
        stream.append(f"commit {work}\ncommitter A <a@b> 9 +0000\ndata 2\nx\n")
        stream += map(_file, *zip(*patch.lines, strict=True))
    git.run("fast-import", "--quiet", stdin="".join(stream).encode())
    revisions = (f"{work}~{count}^{{tree}}" for count in reversed(range(len(queue.patches) + 1)))
    trees = git.out("rev-parse", *revisions).decode().split()
    git.run("update-ref", "-d", work)
    steps = [
        PatchStep(
            Header(Identity("A", "a@b"), Moment(number, "+0000"), patch.subject, ""),
            trees[number - 1],
            trees[number],
        )
        for number, patch in enumerate(queue.patches, 1)
    ]
    storage.save(sandbox.queue, QueueBase("embedded:", queue.release, commit), steps, git)


def _file(path: str, line: str) -> str:
    """Return what gives a file one line, for git fast-import."""
    return f"M 100644 inline {path}\ndata {len(line) + 1}\n{line}\n\n"


def pick_of(git: Git, path: str) -> Pick:
    """Return the pick that changes a file."""
    number = PICKS.index(path)
    head = git.line("rev-parse", f"refs/pull/{number}/head")
    if number % 2:
        return Pick(head, "", "", "backport", "never")
    return Pick(head, str(number + 1), git.line("rev-parse", "v1"), "upstreaming", "never")


def position(pieces: Sequence[PatchEdit], subject: str) -> int:
    return names.position([piece.name or "" for piece in pieces], subject)
