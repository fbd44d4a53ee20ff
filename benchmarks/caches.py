"""The miniature built with real caches and a real farm: new, again, killed in mid-build, down.

    .venv/bin/python -m benchmarks.caches FOLDER [--nginx PROGRAM]
        [--buildgrid BGD [--database postgresql+psycopg2://…]]

FOLDER is made, and nothing in it is deleted; its path has no space. nginx is Debian's (package
`nginx`), `bgd` is of BuildGrid 0.4 or newer in an environment of its own. With a database, which
`bgd migrate apply` has made ready, BuildGrid is tried as a farm, too: its schedulers take
PostgreSQL only (package psycopg2), and a worker of this benchmark's own runs the actions. All three
wheels of the miniature are built as a user builds them, each time in a new folder and from nothing
but the cache.

Prints for each case the time, the actions by runner, the hit rate, and what the user was told. It
fails where a build fails, or where a second build is not all hits.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.cache_servers import BuildGrid, Farm, Nginx, Server
from tests.projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Outcome:
    """What came of a build.

    Attributes:
        seconds: wall-clock time of all of it.
        runners: how many processes each runner ran, for all wheels.
        warnings: what the user was told.
    """

    seconds: float
    runners: Counter[str]
    warnings: tuple[str, ...]

    @property
    def rate(self) -> float:
        """Which part of what a cache can hold came from one."""
        cacheable = sum(self.runners.values()) - self.runners["internal"]
        return self.runners["remote cache hit"] / cacheable


class Builder:
    """Builds the wheels of the miniature, in a new folder each time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def build(self, *settings: str) -> Outcome:
        """Build with some values laid over the config.

        Raises:
            RuntimeError: the build failed.
        """
        project = Project(self._folder / f"build-{next(self._numbers)}")
        flags = [part for setting in settings for part in ("--set", setting)]
        begun = time.monotonic()
        ended = project.run("--until", "fuse", "--json", *flags)
        seconds = time.monotonic() - begun
        if ended.returncode != 0:
            raise RuntimeError(f"a build failed:\n{ended.stderr}")
        efforts = [
            stage["result"]["effort"]
            for stage in json.loads(ended.stdout)["stages"]
            if stage["stage"].startswith("build:")
        ]
        runners: Counter[str] = Counter()
        for effort in efforts:
            runners.update(effort["runners"])
        lines = (line.strip() for line in ended.stderr.splitlines())
        return Outcome(seconds, runners, tuple(line for line in lines if "warning:" in line))


def cases(builder: Builder, server: Server) -> Iterator[tuple[str, Outcome]]:
    """Yield each case of one kind of server, as it is built."""
    with server:
        yield "new", builder.build(*server.settings)
        yield "again", builder.build(*server.settings)
    with server, Killer(server):
        yield "killed in mid-build", builder.build(*server.settings)
    yield "down", builder.build(*server.settings)


class Killer(threading.Thread):
    """Kills a server once it holds some files; the build goes on meanwhile."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            if self._server.count() >= self._server.killed_at:
                self._server.kill()
                return

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def show(kind: str, case: str, outcome: Outcome) -> None:
    """Print a case."""
    ran = ", ".join(f"{count} {name}" for name, count in sorted(outcome.runners.items()))
    print(f"{kind:10} {case:20} {outcome.seconds:6.1f} s  {100 * outcome.rate:5.1f} %  {ran}")
    for warning in outcome.warnings:
        print(f"    {warning}")
    sys.stdout.flush()


def main() -> int:
    """Run the cases of those servers whose programs are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nginx", type=Path)
    parser.add_argument("--buildgrid", type=Path)
    parser.add_argument("--database", default="")
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    builder = Builder(args.folder)
    kinds: dict[str, Callable[[], Server]] = {}
    if args.nginx:
        kinds["nginx"] = lambda: Nginx(args.folder / "nginx", args.nginx)
    if args.buildgrid:
        kinds["buildgrid"] = lambda: BuildGrid(args.folder / "buildgrid", args.buildgrid)
    if args.database:
        kinds["farm"] = lambda: Farm(args.folder / "farm", args.buildgrid, args.database)
    print(measure.machine())
    show("none", "", builder.build())
    for kind, make in kinds.items():
        for case, outcome in cases(builder, make()):
            show(kind, case, outcome)
            if case == "again" and outcome.rate < 1:
                print("    not all of it came from the cache", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
