"""Every command that stands in a block of the documents does what it is there for.

It runs on the miniature, in the order of its page, or by `--plan` where it takes one; TensorFlow's
tags, files and folders are stood in for. Those that need a server, a Mac's GPU or the whole suite
are named below, and `test_docs` holds them to the command line.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.upstream import embedded
from tensorflow_macos_build.wheels.fuse.engine import fuse
from tensorflow_macos_build.wheels.fuse.plan import FuseOptions
from tests import command_line
from tests.doc_commands import PAGES, ROOT, typed
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_RUN = {
    "bench": "compares wheels and environments that TensorFlow is in",
    "lint": "the suite's own",
    "test": "the suite itself",
    "docs.generate": "it writes into the checkout",
    "wheelhouse": "asks an index",
    "plugins.matrix": "asks an index",
    "patches.looked-at": "of a finding, of which the miniature has none",
    "patches.pick": "asks GitHub",
    "patches.pin": "asks GitHub",
    "patches.vendor": "of a pick, which GitHub has",
    "release.verify": "asks GitHub",
    "release.prepare": "of what a build made",
    "release.publish": "of what a build made",
    "smoke": "tries a wheel on a device",
    "smoke.sweep": "tries a wheel on a device",
    "smoke.compare": "of what a smoke test made",
}
"""Tasks whose commands are not run, and why."""

STAND_INS = {
    "v2.16.2": "v2.16.0",
    "v2.4.0": "v2.16.0",
    "v2.21.0": "v2.17.0",
    "v2.22.0": "v2.18.0",
    "tf-2.21": "demo",
    "tf-2.20": "demo",
}
"""What the miniature has for what the pages name."""

WORDS = {
    "A.whl": "demo-1.0-cp311-cp311-macosx_12_0_arm64.whl",
    "B.whl": "demo-1.0-cp311-cp311-macosx_10_15_x86_64.whl",
    "W.whl": "demo-1.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl",
    "DIR": "some",
    "CODE": "host",
    "OTHER": "00100",
}
"""What stands for the words in capitals, but for names of configs, patches and queues."""

WALK = "own-fork.md"
"""The page whose commands follow one another; those of others stand for themselves."""


class Desk:
    """A checkout and what lies beside it: a clone of upstream with a fork, patch files, wheels."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self._clone = folder / "tensorflow"
        self._seen: set[str] = set()
        for part in ("build_configs", "docs", "ci"):
            shutil.copytree(ROOT / part, self.root / part)
        self.renew_queues()
        self._make_fork(embedded.create(folder / "bare.git").git_dir)
        (folder / "our-fork").symlink_to(self._clone)
        self._git("worktree", "add", "--quiet", folder / "their-sources", "main")
        (folder / "their-sources/.git").unlink()
        self._lay_out_patches()
        self._lay_out_wheels()

    def renew_queues(self) -> None:
        """Let queues be as the project has them, and no work on one be under way."""
        for part in ("patches", "build/edit", "build/rebase"):
            shutil.rmtree(self.root / part, ignore_errors=True)
        shutil.copytree(ROOT / "patches", self.root / "patches")

    def write_config(self, page: Path) -> None:
        """Write the config that a page shows, for the miniature."""
        [text] = re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
        (self.root / "build_configs/ours.yaml").write_text(meant(text))

    def new(self, texts: Iterable[str]) -> list[str]:
        """Return the commands that no page before had, each once."""
        plain = [text.partition("  #")[0].strip() for text in texts]
        new = [text for text in dict.fromkeys(plain) if text not in self._seen]
        self._seen.update(new)
        return new

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(text, comments=True)[1:]
        plan = ["--plan"] if words[0] in plans() and "--plan" not in words else []
        return command_line.run(*words, *plan, cwd=self.root)

    def _make_fork(self, upstream: Path) -> None:
        self._git("clone", "--quiet", "--branch", "v2.16.0", upstream, self._clone, cwd=self.root)
        for branch, base in (("main", "v2.16.0"), ("ours", "v2.17.0")):
            self._git("checkout", "--quiet", "-B", branch, base)
            (self._clone / "ours.txt").write_text("of the fork\n")
            self._git("add", "ours.txt")
            self._git("commit", "--quiet", "-m", "Say whose it is")
        self._git("checkout", "--quiet", "--detach")

    def _git(self, *words: str | Path, cwd: Path | None = None) -> None:
        identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        subprocess.run(["git", *identity, *words], cwd=cwd or self._clone, check=True)

    def _lay_out_patches(self) -> None:
        demo = sorted((ROOT / "patches/demo").glob("*.patch"))
        (self.root / "all.mbox").write_bytes(b"".join(path.read_bytes() for path in demo))
        for folder in (self.root / "some", self.root / "debian/patches"):
            folder.mkdir(parents=True)
            for path in (*demo, ROOT / "patches/demo/series"):
                shutil.copy(path, folder)

    def _lay_out_wheels(self) -> None:
        names = re.findall(r"[\w.-]+-macosx\w+\.whl", "".join(map(Path.read_text, PAGES)))
        for name in sorted(set(names)):
            project, version, python, abi, platform = name.removesuffix(".whl").split("-")
            arch = "arm64" if platform.endswith("arm64") else "x86_64"
            made = Thin(arch, {}, project, version, f"{python}-{abi}", platform)
            made.write(self.root)
        pair = [Thin(arch, {}).write(self.root) for arch in ("arm64", "x86_64")]
        fused = fuse(pair[0], pair[1], self.root, FuseOptions())
        for folder in ("dist/demo", "dist/releases", "build/forecasts"):
            (self.root / folder).mkdir(parents=True)
            shutil.copy(fused.wheel, self.root / folder)


def plans() -> set[str]:
    able = [context for context in namespace.to_contexts() if "--plan" in context.flags]
    return {name for context in able for name in (str(context.name), *context.aliases)}


def meant(text: str) -> str:
    """Return a command with what the desk has for what it names."""
    for name, here in STAND_INS.items():
        text = text.replace(name, here)
    is_queue = "patches." in text
    names = {"NAME": "00800" if is_queue or "hunks" in text else "demo"}
    names["Q"] = "new" if "patches.import" in text else "demo"
    words = {**WORDS, **names}
    return " ".join(words.get(word, word) for word in text.split(" "))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_runs(page: Path, desk: Desk) -> None:
    if page.name == WALK:
        desk.write_config(page)
    wrong = {}
    for text in desk.new(meant(text) for text in typed(page)):
        task = text.split()[1]
        if task in NOT_RUN or "…" in text or "pull-126377" in text:
            continue
        if page.name != WALK:
            desk.renew_queues()
        done = desk.run(text)
        # 2 is also what a machine that lacks something for a build ends with, in a table.
        if "error:" in done.stderr or (done.returncode > 1 and task not in ("build", "doctor")):
            wrong[text] = done.stderr[-500:]
    assert not wrong
