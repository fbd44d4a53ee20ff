"""Driving Bazel: invocations, the build event stream, outputs and failures."""

from tensorflow_macos_build.bazel.driver import BazelBroken, BuildResult, build, shutdown
from tensorflow_macos_build.bazel.invocation import Invocation

__all__ = ["BazelBroken", "BuildResult", "Invocation", "build", "shutdown"]
