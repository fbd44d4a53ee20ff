"""What Bazel's exit status means (bazel.build/run/scripts, and what 4.2 was seen to do)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ExitKind(Enum):
    """Who has to do something about a failed build."""

    BUILD = "build"
    """The source, a patch or the target is wrong."""
    USAGE = "usage"
    """The flags are wrong: the config."""
    INTERRUPTED = "interrupted"
    """Someone stopped it."""
    REMOTE = "remote"
    """The cache or the farm: without it the build may succeed."""
    ENVIRONMENT = "environment"
    """The machine or Bazel itself; never the source."""


@dataclass(frozen=True)
class ExitMeaning:
    """What a status says, and what to do about it."""

    kind: ExitKind
    what: str
    hint: str = ""


AGAIN = "run the same command again: what was finished is kept"
"""What to do about most of what is nobody's fault."""

INTERNAL_ERROR = 37
"""BLAZE_INTERNAL_ERROR: the server has failed in itself, or the client has lost it."""

_CACHE = "check cache and farm, or build without: --set cache.address= --set remote.address="

# The comments are the names in Bazel's source (lib/util/ExitCode.java), which may be renamed there
# while numbers stay. Those of other commands are not here: 3 and 4 are of `test`, 6 is of `run`.
_TABLE = {
    # BUILD_FAILURE, and PARSING_FAILURE: a BUILD file that cannot be read
    1: ExitMeaning(ExitKind.BUILD, "Bazel could not build the target"),
    # COMMAND_LINE_ERROR
    2: ExitMeaning(ExitKind.USAGE, "Bazel does not take its flags", "see `bazel` in the config"),
    # ANALYSIS_FAILURE
    7: ExitMeaning(ExitKind.BUILD, "Bazel could not analyse the target"),
    # INTERRUPTED
    8: ExitMeaning(ExitKind.INTERRUPTED, "Bazel was interrupted", AGAIN),
    # LOCK_HELD_NOBLOCK_FOR_LOCK
    9: ExitMeaning(
        ExitKind.ENVIRONMENT,
        "another Bazel command uses the same output base",
        "wait until it has ended, or end it",
    ),
    # REMOTE_ENVIRONMENTAL_ERROR
    32: ExitMeaning(ExitKind.ENVIRONMENT, "Bazel failed for a reason outside of the build", AGAIN),
    # OOM_ERROR
    33: ExitMeaning(
        ExitKind.ENVIRONMENT,
        "Bazel ran out of memory",
        "give it more (--set bazel.startup=[--host_jvm_args=-Xmx4g]) or fewer --set bazel.jobs=N",
    ),
    # REMOTE_ERROR
    34: ExitMeaning(ExitKind.REMOTE, "Bazel's remote cache or farm does not answer", _CACHE),
    # LOCAL_ENVIRONMENTAL_ERROR
    36: ExitMeaning(ExitKind.ENVIRONMENT, "Bazel cannot use this machine's files", "see the log"),
    INTERNAL_ERROR: ExitMeaning(
        ExitKind.ENVIRONMENT, "Bazel's server died or failed in itself", AGAIN
    ),
    # TRANSIENT_BUILD_EVENT_SERVICE_UPLOAD_ERROR, once PUBLISH_ERROR
    38: ExitMeaning(ExitKind.ENVIRONMENT, "Bazel could not write its build events", _CACHE),
    # REMOTE_CACHE_EVICTED, since 6.1 (bazelbuild/bazel#17496); before, and in some cases up to 7.1
    # (bazelbuild/bazel#21778), it was 34
    39: ExitMeaning(ExitKind.REMOTE, "the remote cache dropped what the build still needs", _CACHE),
    # PERSISTENT_BUILD_EVENT_SERVICE_UPLOAD_ERROR
    45: ExitMeaning(ExitKind.ENVIRONMENT, "Bazel could not publish its build events", _CACHE),
    # EXTERNAL_DEPS_ERROR
    48: ExitMeaning(
        ExitKind.ENVIRONMENT, "Bazel could not get what the tree depends on", "see the log"
    ),
}


def meaning(status: int) -> ExitMeaning:
    """Return the meaning of an exit status of the client; negative N: signal N ended it."""
    if status < 0:
        return ExitMeaning(
            ExitKind.ENVIRONMENT, f"Bazel's client was ended by signal {-status}", AGAIN
        )
    return _TABLE.get(
        status, ExitMeaning(ExitKind.ENVIRONMENT, f"Bazel ended with the unknown status {status}")
    )
