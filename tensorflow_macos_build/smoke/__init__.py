"""Proving that an installed wheel computes and trains, and on which device."""

from tensorflow_macos_build.smoke.legs import Host, Leg, this_host
from tensorflow_macos_build.smoke.run import Check, Outcome, Smoke, SmokeOptions, smoke

__all__ = ["Check", "Host", "Leg", "Outcome", "Smoke", "SmokeOptions", "smoke", "this_host"]
