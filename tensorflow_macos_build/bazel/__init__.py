"""Driving Bazel: invocations, the build event stream, outputs and failures."""

from tensorflow_macos_build.bazel import history
from tensorflow_macos_build.bazel.build_events import Failure
from tensorflow_macos_build.bazel.caching import CacheFlags
from tensorflow_macos_build.bazel.driver import BuildResult, build, shutdown
from tensorflow_macos_build.bazel.externals import Externals, cache_origins
from tensorflow_macos_build.bazel.externals import ask as externals_of
from tensorflow_macos_build.bazel.failures import BazelBroken, RemoteLost
from tensorflow_macos_build.bazel.files import BuildFiles
from tensorflow_macos_build.bazel.history import PastBuild
from tensorflow_macos_build.bazel.inherited import inherited
from tensorflow_macos_build.bazel.invocation import Invocation
from tensorflow_macos_build.bazel.profile import ActionTime, ActionTimes
from tensorflow_macos_build.bazel.server_watch import ServerWatch
from tensorflow_macos_build.bazel.servers import end_server, environment

__all__ = [
    "ActionTime",
    "ActionTimes",
    "BazelBroken",
    "BuildFiles",
    "BuildResult",
    "CacheFlags",
    "Externals",
    "Failure",
    "Invocation",
    "PastBuild",
    "RemoteLost",
    "ServerWatch",
    "build",
    "cache_origins",
    "end_server",
    "environment",
    "externals_of",
    "history",
    "inherited",
    "shutdown",
]
