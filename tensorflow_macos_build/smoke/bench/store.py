"""Where a benchmark's measurements are kept: a file each, so that an interrupt loses only one.

`design.json` says what they are measurements of, and `environments/` what each arm imported. A
folder takes no others: times of two designs, or of two releases under one name, do not belong
together.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.documents import NotTheDocument
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.bench.installed import Distribution, Installed, changes
from tensorflow_macos_build.smoke.bench.model import Measurement

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke.bench.arms import Arm
    from tensorflow_macos_build.smoke.bench.design import BenchDesign, PlannedRun

LARGEST = 4 << 20
"""Bytes of a measurement's file; one of 30 steps has 4 KB."""

_ELSEWHERE = "give another folder (`--out`)"

_SHOWN = 5
"""Changes of an environment that an error names."""

_NUMBERS = ("first_step_s", "started", "seconds")


class MeasurementStore:
    """The measurements in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, design: BenchDesign) -> None:
        """Make the folder the one of a design, if it is no other's.

        Raises:
            UsageError: there are measurements of another design in it, or of nobody knows which.
        """
        path = self.folder / "design.json"
        document = documents.document("bench-design", 1, identity(design))
        if self._kept(path, document, f"delete {self.folder}, or {_ELSEWHERE}") != document:
            raise UsageError(
                "other arms, workloads, sizes, seeds or modules were measured there",
                where=str(self.folder),
                hint=f"{_ELSEWHERE}, or delete this one",
            )

    def require_same(self, arm: Arm, now: Installed) -> None:
        """Keep what is installed for an arm, or check that it is what was measured before.

        Raises:
            UsageError: something was installed, upgraded or removed meanwhile.
        """
        path = self.folder / "environments" / f"{_file_name(arm.name)}.json"
        document = documents.document("bench-environment", 1, asdict(now))
        kept = self._kept(path, document, f"delete {self.folder}, or {_ELSEWHERE}")
        different = changes(_installed(kept), now)
        if different:
            more = [f"and {len(different) - _SHOWN} more"] if len(different) > _SHOWN else []
            raise UsageError(
                f"what the arm `{arm.name}` imports is not what was measured before: "
                + "; ".join([*different[:_SHOWN], *more]),
                where=str(self.folder),
                hint=f"install what was there, or {_ELSEWHERE}",
            )

    def read(self, run: PlannedRun) -> Measurement | None:
        """Return what was measured of a run; None where nothing was yet.

        Raises:
            UsageError: its file is none of ours.
        """
        path = self._path(run)
        if not path.is_file():
            return None
        hint = "delete it, and it will be measured again"
        try:
            return from_document(run, _read(path, "bench-measurement", hint))
        except NotTheDocument as error:
            raise UsageError(f"it is no measurement: {error}", where=str(path), hint=hint) from None

    def write(self, measurement: Measurement) -> None:
        """Keep a measurement."""
        files.write_text(self._path(measurement.run), documents.dumps(as_document(measurement)))

    def _path(self, run: PlannedRun) -> Path:
        name = f"{run.session:03}-{run.round:03}-{run.workload}-{_file_name(run.arm)}.json"
        return self.folder / "measurements" / name

    @staticmethod
    def _kept(path: Path, document: documents.Json, hint: str) -> documents.Json:
        """Return what a file holds; a document that is written now where there is none."""
        if path.exists():
            return _read(path, document["schema"]["name"], hint)
        files.write_text(path, documents.dumps(document))
        return document


def identity(design: BenchDesign) -> documents.Json:
    """Return what measurements must have in common: all of a design but how often."""
    return {
        "module": design.module,
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


def _read(path: Path, name: str, hint: str) -> documents.Json:
    try:
        return documents.read(files.read_small(path, LARGEST), name, 1)
    except NotTheDocument as error:
        what = f"it is no {name.replace('bench-', '')} of a benchmark: {error}"
        raise UsageError(what, where=str(path), hint=hint) from None


def _installed(document: documents.Json) -> Installed:
    rows = document["distributions"].items()
    return Installed(document["python"], {name: Distribution(**row) for name, row in rows})


def _file_name(arm: str) -> str:
    # An arm's name may hold what is no name of a file everywhere, and differ by case alone.
    return hashlib.sha256(arm.encode()).hexdigest()[:8]


def _arm(arm: Arm) -> documents.Json:
    wheels = filter(None, (arm.wheel, Path(arm.plugin) if arm.plugin else None))
    return {**asdict(arm), "sha256": [files.sha256(path) for path in wheels]}
