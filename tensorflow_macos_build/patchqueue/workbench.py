"""A throw-away repository over another one's objects: where patches are made and applied.

It is bare and its own: neither the configuration, the refs, the index nor the attributes of the
repository beside it count, so that nobody's settings change what comes out. It reads that
repository's objects and writes new ones into a folder of its own (git's quarantine), which `keep`
moves over when the work has succeeded.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.upstream.git import Git

if TYPE_CHECKING:
    from collections.abc import Iterator

_LAST = {".idx": 2, ".rev": 1}
"""A pack counts as soon as its index is there, so the index comes last."""

_SHARED_CONFIG = (
    r"^(extensions\.|core\.repositoryformatversion$|remote\..*\.(url|promisor|partial))"
)
"""What a reader of the objects needs to know: their format, and where missing ones are fetched."""


@dataclass(frozen=True)
class Workbench:
    """A throw-away repository.

    Attributes:
        git: asks it; sees the objects of the repository that it stands over, and its own.
        objects: the object folder of the repository that it stands over.
    """

    git: Git
    objects: Path

    def keep(self) -> None:
        """Move all new objects into the repository that the bench stands over."""
        own = self.git.git_dir / "objects"
        found = [path for path in own.rglob("*") if path.is_file() and path.parent.name != "info"]
        for path in sorted(found, key=lambda path: (_LAST.get(path.suffix, 0), path)):
            target = self.objects / path.relative_to(own)
            if not target.exists():
                with files.atomic_path(target) as unfinished:
                    shutil.copyfile(path, unfinished)
                    unfinished.chmod(0o444)


@contextlib.contextmanager
def over(git: Git) -> Iterator[Workbench]:
    """Give a workbench over the repository of `git`; it is deleted after the body.

    Raises:
        process.ProgramFailed: `git` is no repository.
    """
    places = git.line(
        "rev-parse", "--path-format=absolute", "--git-path", "objects", "--git-path", "shallow"
    )
    objects, shallow = (Path(place) for place in places.split("\n"))
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        bench = Path(folder) / "repository.git"
        _make(bench, [objects, *_alternates(git)])
        _share_config(git, bench)
        if shallow.exists():
            shutil.copyfile(shallow, bench / "shallow")
        yield Workbench(Git(bench), objects)


def _make(bench: Path, alternates: list[Path]) -> None:
    (bench / "objects" / "info").mkdir(parents=True)
    (bench / "refs" / "heads").mkdir(parents=True)
    (bench / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    lines = "".join(f"{path}\n" for path in alternates)
    (bench / "objects" / "info" / "alternates").write_text(lines, encoding="utf-8")


def _alternates(git: Git) -> list[Path]:
    """Give the object folders that the caller's environment adds."""
    names = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
    values = [git.env.get(name) for name in names]
    return [Path(path) for value in values if value for path in value.split(":")]


def _share_config(git: Git, bench: Path) -> None:
    """Write the bench's whole configuration: bare, plus what concerns the objects themselves."""
    shared = git.run("config", "--null", "--get-regexp", _SHARED_CONFIG, expected=(0, 1)).stdout
    config = bench / "config"
    config.write_text("[core]\n\tbare = true\n\trepositoryformatversion = 0\n", encoding="utf-8")
    for entry in shared.split(b"\0"):
        key, newline, value = entry.partition(b"\n")
        if newline and key not in (b"extensions.worktreeconfig",):
            text = value.decode("utf-8", "surrogateescape")
            Git(bench).run("config", "--file", config, key.decode("utf-8", "surrogateescape"), text)
