"""Work trees for people: whose a folder is, what they did in it, whether it may be replaced.

A folder is made, replaced or deleted only if it is this package's own: `MARK` in its git folder
says of which queue it is, and what it held when it was made.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files, process, temporary
from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.quarantine import Quarantine

_ATTRIBUTES = "* -text !eol !filter !ident !working-tree-encoding\n"
MARK = "macos-build.json"
"""The name of the mark in a work tree's git folder, where no command of git's looks."""
_SHOWN = "macos-build-shown"
_SCHEMA = "work-tree", 1
_ANOTHER_FOLDER = "name another folder with --work: an empty one, or one that is not there"
_MAX_SIZE = 1 << 16


@dataclass(frozen=True)
class WorkTreeMark:
    """What is known of a work tree.

    Attributes:
        queue: the queue's folder, absolute and without links.
        made: the id of the tree that it held when it was made.
    """

    queue: str
    made: str


def git_of(folder: Path) -> Git:
    """Return the work tree's own repository."""
    return Git(folder / ".git", folder)


def keep_bytes(git: Git) -> None:
    """Let files lie in a work tree as they are in the repository, and be taken back so.

    By the .gitattributes of the tree git would convert line ends and encodings, and change files
    that nobody edited when it adds them: those whose contents are not what attributes say.
    `info/attributes` takes precedence over those files (gitattributes(5)).
    """
    (git.git_dir / "info").mkdir(exist_ok=True)
    (git.git_dir / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")


def mark(folder: Path, queue: Path) -> None:
    """Write down that a folder is a work tree of a queue, and what it holds now that it is made."""
    body = asdict(WorkTreeMark(str(queue.resolve()), content(folder)))
    written = documents.dumps(documents.document(*_SCHEMA, body))
    (folder / ".git" / MARK).write_text(written, encoding="utf-8")


def mark_of(folder: Path) -> WorkTreeMark | None:
    """Return what is known of a folder; None: it is none of this package's work trees."""
    try:
        record = documents.read(files.read_small(folder / ".git" / MARK, _MAX_SIZE), *_SCHEMA)
    except (OSError, MacosBuildError):
        return None
    return WorkTreeMark(record["queue"], record["made"])


def is_shown(folder: Path) -> bool:
    """Whether somebody was told of the work tree, or has worked in it."""
    return (folder / ".git" / _SHOWN).exists() or is_changed(folder)


def set_shown(folder: Path) -> None:
    """Record that somebody was told of the work tree."""
    # nothing is written into a folder that is not this package's
    if mark_of(folder) is not None:
        (folder / ".git" / _SHOWN).touch()


def is_changed(folder: Path) -> bool:
    """Whether a work tree holds anything else than when it was made."""
    known_mark = mark_of(folder)
    return known_mark is not None and _content_or_none(folder) != known_mark.made


@contextlib.contextmanager
def private_index(folder: Path) -> Iterator[Git]:
    """Yield the work tree's repository with a copy of its index.

    So a lock file that a killed git left in it does not matter, nor a git that somebody runs there.
    """
    with temporary.scratch("index") as scratch:
        index = scratch / "index"
        with contextlib.suppress(FileNotFoundError):
            # with its time, by which git knows which files it has to read again (racy-git.txt)
            shutil.copy2(folder / ".git" / "index", index)
        yield Git(folder / ".git", folder, {"GIT_INDEX_FILE": str(index)})


def add_all(git: Git, submodules: Sequence[str] = ()) -> str:
    """Take what lies in a work tree into its (private) index; return the tree's id.

    Submodules in conflict stay as they are in the index.
    """
    # a conflicting submodule's folder is empty, and `git add` refuses it; literal: a `*` or `[` in
    # a path is no pattern (gitglossary(7), "pathspec")
    others = [f":(exclude,top,literal){path}" for path in submodules]
    # --force: TensorFlow tracks files that its .gitignore names; --sparse: what lies outside of the
    # patterns was put there by somebody
    git.run("add", "--all", "--sparse", "--force", "--", ".", *others)
    return git.line("write-tree")


def unmerged(git: Git) -> dict[str, set[str]]:
    """Return the modes of the index's conflicting entries by path."""
    modes: dict[str, set[str]] = {}
    for row in git.out("ls-files", "--unmerged", "-z").split(b"\0")[:-1]:
        facts, _, path = row.partition(b"\t")
        modes.setdefault(decode_path(path), set()).add(facts.split()[0].decode())
    return modes


def changed(git: Git, tree: str) -> set[str]:
    """Return the paths at which a tree differs from what the work tree held when it was made."""
    assert git.work_tree is not None
    known_mark = mark_of(git.work_tree)
    if known_mark is None:
        return set()
    # --no-renames: a moved file changes both of its paths
    names = git.out("diff-tree", "-r", "-z", "--name-only", "--no-renames", known_mark.made, tree)
    return {decode_path(name) for name in names.split(b"\0")[:-1]}


def content(folder: Path) -> str:
    """Return the id of the tree that a work tree holds now, without undecided submodules."""
    with private_index(folder) as git:
        submodules = [path for path, modes in unmerged(git).items() if "160000" in modes]
        for path in submodules:
            # git-write-tree(1) refuses an index with unmerged entries
            git.run("update-index", "--force-remove", "--", path)
        return add_all(git, submodules)


def bring(folder: Path, quarantine: Quarantine, trees: Sequence[str], *, known: str) -> None:
    """Bring trees that were made in a work tree into a quarantine.

    Both have the tree `known`; what is in it is not carried over.
    """
    if not trees:
        return
    listed = "".join(f"{name}\n" for name in (*trees, "--not", known)).encode()
    pack = git_of(folder).out("pack-objects", "--revs", "--stdout", "--quiet", stdin=listed)
    quarantine.git.run("index-pack", "--stdin", stdin=pack)


def may_go(folder: Path, queue: Path, given_up: str = "") -> bool:
    """Whether a work tree of the queue can be deleted without a loss: nobody changed it.

    `given_up` is the id of a tree whose changes were taken, or are not wanted any more.
    """
    known_mark = mark_of(folder)
    if known_mark is None or known_mark.queue != str(queue.resolve()):
        return False
    # None, of a folder that git cannot read, is neither: such a one stays
    return _content_or_none(folder) in {known_mark.made, given_up}


def refuse_unless_free(folder: Path, queue: Path, given_up: str = "") -> None:
    """Raise a UsageError unless a work tree can be made in a folder without a loss.

    It is outside the queue, and is not there, is empty, or `may_go`.
    """
    # by the real paths: a link may lead into the queue
    if folder.resolve().is_relative_to(queue.resolve()):
        raise UsageError(
            "a work tree cannot be in the queue that is worked on, which is written as a whole",
            where=str(folder),
            hint=_ANOTHER_FOLDER,
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    known_mark = mark_of(folder)
    if known_mark is None:
        raise UsageError(
            "the folder holds something that this tool did not make; it is left alone",
            where=str(folder),
            hint=_ANOTHER_FOLDER,
        )
    if known_mark.queue != str(queue.resolve()):
        raise UsageError(
            f"the folder is a work tree of another queue, {known_mark.queue}; it is left alone",
            where=str(folder),
            hint=_ANOTHER_FOLDER,
        )
    if not may_go(folder, queue, given_up):
        raise UsageError(
            "the work tree holds changes that were not taken; it is left alone",
            where=str(folder),
            hint=f"move it away (mv {folder} {folder}.mine), then run the same command again",
        )


def _content_or_none(folder: Path) -> str | None:
    try:
        return content(folder)
    except process.ProgramFailed:  # somebody did something to it that git cannot take
        return None
