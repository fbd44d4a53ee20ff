"""Laws: `git log -L` says which commits changed lines, and `git blame` which patches wrote them."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.git.markers import split_lines
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tensorflow_macos_build.patchqueue.verdict.line_history import LineChange, LineHistory
from tensorflow_macos_build.patchqueue.verdict.line_writers import LineWriters
from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory

if TYPE_CHECKING:
    from collections.abc import Iterator

    Files = dict[str, list[bytes]]

NAMES = ("f", "g", "h")


@pytest.fixture(scope="module")
def source() -> Iterator[Git]:
    with tempfile.TemporaryDirectory() as folder:
        git = Git(Path(folder) / "repository.git")
        git.init()
        yield git


class RandomHistory:
    """A history made up by chance: edits, renames, files that come and go, merges of any two."""

    def __init__(
        self, quarantine: Quarantine, chance: random.Random, count: int, *, merges: bool = True
    ) -> None:
        self._quarantine = quarantine
        self._chance = chance
        self._count = 0
        self._merges = merges
        base: Files = {"f": [b"line %d\n" % n for n in range(12)], "other": [b"x\n"]}
        self.trees = [base]
        self.commits = [self._commit(base, [])]
        for _ in range(count):
            self._grow()

    def _grow(self) -> None:
        size = len(self.commits)
        back = 3 if self._merges else 1
        parents = [self._chance.randrange(max(0, size - back), size)]
        if self._merges and self._chance.random() < 0.35:
            parents.append(self._chance.randrange(size))
        if self._merges and self._chance.random() < 0.05:
            self.trees.append(dict(self.trees[-1]))
            self.commits.append(self._commit(self.trees[-1], []))
            parents.append(size)
        chosen = dict.fromkeys(parents)
        files = dict(self.trees[self._chance.choice(list(chosen))])
        for _ in range(self._chance.choice((0, 1, 1, 2) if len(chosen) > 1 else (1, 1, 2))):
            self._change(files)
        self.trees.append(files)
        self.commits.append(self._commit(files, [self.commits[at] for at in chosen]))

    def _change(self, files: Files) -> None:
        name = self._chance.choice(list(files))
        lines = list(files[name])
        at = self._chance.randrange(len(lines) + 1)
        match self._chance.choice(
            ("edit", "edit", "insert", "delete", "move", "move", "add", "end")
        ):
            case "edit" if at < len(lines):
                lines[at] = self._line()
            case "insert":
                lines[at:at] = [self._line() for _ in range(self._chance.randint(1, 3))]
            case "delete":
                del lines[at : at + self._chance.randint(1, 3)]
            case "end" if lines:
                lines[-1] = lines[-1].rstrip(b"\n")
            case "move" if name != "other":
                del files[name]
                name = self._chance.choice(NAMES)
            case "add":
                name = self._chance.choice(NAMES)
            case _:
                pass
        files[name] = lines

    def _line(self) -> bytes:
        self._count += 1
        return self._chance.choice((b"same\n", b"\n", b"new %d\n" % self._count))

    def _commit(self, files: Files, parents: list[str]) -> str:
        entries = {
            name: TreeEntry("100644", self._quarantine.write("blob", b"".join(lines)))
            for name, lines in files.items()
        }
        time = f"x <x> {1000 + len(getattr(self, 'commits', ()))} +0000"
        return self._quarantine.write_commit(
            self._quarantine.write_tree(entries), parents, committer=time
        )


def by_git(
    quarantine: Quarantine, history: UpstreamHistory, path: str, lines: LineRange
) -> list[LineChange]:
    """Ask git. A merge that differs from all its parents comes without lines."""
    where = f"-L{lines.start + 1},{lines.end}:{path}"
    out = quarantine.git.out(
        "log", where, "--no-color", "--format=%x00%H", history.new, f"^{history.old}"
    )
    changes = []
    for record in out.split(b"\0")[1:]:
        head, *body = record.split(b"\n")
        body = [line for line in body if not line.startswith((b"--- ", b"+++ "))]
        took, brought = (
            frozenset(line[1:] for line in body if line[:1] == sign) for sign in (b"-", b"+")
        )
        changes.append(LineChange(head.decode(), took, brought))
    return changes


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(3, 16))
def test_line_history_is_that_of_git_log(source: Git, seed: int, count: int) -> None:
    chance = random.Random(seed)
    with open_quarantine(source) as quarantine:
        drawn = RandomHistory(quarantine, chance, count)
        whole = UpstreamHistory(quarantine.git, drawn.commits[0], drawn.commits[-1])
        tracked = LineHistory(quarantine, whole)
        inside = [*whole.commits]
        at = drawn.commits.index(chance.choice(inside)) if inside else -1
        history = UpstreamHistory(quarantine.git, drawn.commits[0], drawn.commits[at])
        for path, written in drawn.trees[at].items():
            lines = split_lines(b"".join(written))
            if not lines:
                continue
            starts = [chance.randrange(len(lines)) for _ in range(2)]
            spans = [LineRange(at, chance.randint(1, len(lines) - at)) for at in starts]
            for span, changes in zip(
                spans, tracked.of_lines(history.new, path, spans), strict=True
            ):
                shown = by_git(quarantine, history, path, span)
                merges = [c.commit for c in changes if whole.commits[c.commit].is_merge]
                assert [c for c in shown if c.took or c.brought] == [
                    change for change in changes if change.commit not in merges
                ]
                # git lists a merge with lines of its own, and shows none of them
                assert set(merges) <= {c.commit for c in shown if not (c.took or c.brought)}


def blamed(quarantine: Quarantine, base: str, commit: str, path: str, lines: LineRange) -> set[str]:
    """Ask git who wrote lines; below the base all is somebody else's."""
    where = f"-L{lines.start + 1},{lines.end}"
    argv = ("blame", "-s", "--porcelain", where, commit, f"^{base}", "--", path)
    heads = [line.split(b" ") for line in quarantine.git.out(*argv).split(b"\n")]
    return {head[0].decode() for head in heads if len(head[0]) == 40} - {base}


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(2, 8))
def test_writers_of_lines_are_those_that_git_blames(source: Git, seed: int, count: int) -> None:
    chance = random.Random(seed)
    with open_quarantine(source) as quarantine:
        drawn = RandomHistory(quarantine, chance, count, merges=False)
        base, *patches = drawn.commits
        queue = PathHistory(quarantine.git, base, patches[-1])
        writers = LineWriters(quarantine, queue)
        at = chance.randrange(len(patches))
        for path, written in drawn.trees[at + 1].items():
            size = len(split_lines(b"".join(written)))
            for start in range(size):
                span = LineRange(start, chance.randint(1, size - start))
                asked = (patches[at], path, span)
                assert writers.of(*asked) == blamed(quarantine, base, *asked)


def test_the_drawn_histories_hold_merges_renames_and_changes(source: Git) -> None:
    """What the law is about does occur."""
    counts = {"merge": 0, "rename": 0, "change": 0}
    for seed in range(20):
        with open_quarantine(source) as quarantine:
            drawn = RandomHistory(quarantine, random.Random(seed), 14)
            ends = f"{drawn.commits[0]}..{drawn.commits[-1]}"
            log = quarantine.git.line(
                "log", "-M", "--name-status", "--format=%P", ends
            ).splitlines()
            counts["merge"] += sum(len(line.split()) > 1 and len(line) > 80 for line in log)
            counts["rename"] += sum(line.startswith("R") for line in log)
            counts["change"] += sum(line.startswith("M") for line in log)
    assert min(counts.values()) > 5
