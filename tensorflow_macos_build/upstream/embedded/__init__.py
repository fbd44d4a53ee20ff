"""The embedded upstream: a TensorFlow in miniature, made into a real git repository.

The package carries its files (`source/`) and its history (`history/`): about sixty commits, three
releases on branches of their own as TensorFlow has them, and every situation that a rebase meets.
Commit ids are the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import files, locks
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream.embedded import stream
from tensorflow_macos_build.upstream.embedded.history import HISTORY

if TYPE_CHECKING:
    from pathlib import Path

URL = "embedded:"
"""What stands for this upstream where a config or a queue names one by its URL."""

TAGS = {
    "v2.16.0": "660590a41c24c730fc5b58160153097c766887ce",
    "v2.17.0": "6109c59a6bc8f59180e9639fe4b1b86bd4360dd5",
    "v2.18.0": "033298e2bfea713aab08286c6ee96d7e8dcb86dc",
}
"""The releases, oldest first, and the full ids of their commits."""

MAIN = "c875645887ab4ccb27b4f490ef578b3fe92acdd4"
"""The full id of the newest commit of the branch `main`."""


class HistoryChanged(AssertionError):
    """The history does not give the commits that are pinned here: a defect of this package."""


def create(folder: Path) -> Git:
    """Return the miniature's bare repository in `folder`; make it when missing or not whole.

    It is made aside and renamed, so a kill leaves nothing half-done, and two processes may ask for
    one folder at once. The branch is `main`; each release has a branch and an annotated tag.
    """
    with locks.held(folder.parent / f".{folder.name}.lock"):
        # it is made once for each version of the history; the ids tell one version from the other
        if _refs(Git(folder)) != _expected():
            with files.atomic_folder(folder) as unfinished:
                _make(Git(unfinished))
    return Git(folder)


def _make(git: Git) -> None:
    git.init()
    git.run("fast-import", "--quiet", stdin=b"".join(stream.of(HISTORY)))
    if (made := _refs(git)) != _expected():
        raise HistoryChanged(f"expected {_expected()}, made {made}")


def _expected() -> dict[str, str]:
    return {"main": MAIN, **TAGS}


def _refs(git: Git) -> dict[str, str]:
    """The commits of `main` and of the tags; none where there is no sound repository."""
    if not (git.git_dir / "HEAD").is_file():
        return {}
    names = [stream.MAIN, *(f"refs/tags/{tag}" for tag in TAGS)]
    form = "--format=%(refname:lstrip=2) %(objectname) %(*objectname)"
    listed = git.run("for-each-ref", form, *names, expected=())
    if listed.status != 0:
        return {}
    lines = listed.stdout.decode().splitlines()
    # of a tag two ids: its own, and that of its commit
    return {name: ids[-1] for name, *ids in (line.split() for line in lines)}
