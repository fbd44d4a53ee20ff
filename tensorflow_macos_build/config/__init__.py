"""build_configs as typed values that know where each came from."""

from tensorflow_macos_build.config.loading import FOLDER, Loaded, find_root, flatten, load, names
from tensorflow_macos_build.config.model import (
    Architecture,
    Architectures,
    Bazel,
    Cache,
    Fuse,
    FuseRule,
    FuseVerdict,
    Hazard,
    Host,
    Limits,
    Packaging,
    PythonBy,
    Release,
    Smoke,
    Upstream,
    Values,
    Verify,
)
from tensorflow_macos_build.config.schema import schema
from tensorflow_macos_build.config.tree import ConfigError, Problem, Source

__all__ = [
    "FOLDER",
    "Architecture",
    "Architectures",
    "Bazel",
    "Cache",
    "ConfigError",
    "Fuse",
    "FuseRule",
    "FuseVerdict",
    "Hazard",
    "Host",
    "Limits",
    "Loaded",
    "Packaging",
    "Problem",
    "PythonBy",
    "Release",
    "Smoke",
    "Source",
    "Upstream",
    "Values",
    "Verify",
    "find_root",
    "flatten",
    "load",
    "names",
    "schema",
]
