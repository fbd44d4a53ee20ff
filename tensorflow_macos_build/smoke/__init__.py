"""Proving that an installed wheel computes and trains, and on which device."""

from tensorflow_macos_build.smoke.run import (
    CheckOutcome,
    SmokeCheck,
    SmokeOptions,
    SmokeReport,
    smoke,
)
from tensorflow_macos_build.smoke.targets import SmokeHost, SmokeTarget, this_host

__all__ = [
    "CheckOutcome",
    "SmokeCheck",
    "SmokeHost",
    "SmokeOptions",
    "SmokeReport",
    "SmokeTarget",
    "smoke",
    "this_host",
]
