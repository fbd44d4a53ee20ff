"""Proving that an installed wheel computes and trains, and on which device."""

from tensorflow_macos_build.smoke.environment import EnvironmentRequest
from tensorflow_macos_build.smoke.limits import KnownLimit
from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.run import SmokeOptions, smoke
from tensorflow_macos_build.smoke.targets import SmokeHost, SmokeTarget, this_host

__all__ = [
    "CheckOutcome",
    "EnvironmentRequest",
    "KnownLimit",
    "SmokeCheck",
    "SmokeHost",
    "SmokeOptions",
    "SmokeReport",
    "SmokeTarget",
    "smoke",
    "this_host",
]
