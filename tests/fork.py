"""patches/demo as plain git sees it: a clone with the queue on its recorded base."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.repository import Git

DEMO = Path(__file__).parents[1] / "patches/demo"


def names(queue: Path) -> list[str]:
    """The patch files of a queue, in the order of its series."""
    return (queue / "series").read_text(encoding="utf-8").splitlines()


class Fork:
    """A clone in which `git am` has put patches on the base that patches/demo records."""

    def __init__(self, git: Git, folder: Path, patches: Sequence[Path]) -> None:
        self.folder = folder
        config = yaml.safe_load((DEMO / "queue.yaml").read_text(encoding="utf-8"))
        self.base = config["commit"]
        self.plain("clone", "--quiet", "--no-checkout", git.git_dir, folder, cwd=git.git_dir)
        self.plain("checkout", "--quiet", self.base)
        self.plain("am", "--quiet", *patches)
        self.tip = self.plain("rev-parse", "HEAD")

    def plain(self, *args: str | Path, cwd: Path | None = None) -> str:
        """Run git as anybody would; return what it prints."""
        identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
        argv = ["git", *identity, *args]
        ended = subprocess.run(argv, cwd=cwd or self.folder, check=True, capture_output=True)
        return ended.stdout.decode().strip()

    def commits(self) -> list[str]:
        """The patches as commits, in order."""
        return self.plain("rev-list", "--reverse", f"{self.base}..{self.tip}").split()

    def onto(self, revision: str) -> str:
        """Move the patches onto a revision by `git rebase`; return the commit that comes out."""
        self.plain("rebase", "--quiet", "--onto", revision, self.base, self.tip)
        return self.plain("rev-parse", "HEAD")
