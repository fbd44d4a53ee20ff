"""Real queues that are hard to rebase, each as a line of commits in a repository of its own."""

from __future__ import annotations

import functools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import assert_never

from benchmarks import measure
from benchmarks.rebase_arms import Bench, by_git, measured_run, rebased
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import alternates
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.exchange import importing
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.measure import Run


class Commits(NamedTuple):
    """The commits of a fork's branch from where it left upstream's on; none of them a merge."""

    branch: str
    upstream: str


class FirstParents(NamedTuple):
    """What a fork's branch that merges was from step to step: each a commit on the one before."""

    branch: str
    base: str


class PatchFiles(NamedTuple):
    """The patch files in a folder of another repository, in the order of their names."""

    repository: str
    commit: str
    folder: str
    base: str


@dataclass(frozen=True)
class Row:
    """A queue, and where it goes.

    Attributes:
        repository: the project at GitHub that has upstream's history.
        patches: the queue.
        onto: the new base.
        target: what the measured figures are to reach.
    """

    repository: str
    patches: Commits | FirstParents | PatchFiles
    onto: str
    target: str


_OPENSSL_FORKED = "78c5d2a9bb60fa3f5b730d5cf39127f3200b5eef"
"""Where 1.0.1 left the line that 1.0.2 went on with."""

_TF_2_4_1 = "85c8b2a817f95a3e979ecd1ed95bff1dc1335cff"
_TF_2_4_3 = "4d6df3889441"
_TF_2_5_0 = "a4dfb8d1a71385bd6d122e4f27f86dcebb96712d"
_TF_2_6_0 = "919f693420e35d00c8d0a42100837ae3718f7927"

ROWS = {
    "electron": Row(
        "electron/electron", Commits("42-x-y", "43-x-y"), "43-x-y", "3 times git's speed"
    ),
    "openssl": Row(
        "quictls/openssl",  # openssl/openssl has the same branches, in a clone twice as large
        FirstParents("OpenSSL_1_0_1-stable", _OPENSSL_FORKED),
        "OpenSSL_1_0_2-stable",
        "2 times git's speed",
    ),
    "valkey": Row("valkey-io/valkey", Commits("8.0", "unstable"), "unstable", "3 times"),
    "nvidia": Row(
        "NVIDIA/tensorflow", Commits("r1.15.3+nv20.09", "v1.15.3"), "v1.15.4", "12 times"
    ),
    "conda": Row(
        "graphcore/tensorflow",
        PatchFiles("conda-forge/tensorflow-feedstock", "8812111", "recipe/patches", _TF_2_4_3),
        _TF_2_6_0,
        "under 5 s of CPU, every hunk with its commits",
    ),
    "graphcore": Row(
        "graphcore/tensorflow",
        FirstParents("r2.4/sdk-release-2.4", _TF_2_4_1),
        _TF_2_5_0,
        "under 25 s of CPU",
    ),
}


def measure_row(name: str, clones: Path, rounds: int, *, alone: bool) -> None:
    """Measure a row, and print its figures; fail when our tree is not git's.

    Args:
        name: a key of `ROWS`.
        clones: has a bare clone of each project in OWNER+NAME/repo.
        rounds: how often each arm runs.
        alone: leave git out.
    """
    row = ROWS[name]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        bench = prepare(row, clones, Path(scratch))
        # Read before the clock starts: a rebase has them from its cache, by a walk of their number
        # (`commit_cache`), and this walks all that is younger than them, 100,000 commits.
        assert bench.patches
        answers: dict[str, set[str]] = {"git": set(), "skip": set(), "go on": set()}
        arms: dict[str, Callable[[], Run]] = {
            "git": functools.partial(by_git, bench, answers["git"]),
            "skip": functools.partial(_run, bench, answers["skip"], OnConflict.SKIP),
            "go on": functools.partial(_run, bench, answers["go on"], OnConflict.PROVISIONAL),
        }
        if alone:
            del arms["git"]
        runs = measure.interleaved(arms, rounds)
        print(f"\n{name}: {len(bench.commits)} patches; target: {row.target}")
        for arm, measured in runs.items():
            print(_figures(arm, measured, runs.get("git"), answers[arm]))
        by_tree = {json.loads(answer)["tree"] for answer in answers["skip"]}
        if not alone and by_tree != answers["git"]:
            raise SystemExit(f"the trees differ: git has {answers['git']}, skip has {by_tree}")


def measure_growth(name: str, clones: Path, sizes: Sequence[int], rounds: int) -> None:
    """Measure what conflicts cost in a row's first patches, so many of them, and print it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        bench = prepare(ROWS[name], clones, Path(scratch))
        parts = {str(size): bench.to(bench.commits[size - 1]) for size in sizes}
        answers: dict[str, set[str]] = {size: set() for size in parts}
        arms: dict[str, Callable[[], Run]] = {
            size: functools.partial(_run, part, answers[size], OnConflict.PROVISIONAL)
            for size, part in parts.items()
        }
        for size, measured in measure.interleaved(arms, rounds).items():
            (hunks,) = {json.loads(answer)["hunks"] for answer in answers[size]}
            cpu = measure.median_cpu_seconds(measured)
            by_patch, by_hunk = 1000 * cpu / int(size), 1000 * cpu / max(1, hunks)
            print(
                f"{size:>5} patches: {hunks:5} hunks{cpu:7.1f} s CPU, {by_patch:.0f} ms a patch, "
                f"{by_hunk:.1f} a hunk, {measure.peak_mb(measured):.0f} MB"
            )


def _figures(arm: str, runs: list[Run], peer: list[Run] | None, answers: set[str]) -> str:
    cpu, seconds = measure.median_cpu_seconds(runs), measure.median_seconds(runs)
    words = [f"{arm:6}{cpu:7.1f} s CPU{seconds:7.1f} s{measure.peak_mb(runs):6.0f} MB"]
    if peer is not None and peer is not runs:
        by_cpu, by_clock = measure.median_cpu_seconds(peer), measure.median_seconds(peer)
        words.append(f"{by_cpu / cpu:5.1f} times git by CPU, {by_clock / seconds:.1f} by the clock")
    return "; ".join([*words, *sorted(answers)])


def _run(bench: Bench, answers: set[str], on_conflict: OnConflict) -> Run:
    return measured_run(answers, functools.partial(_answer, on_conflict=on_conflict), bench)


def _answer(bench: Bench, on_conflict: OnConflict) -> str:
    """Rebase; return the tree, and how many conflicts and hunks there are, as JSON."""
    result = rebased(bench, on_conflict)
    files = [file for patch in result.patches for file in patch.evidence.conflicts]
    hunks = [hunk for file in files for hunk in file.hunks]
    blamed = sum(bool(hunk.blamed) for hunk in hunks)
    statuses = [patch.status.value for patch in result.patches]
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    facts = {"tree": result.tree, "files": len(files), "hunks": len(hunks), "blamed": blamed}
    return json.dumps(facts | counts)


def prepare(row: Row, clones: Path, scratch: Path) -> Bench:
    """Return a row's queue as a line of commits, in a repository that borrows the clone's objects.

    Nothing is written to the clones.
    """
    source = _clone(clones, row.repository)
    match row.patches:
        case Commits(branch, upstream):
            onto, last = resolve(source, row.onto), resolve(source, branch)
            base = source.line("merge-base", resolve(source, upstream), last)
            return Bench(source, base, last, onto, scratch)
        case FirstParents(branch, base):
            git, first = _borrowing(source, scratch), resolve(source, base)
            last = _write_first_parents(git, first, resolve(source, branch))
        case PatchFiles() as files:
            git, first = _borrowing(source, scratch), resolve(source, files.base)
            folder = _read_patches(_clone(clones, files.repository), files, scratch / "patches")
            last = _write_patches(git, first, folder, scratch)
        case _:
            assert_never(row.patches)
    return Bench(git, first, last, resolve(source, row.onto), scratch)


def _clone(clones: Path, repository: str) -> Git:
    git = Git(clones.resolve() / repository.replace("/", "+") / "repo")
    if not git.git_dir.is_dir():
        raise SystemExit(f"{git.git_dir} is to be a bare clone of {repository}")
    return git


def _borrowing(source: Git, scratch: Path) -> Git:
    git = Git(scratch / "repository.git")
    git.init()
    alternates.write(git.git_dir, [source.objects_folder()])
    return git


def _write_first_parents(git: Git, base: str, tip: str) -> str:
    """Write a merging branch as a line; return its last commit."""
    span = ("--first-parent", "--reverse", tip, f"^{base}")
    with open_quarantine(git) as quarantine:
        last = base
        for oid in git.line("rev-list", *span).split():
            step = quarantine.objects.commit(oid)
            message, author = step.message, step.author
            last = quarantine.write_commit(step.tree, [last], author=author, message=message)
        quarantine.keep([last], [base, tip])
    return last


def _read_patches(git: Git, files: PatchFiles, folder: Path) -> Path:
    folder.mkdir()
    listed = git.line("ls-tree", "--name-only", f"{files.commit}:{files.folder}").split("\n")
    for name in listed:
        if name.endswith(".patch"):
            content = git.out("cat-file", "blob", f"{files.commit}:{files.folder}/{name}")
            (folder / name).write_bytes(content)
    return folder


def _write_patches(git: Git, base: str, folder: Path, scratch: Path) -> str:
    """Write patch files as commits; return the last one."""
    queue = scratch / "queue"
    kind, upstream = importing.SourceKind.FOLDER, str(git.git_dir)
    source = importing.ImportSource(kind, str(folder), upstream, base)
    importing.import_changes(source, queue, scratch / "import-cache", silent)
    with open_quarantine(git) as quarantine:
        last = materialise.queue_commits(storage.load(queue), quarantine)[-1].commit
        quarantine.keep([last], [base])
    return last
