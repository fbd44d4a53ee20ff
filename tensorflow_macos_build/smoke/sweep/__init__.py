"""The sweep: every kernel that a device registers, called beside the reference."""

from tensorflow_macos_build.smoke.sweep.exclusions import Exclusion
from tensorflow_macos_build.smoke.sweep.model import (
    OpSummary,
    SweepOutcome,
    SweepReport,
    SweepResult,
)
from tensorflow_macos_build.smoke.sweep.planning import ExcludedOp, RegistrationFault, SweepCase
from tensorflow_macos_build.smoke.sweep.run import SweepOptions, sweep

__all__ = [
    "ExcludedOp",
    "Exclusion",
    "OpSummary",
    "RegistrationFault",
    "SweepCase",
    "SweepOptions",
    "SweepOutcome",
    "SweepReport",
    "SweepResult",
    "sweep",
]
