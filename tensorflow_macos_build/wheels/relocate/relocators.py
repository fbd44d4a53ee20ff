"""The one door to the programs that move libraries into a wheel: delocate, and repairwheel.

On a Mac delocate does it, with Apple's tools. Elsewhere it is repairwheel's copy of delocate, whose
calls of Apple's tools are replaced by macholib and an ad-hoc signer. Both find libraries through
DYLD_LIBRARY_PATH and keep state in modules, so each job runs in a process of its own:
`python -m tensorflow_macos_build.wheels.relocate.relocators JOB.json RESULT.json`.

Both are told to go on where an install name leads nowhere: TensorFlow has modules that rely on a
library that another one has loaded. The caller looks for what is really missing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow_macos_build
from tensorflow_macos_build import process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Delocate = Callable[..., Mapping[str, Mapping[str, str]]]

DELOCATE = "delocate"
REPAIRWHEEL = "repairwheel"


@dataclass(frozen=True)
class RelocationJob:
    """What to relocate.

    Attributes:
        tool: DELOCATE or REPAIRWHEEL.
        wheel: absolute path of the wheel.
        out: absolute path of the wheel to write; the tool may give it truer platform tags.
        archs: the architectures that every library must have, as lipo names them.
    """

    tool: str
    wheel: str
    out: str
    archs: tuple[str, ...]


@dataclass(frozen=True)
class RelocationOutcome:
    """What the tool did.

    Attributes:
        copied: for each library that was copied, by its path on this machine, the members that
            load it.
        refused: why it gave up; empty when it did not.
    """

    copied: Mapping[str, list[str]]
    refused: str = ""


def relocate(job: RelocationJob, lib_dirs: tuple[Path, ...], scratch: Path) -> RelocationOutcome:
    """Do a job in a process of its own.

    Raises:
        process.ProgramFailed: it failed in a way that has no name here.
    """
    request, result = scratch / "job.json", scratch / "result.json"
    request.write_text(json.dumps(asdict(job)), encoding="utf-8")
    # The other process finds this package also where it is not installed.
    root = os.fspath(Path(tensorflow_macos_build.__file__).parents[1])
    inherited = os.environ.get("PYTHONPATH")
    process.run(
        [sys.executable, "-m", __name__, request, result],
        env={
            # Where both tools look first for a library of a name.
            "DYLD_LIBRARY_PATH": os.pathsep.join(str(path.resolve()) for path in lib_dirs) or None,
            # Their own temporary folders are then swept with the caller's after a kill.
            "TMPDIR": os.fspath(scratch),
            "PYTHONPATH": os.pathsep.join([root, *([inherited] if inherited else [])]),
        },
    )
    return RelocationOutcome(**json.loads(result.read_text(encoding="utf-8")))


def arguments(job: RelocationJob) -> dict[str, Any]:
    """Return the keyword arguments of delocate_wheel for a job; both tools have the same."""
    # repairwheel goes without (0.8, macos/repair.py); the caller looks at each copied library.
    checked = {"require_archs": list(job.archs)} if job.tool == DELOCATE else {}
    return {"in_wheel": job.wheel, "out_wheel": job.out, "ignore_missing": True, **checked}


def perform(
    job: RelocationJob, delocate: Delocate, refusals: tuple[type[Exception], ...]
) -> RelocationOutcome:
    """Call a delocate_wheel for a job.

    Args:
        job: what to do.
        delocate: the function.
        refusals: the errors by which it says that the wheel or a library will not do.
    """
    try:
        copied = delocate(**arguments(job))
    except refusals as error:
        return RelocationOutcome({}, str(error))
    return RelocationOutcome({library: sorted(users) for library, users in copied.items()})


def tool(name: str) -> tuple[Delocate, tuple[type[Exception], ...]]:
    """Return a tool's delocate_wheel, and the errors by which it refuses."""
    prefix = "" if name == DELOCATE else "repairwheel._vendor."
    if name == REPAIRWHEEL:
        repair = importlib.import_module("repairwheel.macos.repair")
        repair._patch_tools()  # puts macholib and a signer in the place of Apple's tools
    delocating = importlib.import_module(f"{prefix}delocate.delocating")
    # Of this module: repairwheel's patching loads libsana anew, with another class of that name.
    refused = delocating.DelocationError
    return delocating.delocate_wheel, (refused, ValueError)  # macholib: no room for a longer name


def main(request: str, result: str) -> None:
    """Do the job that a file holds, and write its outcome to another."""
    read = json.loads(Path(request).read_text(encoding="utf-8"))
    job = RelocationJob(read["tool"], read["wheel"], read["out"], tuple(read["archs"]))
    outcome = perform(job, *tool(job.tool))
    Path(result).write_text(json.dumps(asdict(outcome)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
