"""Proving that an installed wheel computes and trains, and on which device."""

from tensorflow_macos_build.smoke.legs import Host, SmokeTarget, this_host
from tensorflow_macos_build.smoke.run import Check, Outcome, Smoke, SmokeOptions, smoke

__all__ = ["Check", "Host", "Outcome", "Smoke", "SmokeOptions", "SmokeTarget", "smoke", "this_host"]
