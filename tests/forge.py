"""A forge on 127.0.0.1: a bare repository with pull requests, that git makes, and a queue on it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {
    **os.environ,
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A"), ("EMAIL", "a@b.org"), ("DATE", "1700000000 +0100"))
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
}
LINES = [f"line {number}\n" for number in range(40)]


def git(folder: Path, *args: str | Path) -> str:
    argv = ["git", "-C", str(folder), *map(str, args)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Forge:
    """A repository with requests.

    Attributes:
        root: the folder that is served; `up.git` in it is the repository.
        work: a clone in which commits are made.
    """

    root: Path
    work: Path

    @property
    def bare(self) -> Path:
        return self.root / "up.git"

    def git(self, *args: str | Path) -> str:
        return git(self.work, *args)

    def commit(self, subject: str, **files: str) -> str:
        """Commit files on what is checked out; `a__b` is the path `a/b`."""
        for name, content in files.items():
            path = self.work / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-qm", subject)
        return self.git("rev-parse", "HEAD")

    def push(self, *specs: str) -> None:
        self.git("push", "-qf", self.bare, *specs)

    def request(self, number: int, *, merge: bool = True, space: str = "pull") -> str:
        """Publish what is checked out as a request's head, with a trial merge; return its id."""
        head = self.git("rev-parse", "HEAD")
        self.push(f"HEAD:refs/{space}/{number}/head")
        if merge:
            tree = self.git("rev-parse", "HEAD^{tree}")
            trial = self.git("commit-tree", tree, "-p", "main", "-p", head, "-m", "trial")
            self.push(f"{trial}:refs/{space}/{number}/merge")
        return head

    def forget(self, ref: str) -> None:
        git(self.bare, "update-ref", "-d", ref)


def changed(**lines: str) -> str:
    """The common file with some lines replaced: `line_3="x"`."""
    own = {int(key.removeprefix("line_")): f"{value}\n" for key, value in lines.items()}
    return "".join(own.get(number, line) for number, line in enumerate(LINES))


def make(folder: Path) -> Forge:
    """Make a forge: v1, a later main, request 7 of two commits on it and a merge of main."""
    forge = Forge(folder / "root", folder / "work")
    forge.root.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "main", forge.bare)
    for key in ("allowFilter", "allowAnySHA1InWant"):
        git(forge.bare, "config", f"uploadpack.{key}", "true")
    git(folder, "init", "-q", "-b", "main", forge.work)
    forge.commit("Base", text=changed(), other="other\n", sub__deep="deep\n")
    forge.git("tag", "v1.0.0")
    forge.commit("Later on main", later="later\n")
    forge.git("checkout", "-q", "-b", "topic")
    forge.commit("Teach the text", text=changed(line_3="taught"))
    forge.git("checkout", "-q", "main")
    forge.commit("More on main", later="more\n")
    forge.git("checkout", "-q", "topic")
    forge.git("merge", "-q", "--no-edit", "main")
    forge.commit("Teach the deep, too", sub__deep="deeper\n")
    forge.request(7)
    forge.git("checkout", "-q", "main")
    forge.push("main", "--tags")
    return forge


def make_queue(forge: Forge, folder: Path, upstream: str, picks: str = "") -> Path:
    """Make a queue of two patches on v1.0.0, one on the file that request 7 changes."""
    forge.git("checkout", "-q", "--detach", "v1.0.0")
    forge.commit("Mine at the end\n\nReason: fork-only", text=changed(line_30="mine"))
    forge.commit("Mine alone\n\nReason: fork-only", mine="mine\n")
    folder.mkdir(parents=True)
    forge.git("format-patch", "-q", "-k", "--zero-commit", "-o", folder, "v1.0.0")
    names = sorted(path.name for path in folder.glob("*.patch"))
    (folder / "series").write_text("".join(f"{name}\n" for name in names))
    commit = forge.git("rev-parse", "v1.0.0")
    head = f"# why it is so\nupstream: '{upstream}'\nref: v1.0.0\ncommit: {commit}\n"
    (folder / "queue.yaml").write_text(head + picks)
    forge.git("checkout", "-q", "main")
    return folder
