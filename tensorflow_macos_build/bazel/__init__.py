"""Driving Bazel: invocations, the build event stream, outputs and failures."""

from tensorflow_macos_build.bazel.driver import BazelBroken, BuildResult, build, shutdown
from tensorflow_macos_build.bazel.invocation import Invocation
from tensorflow_macos_build.bazel.servers import end_server, environment

__all__ = [
    "BazelBroken",
    "BuildResult",
    "Invocation",
    "build",
    "end_server",
    "environment",
    "shutdown",
]
