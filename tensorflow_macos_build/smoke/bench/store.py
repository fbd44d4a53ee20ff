"""Where a benchmark's measurements are kept: a file each, so that an interrupt loses only one.

`design.json` says what they are measurements of. A folder takes no others: times of two designs do
not belong together.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.documents import NotTheDocument
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.bench.model import Measurement

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke.bench.arms import Arm
    from tensorflow_macos_build.smoke.bench.design import BenchDesign, PlannedRun

LARGEST = 4 << 20
"""Bytes of a measurement's file; one of 30 steps has 4 KB."""

_NUMBERS = ("first_step_s", "started", "seconds")


class MeasurementStore:
    """The measurements in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, design: BenchDesign) -> None:
        """Make the folder the one of a design, if it is no other's.

        Raises:
            UsageError: there are measurements of another design in it.
        """
        path = self.folder / "design.json"
        text = documents.dumps(documents.document("bench-design", 1, identity(design)))
        if not path.exists():
            files.write_text(path, text)
        elif files.read_small_text(path, LARGEST) != text:
            raise UsageError(
                "other arms, workloads, sizes or seeds were measured there",
                where=str(self.folder),
                hint="give another folder (`--out`), or delete this one",
            )

    def read(self, run: PlannedRun) -> Measurement | None:
        """Return what was measured of a run; None where nothing was yet.

        Raises:
            UsageError: its file is none of ours.
        """
        path = self._path(run)
        if not path.is_file():
            return None
        try:
            return from_document(
                run, documents.read(files.read_small(path, LARGEST), "bench-measurement", 1)
            )
        except NotTheDocument as error:
            hint = "delete it, and it will be measured again"
            raise UsageError(f"it is no measurement: {error}", where=str(path), hint=hint) from None

    def write(self, measurement: Measurement) -> None:
        """Keep a measurement."""
        files.write_text(self._path(measurement.run), documents.dumps(as_document(measurement)))

    def _path(self, run: PlannedRun) -> Path:
        # An arm's name may hold what is no name of a file everywhere, and differ by case alone.
        arm = hashlib.sha256(run.arm.encode()).hexdigest()[:8]
        name = f"{run.session:03}-{run.round:03}-{run.workload}-{arm}.json"
        return self.folder / "measurements" / name


def identity(design: BenchDesign) -> documents.Json:
    """Return what measurements must have in common: all of a design but how often."""
    return {
        "arms": [_arm(arm) for arm in design.arms],
        "workloads": list(design.workloads),
        "size": design.size,
        "rounds": design.rounds,
        "seed": design.seed,
    }


def as_document(measurement: Measurement) -> documents.Json:
    """Return a measurement as a document of the schema bench-measurement.v1."""
    body = asdict(measurement)
    # JSON has no NaN; a loss that is none is kept as the text that `float` reads.
    body["losses"] = [repr(loss) for loss in measurement.losses]
    body["steps_s"] = list(measurement.steps_s)
    return documents.document("bench-measurement", 1, {**body.pop("run"), **body})


def from_document(run: PlannedRun, document: documents.Json) -> Measurement:
    """Return the measurement that a document of bench-measurement.v1 holds.

    Raises:
        NotTheDocument: it is of another run.
    """
    if any(document[key] != value for key, value in asdict(run).items()):
        raise NotTheDocument("it is of another run than its name says")
    losses = tuple(map(float, document["losses"]))
    first, started, seconds = (float(document[key]) for key in _NUMBERS)
    steps, why, facts = tuple(document["steps_s"]), document["why"], document["facts"]
    return Measurement(run, why, first, steps, losses, started, seconds, facts)


def _arm(arm: Arm) -> documents.Json:
    wheels = filter(None, (arm.wheel, Path(arm.plugin) if arm.plugin else None))
    return {**asdict(arm), "sha256": [files.sha256(path) for path in wheels]}
