"""Kill a command at moments spread over its run; the same command again must finish the work.

    .venv/bin/python -m benchmarks.kill_campaign [--kills 40] [--seed 0] [NAME ...]

For each command: a project is made and brought to where the command starts. An undisturbed run says
what is to come out. Then, from the same start, the whole process group gets SIGKILL at one moment
after the other, and the same command line is run again: it must end with the same status, leave
the same files, the same state of a rebase, and nothing else: no temporary file, no lock of git, not
in TMPDIR, --out, patches/ or build/. Without names: all but `build`, of which a kill takes minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.rebase import session  # noqa: F401
from tensorflow_macos_build.tasks import program
from tests.machos import Toolchain
from tests.package_index import package_index
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
ONTO = "v2.18.0"
PLACER = "tensorflow/core/common_runtime/placer.c"
_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
LITTER = (".tmp-*", ".old-*", "tmp_*", "*.lock", "tensorflow-macos-build-*")


@dataclass(frozen=True)
class Project:
    """A folder with the demo's queue and config, that commands are run in."""

    folder: Path

    def start(self, words: Sequence[str]) -> int:
        """Start a command in a process group of its own; return its id.

        It is a fork of this process, which has loaded the package: kills while it would load are
        many and show nothing.
        """
        child = os.fork()
        if child:
            return child
        os.setsid()
        os.chdir(self.folder)
        os.environ.update(TMPDIR=str(self.folder / "tmp"), CI="false")
        tempfile.tempdir = None
        for number, name in ((0, os.devnull), (1, os.devnull), (2, "stderr.txt")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666), number)
        sys.argv = ["inv", *words]
        status = 1
        try:
            program.main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def run(self, *words: str) -> int:
        """Run a command to its end; return its status."""
        _, status = os.waitpid(self.start(words), 0)
        return os.waitstatus_to_exitcode(status)

    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Command:
    """A command to kill: its words, what must have been run before, what else it needs."""

    words: tuple[str, ...]
    before: tuple[Callable[[Project], object], ...] = ()


def ran(*words: str) -> Callable[[Project], object]:
    return lambda project: project.run(*words)


def settle(project: Project) -> None:
    """Settle the conflict by the patch's lines."""
    path = project.folder / "build/rebase/demo" / PLACER
    inside, lines = "", []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith(("<<<<<<< ", "||||||| ", "=======", ">>>>>>> ")):
            inside = line[0].strip(">")
        elif inside in ("", "="):
            lines.append(line)
    path.write_text("".join(lines), encoding="utf-8")


def amend(project: Project) -> None:
    path = project.folder / "build/edit/demo/tree/tensorflow/core/util/port.h"
    path.write_text(path.read_text(encoding="utf-8") + "/* amended */\n", encoding="utf-8")


def save_shorter(project: Project) -> None:
    """Put a copy of the queue without its last patch where an import takes it from."""
    saved = project.folder / "saved"
    shutil.copytree(project.folder / "patches/demo", saved)
    series = saved / "series"
    series.write_text("".join(series.read_text().splitlines(keepends=True)[:-1]))


def make_wheels(project: Project) -> None:
    noise = {"demo/noise": random.Random(5).randbytes(20_000_000), "demo/a.txt": b"a"}
    for arch in ("arm64", "x86_64"):
        Thin(arch, noise).write(project.folder)


QUEUE = ("--queue", "demo")
START = ("rebase.start", *QUEUE, "--onto", ONTO)
WHEELS = tuple(
    f"demo-1.0-cp311-cp311-{tag}.whl" for tag in ("macosx_12_0_arm64", "macosx_10_15_x86_64")
)
COMMANDS = {
    "rebase.start": Command(START),
    "rebase.continue": Command(("rebase.continue", *QUEUE), (ran(*START), settle)),
    "rebase.skip": Command(("rebase.skip", *QUEUE), (ran(*START),)),
    "rebase.skip to the end": Command(
        ("rebase.skip", *QUEUE), (ran(*START), ran("rebase.skip", *QUEUE))
    ),
    "rebase.abort": Command(("rebase.abort", *QUEUE), (ran(*START),)),
    "patches.abort": Command(("patches.abort", *QUEUE), (ran("patches.edit", "00200", *QUEUE),)),
    "rebase --write": Command(("rebase", *QUEUE, "--onto", "v2.17.0", "--write")),
    "patches.edit": Command(("patches.edit", "00200", *QUEUE)),
    "patches.continue": Command(
        ("patches.continue", *QUEUE), (ran("patches.edit", "00200", *QUEUE), amend)
    ),
    "patches.fold": Command(("patches.fold", "00600", "--into", "00500", *QUEUE)),
    "patches.split": Command(
        ("patches.split", "00300", "--path", "*BUILD", "--subject", "Build it", *QUEUE)
    ),
    "patches.reorder": Command(("patches.reorder", "00200", "--before", "00100", *QUEUE)),
    "patches.drop": Command(("patches.drop", "00800", *QUEUE)),
    "patches.import --replace": Command(
        (
            *("patches.import", *QUEUE, "--folder", "saved", "--against", "v2.16.0"),
            *("--upstream", "embedded:", "--replace"),
        ),
        (save_shorter,),
    ),
    "fuse": Command(("fuse", *WHEELS, "--out", "out"), (make_wheels,)),
    "wheelhouse": Command(
        ("wheelhouse", "native", "--index", "INDEX", "--out", "house"), (make_wheels,)
    ),
    "build": Command(("build",)),
}


def state_of(project: Project) -> dict[str, str]:
    """Return what a command leaves: files by path, and what is kept of a rebase."""
    state: dict[str, str] = {}
    for top in ("patches", "build/rebase", "build/edit", "out", "house", "dist"):
        for path in sorted((project.folder / top).rglob("*")):
            name = path.relative_to(project.folder)
            if path.is_file() and ".git" not in name.parts and "objects.git" not in name.parts:
                state[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    for report in list(state):  # they name times
        if report.endswith(("report.json", "report.html", "provenance.json", "SHA256SUMS")):
            state[report] = "there"
    for git_dir in sorted(project.folder.glob("build/mirrors/*/repository.git")):
        listed = (
            "for-each-ref",
            "--format=%(refname) %(tree)",
            "refs/tensorflow_macos_build/rebase",
        )
        argv = ["git", "--git-dir", str(git_dir), *listed]
        completed = subprocess.run(argv, check=True, capture_output=True, text=True)
        state[f"rebases of {git_dir.parent.name}"] = completed.stdout
    return state


def litter_of(project: Project) -> set[str]:
    """Return what looks temporary below the project, and all in the folder for such files."""
    left = [path for pattern in LITTER for path in project.folder.rglob(pattern)]
    left += (project.folder / "tmp").iterdir()
    return {str(path.relative_to(project.folder)) for path in left}


@dataclass
class Tally:
    """What came of a command's kills."""

    kills: int = 0
    faults: list[str] = field(default_factory=list)


def kill_at(project: Project, words: Sequence[str], moment: float) -> bool:
    """Start a command and kill it after some seconds; return whether it was still running."""
    child = project.start(words)
    end = time.monotonic() + moment
    while time.monotonic() < end and os.waitid(os.P_PID, child, _ENDED) is None:
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # it had no group of its own yet
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def restore(snapshot: Path, project: Project) -> None:
    """Put the project's folder back; at the same path, which work trees and mirrors remember."""
    shutil.rmtree(project.folder)
    shutil.copytree(snapshot, project.folder, symlinks=True)


def campaign(name: str, base: Path, index: str, kills: int, chance: random.Random) -> Tally:
    """Kill one command at moments spread over its run."""
    command = COMMANDS[name]
    words = [index if word == "INDEX" else word for word in command.words]
    project = Project(base / "project")
    for part in ("patches", "build_configs"):
        shutil.copytree(ROOT / part, project.folder / part)
    (project.folder / "tmp").mkdir()
    project.run("upstream.status")  # the mirror is there: other campaigns kill its making
    for step in command.before:
        step(project)
    snapshot = base / "snapshot"
    shutil.copytree(project.folder, snapshot, symlinks=True)
    begun = time.monotonic()
    status = project.run(*words)
    seconds = time.monotonic() - begun
    expected, stays = state_of(project), litter_of(project)  # lock files stay where they are
    tally, attempts = Tally(), 0
    print(f"{name}: undisturbed {seconds:.1f} s, status {status}", flush=True)
    while tally.kills < kills and attempts < 3 * kills:
        share = (attempts % kills + chance.random()) / kills
        attempts += 1
        restore(snapshot, project)
        if not kill_at(project, words, share * seconds):
            continue
        tally.kills += 1
        again = project.run(*words)
        if fault := _fault(project, (status, again), expected, stays):
            tally.faults.append(f"{name} at {share:.3f}: {fault}")
    return tally


def _fault(
    project: Project, statuses: tuple[int, int], expected: dict[str, str], stays: set[str]
) -> str:
    """Return what is wrong after a kill and the same command again; "" where nothing is."""
    if statuses[0] != statuses[1]:
        return f"status {statuses[1]}: {project.stderr()[-2000:]}"
    state = state_of(project)
    if state != expected:
        names = sorted(n for n in {*state, *expected} if state.get(n) != expected.get(n))
        return f"differs in {names}: {project.stderr()[-500:]}"
    left = sorted(litter_of(project) - stays)
    return f"lies around: {left}" if left else ""


@contextlib.contextmanager
def an_index(base: Path) -> Iterator[str]:
    """Yield the address of a package index that has one native package."""
    wheels = base / "wheels"
    wheels.mkdir()
    toolchain = Toolchain(base)
    for arch, system in {"arm64": "11.0", "x86_64": "10.9"}.items():
        code = toolchain.dylib("_code.so", "int code(void) { return 1; }", arch, minimum=system)
        members = {"native/_code.so": code.read_bytes(), "native/__init__.py": b""}
        tag = f"macosx_{system.replace('.', '_')}_{arch}"
        Thin(arch, members, "native", platform=tag).write(wheels)
    with package_index(wheels) as index:
        yield index.url


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.names or [name for name in COMMANDS if name != "build"]
    faults = 0
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        index = stack.enter_context(an_index(top)) if "wheelhouse" in names else ""
        for name in names:
            base = top / name.replace(" ", "-")
            base.mkdir()
            tally = campaign(name, base, index, arguments.kills, random.Random(arguments.seed))
            shutil.rmtree(base)
            faults += len(tally.faults)
            print(f"{name}: {tally.kills} kills, {len(tally.faults)} faults", flush=True)
            for fault in tally.faults:
                print(f"  {fault}", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
