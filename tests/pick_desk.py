"""A forge that is served, and a queue with picks of its requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.queue import storage
from tests import command_line, forge

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tensorflow_macos_build import documents
    from tests.forge import Forge
    from tests.git_servers import Faults

WHY = ("--reason", "upstreaming", "--drop-when", "upstream >= 2")


@dataclass(frozen=True)
class Desk:
    """A forge that is served, and a folder with a queue and a cache."""

    forge: Forge
    folder: Path
    url: str
    faults: Faults

    @property
    def queue(self) -> Path:
        return self.folder / "patches/q"

    def make(self, picks: str = "", *, served: bool = True) -> Path:
        """Make the queue; one whose upstream is a folder where the server is not the question."""
        upstream = self.url if served else str(self.forge.bare)
        return forge.make_queue(self.forge, self.queue, upstream, picks)

    def run(self, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        task, *more = words
        # before the others: what follows `--latest` could be a queue's name
        flags = ("--cache", self.folder / "cache") if task != "patches.lint" else ()
        done = command_line.run(task, "--queue", self.queue, *flags, *more, cwd=self.folder)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done

    def document(self, *words: str | Path, code: int = 0) -> documents.Json:
        document: documents.Json = json.loads(self.run(*words, "--json", code=code).stdout)
        return document

    def pinned(self) -> str:
        (pick,) = storage.load(self.queue).picks
        return pick.commit

    def codes_of(self, name: str) -> set[str]:
        """Return the codes of what lint has to say of a patch file."""
        findings = self.document("patches.lint", code=1)["findings"]
        return {str(finding["code"]) for finding in findings if finding["file"] == name}

    def state(self) -> documents.Json:
        (state,) = self.document("patches.pin")["picks"]
        return dict(state)

    def exported(self) -> str:
        """The tree that `git am` makes of the exported mailbox on the base."""
        out = self.folder / "out.mbox"
        self.run("patches.export", "--to", "mailbox", "--out", out, "--force")
        self.forge.git("checkout", "-q", "--detach", "v1.0.0")
        self.forge.git("am", "-q", out)
        return self.forge.git("rev-parse", "HEAD^{tree}")

    def squashed(self, onto: str = "v1.0.0", begins: str = "main") -> str:
        """The tree that git makes of the pull as one commit, and the patches, on a commit."""
        git = self.forge.git
        tree = git("rev-parse", "topic^{tree}")
        base = git("merge-base", "topic", begins)
        squash = git("commit-tree", tree, "-p", base, "-m", "squash")
        git("checkout", "-q", "--detach", "v1.0.0")
        for path in sorted(self.queue.glob("*.patch")):
            git("am", "-q", path)
        mine = git("rev-parse", "HEAD")
        git("checkout", "-q", "--detach", onto)
        git("cherry-pick", squash)
        git("cherry-pick", f"v1.0.0..{mine}")
        return git("rev-parse", "HEAD^{tree}")
