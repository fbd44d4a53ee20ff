"""A small upstream with releases, in a folder that servers can serve."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_IDENTITY = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


@dataclass(frozen=True)
class Upstream:
    """A bare repository `up.git` in `root`, made by git itself."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "up.git"

    def git(self, *args: str, stdin: bytes = b"") -> str:
        argv = ["git", "--git-dir", str(self.path), *_IDENTITY, *args]
        done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def commit(self, branch: str, files: dict[str, bytes], day: int) -> str:
        """Put a commit that holds just `files` on a branch; `day` counts from 2024-01-01."""
        lines = [
            f"100644 blob {self.git('hash-object', '-w', '--stdin', stdin=content)}\t{name}\n"
            for name, content in files.items()
        ]
        tree = self.git("mktree", stdin="".join(lines).encode())
        known = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        when = f"{1704067200 + 86400 * day} +0000"
        text = f"tree {tree}\n"
        text += f"parent {known}\n" if known else ""
        text += f"author A <a@example.org> {when}\ncommitter A <a@example.org> {when}\n"
        text += f"\nDay {day}\n"
        commit = self.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def blobs(self, commit: str) -> list[str]:
        return [line.split()[2] for line in self.git("ls-tree", "-r", commit).splitlines()]


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    root: Path = tmp_path_factory.mktemp("upstream") / "served"
    made = Upstream(root)
    root.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", made.path], check=True)
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(12):
        files = {f"file{index}": bytes(f"{number}.{index}\n" * 40, "ascii") for index in range(10)}
        commit = made.commit("main", files, day=number)
        if number % 3 == 0:
            made.git("tag", f"v1.{number // 3}.0", commit)
    return made


@pytest.fixture
def upstream(tmp_path: Path, _made_once: Upstream) -> Upstream:
    """An upstream that a test may change: it is a copy of one that 200 processes of git made."""
    shutil.copytree(_made_once.root, tmp_path / "served")
    return Upstream(tmp_path / "served")
