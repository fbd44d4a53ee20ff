"""A release of known cost: the miniature, and beside it a build in TensorFlow's form.

    .venv/bin/python -m benchmarks.simulated_release FOLDER [--seconds 1200] [--jobs 4]

FOLDER does not exist; its path has no space. A git repository is made in it: the miniature with a
package more, whose actions sleep and work for times that are drawn once and for all: host tools,
headers that they generate, compilations of very different cost, archives, links, and one wheel. It
is built for both architectures, as anyone builds a release: by `build`, in a project with its own
config. Each action tells a journal outside the sandbox that it began and ended, so that what ran is
known without a word of Bazel's or of this package's.

Prints what the actions cost together, what the build took, and what the report says beside what is
known.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure
from tensorflow_macos_build.upstream import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
FILES = Path(__file__).resolve().parent / "simulated"
NAME = "simulated"

LARGEST = 25.0
"""No action costs more than so many times the mean: TensorFlow's slowest compilations take minutes
where most take seconds."""

WORK = 0.1
"""The part of an action's time in which it keeps a processor busy; it sleeps for the rest, so that
others' work on the same processors moves the clock little."""

CONFIG = """\
extends: base
upstream:
  url: {upstream}
  ref: main
bazel:
  jobs: {jobs}
  flags:
    - --local_cpu_resources={jobs}
    - --sandbox_writable_path={journals}
architectures:
  arm64:
    bazel_config: release_macos_arm64
  x86_64:
    bazel_config: release_macos_x86
"""

_WORKER = """\
load("//third_party/zig:cc.bzl", "zig_host_tool")
load("//tensorflow/sim:sim.bzl", "sim_link")

package(default_visibility = ["//visibility:public"])

zig_host_tool(name = "worker", srcs = ["worker.c"])

sim_link(name = "core.bin", cost = "{core}", deps = [{libraries}])

sim_link(name = "python.bin", cost = "{python}", libraries = [":core.bin"])
"""

_LIBRARY = """\
load("//tensorflow/sim:sim.bzl", "sim_header", "sim_library", "sim_link")

package(default_visibility = ["//visibility:public"])

sim_library(
    name = "lib",
    srcs = {sources},
    costs = {costs},
    archive_cost = "{archive}",
    hdrs = {headers},
    deps = {deps},
)
"""
_HEADER = '\nsim_header(name = "ops", srcs = ["ops.def"], cost = "{generate}")\n'
_GENERATOR = '\nsim_link(name = "generator", cost = "{link}", deps = [":lib"])\n'


@dataclass(frozen=True)
class SimulatedPackage:
    """A package's costs in milliseconds, and the packages that it depends on by number."""

    compiles: tuple[int, ...]
    archive: int
    generate: int
    deps: tuple[int, ...] = ()


@dataclass(frozen=True)
class SimulatedCosts:
    """What each action of the release costs, in milliseconds.

    Attributes:
        host: the host tool's compilations and archive; `generate` is its link.
        packages: those that are compiled for each architecture.
        links: the library of all archives, and the one behind it.
    """

    host: SimulatedPackage
    packages: tuple[SimulatedPackage, ...]
    links: tuple[int, int]

    @classmethod
    def draw(cls, packages: int, compiles: int, seconds: float) -> SimulatedCosts:
        """Return costs that come to `seconds` for both architectures; always the same ones."""
        chance = random.Random(9)

        def weight() -> float:
            return min(chance.lognormvariate(0.0, 1.2), LARGEST)

        def package(number: int, size: int) -> tuple[list[float], float, float, tuple[int, ...]]:
            deps = tuple(sorted(chance.sample(range(number), min(number, chance.randint(0, 3)))))
            return [weight() for _ in range(size)], 0.3, 0.5, deps

        drawn = [package(0, compiles * 6), *(package(n, compiles) for n in range(packages))]
        sums = [sum(costs) + archive + generate for costs, archive, generate, _ in drawn]
        links = (15.0, 6.0)
        unit = seconds * 1000 / (sums[0] + 2 * (sum(sums[1:]) + sum(links)))
        made = [
            SimulatedPackage(
                tuple(max(1, round(cost * unit)) for cost in costs),
                max(1, round(archive * unit)),
                max(1, round(generate * unit)),
                deps,
            )
            for costs, archive, generate, deps in drawn
        ]
        return cls(made[0], tuple(made[1:]), (round(links[0] * unit), round(links[1] * unit)))

    @property
    def host_actions(self) -> int:
        """How many actions make the host tool."""
        return len(self.host.compiles) + 2

    @property
    def target_actions(self) -> int:
        """How many actions there are for each architecture."""
        return sum(len(package.compiles) + 2 for package in self.packages) + len(self.links)

    @property
    def actions(self) -> int:
        """How many actions of known cost there are, for both architectures."""
        return self.host_actions + 2 * self.target_actions

    @property
    def seconds(self) -> float:
        """What they cost together."""
        host = sum(self.host.compiles) + self.host.archive + self.host.generate
        target = sum(sum(p.compiles) + p.archive + p.generate for p in self.packages)
        return (host + 2 * (target + sum(self.links))) / 1000

    def seconds_of(self, output: str) -> float:
        """Return what an action costs, by the path of its output in the journal."""
        folder, _, name = output.partition("/tensorflow/sim/")[2].rpartition("/")
        if not folder:
            return self.links[name == "python.bin"] / 1000
        package = folder.partition("/")[0]
        costs = self.host if package == "host" else self.packages[int(package[1:])]
        if folder.endswith("/_objs"):
            return costs.compiles[int(name[1:-2])] / 1000
        return (costs.archive if name.endswith(".a") else costs.generate) / 1000

    def critical_seconds(self, *, host: bool) -> float:
        """Return the length of the longest chain, with or without the host tool's part of it."""
        tool = max(self.host.compiles) + self.host.archive + self.host.generate
        chains = (
            max(self.packages[n].generate for n in (number, *package.deps))
            + max(package.compiles)
            + package.archive
            for number, package in enumerate(self.packages)
        )
        return (tool * host + max(chains) + sum(self.links)) / 1000


@dataclass(frozen=True)
class SimulatedRelease:
    """The release's repository, config and journal, in a folder.

    Attributes:
        folder: where all of it lies.
        costs: what its actions cost.
        jobs: how many run at once.
    """

    folder: Path
    costs: SimulatedCosts
    jobs: int

    @property
    def repository(self) -> Path:
        """The upstream."""
        return self.folder / "upstream"

    @property
    def journal(self) -> Journal:
        """What actions write."""
        return Journal(self.folder / "journals" / "now")

    def make(self) -> None:
        """Write the repository."""
        self.journal.path.parent.mkdir(parents=True)
        bare = self.folder / "miniature.git"
        embedded.create(bare)
        _git(self.folder, "clone", "--quiet", "--branch=v2.17.0", str(bare), self.repository.name)
        for path, content in self._files():
            target = self.repository / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        _git(self.repository, "switch", "--quiet", "--force-create", "main")
        _git(self.repository, "add", "--all")
        who = ("-c", "user.name=A Benchmark", "-c", "user.email=benchmark@example.invalid")
        _git(self.repository, *who, "commit", "--quiet", "--message=Add a package of known cost")

    def project(self, folder: Path) -> SimulatedProject:
        """Return a new project that builds the release, in its own folder."""
        configs = folder / "build_configs"
        configs.mkdir(parents=True)
        shutil.copy(ROOT / "build_configs" / "base.yaml", configs)
        text = CONFIG.format(
            upstream=self.repository, jobs=self.jobs, journals=self.journal.path.parent
        )
        (configs / f"{NAME}.yaml").write_text(text, encoding="utf-8")
        return SimulatedProject(folder)

    def _files(self) -> Iterator[tuple[str, str]]:
        wheel = "tensorflow/tools/pip_package/BUILD"
        contents = (self.repository / wheel).read_text(encoding="utf-8")
        first = "_CONTENTS = [\n"
        assert first in contents
        yield wheel, contents.replace(first, f'{first}    "//tensorflow/sim:python.bin",\n')
        for name in ("worker.c", "sim.bzl"):
            yield f"tensorflow/sim/{name}", (FILES / name).read_text(encoding="utf-8")
        yield "tensorflow/sim/journal.bzl", f'JOURNAL = "{self.journal.path}"\n'
        count = len(self.costs.packages)
        libraries = ", ".join(f'"//tensorflow/sim/p{number}:lib"' for number in range(count))
        core, python = map(_cost, self.costs.links)
        text = _WORKER.format(core=core, python=python, libraries=libraries)
        yield "tensorflow/sim/BUILD", text
        yield from _package_files("host", self.costs.host, _GENERATOR, headers=[])
        for number, package in enumerate(self.costs.packages):
            yield from _package_files(f"p{number}", package, _HEADER, headers=[":ops"])


def _package_files(
    name: str, package: SimulatedPackage, more: str, headers: list[str]
) -> Iterator[tuple[str, str]]:
    folder = f"tensorflow/sim/{name}"
    sources = [f"k{number}.cc" for number in range(len(package.compiles))]
    body = _LIBRARY.format(
        sources=json.dumps(sources),
        costs=json.dumps([_cost(cost) for cost in package.compiles]),
        archive=_cost(package.archive),
        headers=json.dumps(headers),
        deps=json.dumps([f"//tensorflow/sim/p{number}:lib" for number in package.deps]),
    )
    last = _cost(package.generate)
    yield f"{folder}/BUILD", body + more.format(generate=last, link=last)
    yield f"{folder}/ops.def", name
    for source in sources:
        yield f"{folder}/{source}", f"{name}/{source}\n"


def _cost(milliseconds: int) -> str:
    work = round(milliseconds * WORK)
    return f"{milliseconds - work}:{work}"


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Journal:
    """The file in which each action notes its output when it begins and when it ends."""

    path: Path

    def read(self) -> tuple[Counter[str], Counter[str]]:
        """Return how often each action began, and how often it ended."""
        begun, ended = Counter[str](), Counter[str]()
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            word, _, output = line.partition(" ")
            (begun if word == "begin" else ended)[output] += 1
        return begun, ended

    def put_away(self, name: str) -> Journal:
        """Rename the file, so that the next action begins a new one; return the old one."""
        target = self.path.with_name(name)
        if self.path.exists():
            self.path.rename(target)
        return Journal(target)


@dataclass(frozen=True)
class SimulatedProject:
    """A folder in which the release is built."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def argv(self, *words: str) -> list[str]:
        """Return the command line of a build."""
        program = [sys.executable, "-m", "tensorflow_macos_build", "build"]
        return [*program, "--config", NAME, "--ignore", "host", *words]

    def start(self, *words: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a build whose words go to a file."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), **self.env}
        with log.open("wb") as sink:
            return subprocess.Popen(
                self.argv(*words), cwd=self.folder, env=env, stdout=sink, stderr=sink
            )

    def document(self, *words: str) -> dict[str, Any]:
        """Build, and return the document of what was done."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), **self.env}
        argv = self.argv("--json", *words)
        run = subprocess.run(argv, cwd=self.folder, env=env, stdout=subprocess.PIPE, check=True)
        made: dict[str, Any] = json.loads(run.stdout)
        return made


def efforts(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each wheel cost, by architecture."""
    rows = document["stages"]
    return {
        row["result"]["architecture"]: {**row["result"]["effort"], "seconds": row["seconds"]}
        for row in rows
        if row["stage"].startswith("build:")
    }


def report(release: SimulatedRelease, document: dict[str, Any], seconds: float) -> None:
    """Print what is known beside what was reported."""
    costs, (begun, ended) = release.costs, release.journal.read()
    assert begun == ended, "an action began and did not end"
    assert set(ended.values()) == {1}, "an action ran twice"
    assert len(ended) == costs.actions, (len(ended), costs.actions)
    print(
        f"{costs.actions} actions of {costs.seconds:.0f} s, each run once by the journal; "
        f"{costs.seconds / release.jobs:.0f} s on {release.jobs} at once; took {seconds:.0f} s"
    )
    for number, (architecture, effort) in enumerate(efforts(document).items()):
        expected = costs.target_actions + costs.host_actions * (number == 0)
        known = costs.critical_seconds(host=number == 0)
        print(
            f"{architecture}: {effort['seconds']:.0f} s, {effort['actions']} actions reported "
            f"({expected} of known cost), {effort['needed'] - effort['actions']} reused; "
            f"critical path {effort['time']['critical_seconds']:.1f} s ({known:.1f} s known)"
        )


def arguments(text: str | None, more: Mapping[str, int] | None = None) -> argparse.Namespace:
    """Return the arguments that the benchmarks with this release share, and more numbers."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    numbers = {"--seconds": 1200, "--jobs": 4, "--packages": 48, "--compiles": 20, **(more or {})}
    for flag, value in numbers.items():
        parser.add_argument(flag, type=int, default=value)
    return parser.parse_args()


def made(options: argparse.Namespace) -> SimulatedRelease:
    """Make the release that the arguments ask for, and print on which machine."""
    print(measure.machine(), flush=True)
    costs = SimulatedCosts.draw(options.packages, options.compiles, options.seconds)
    release = SimulatedRelease(options.folder.absolute(), costs, options.jobs)
    release.make()
    return release


def main() -> None:
    """Build the release once, unbroken."""
    release = made(arguments(__doc__))
    project = release.project(release.folder / "project")
    begun = time.monotonic()
    document = project.document()
    report(release, document, time.monotonic() - begun)


if __name__ == "__main__":
    main()
