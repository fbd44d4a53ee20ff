"""What Bazel's exit status means (bazel.build/run/scripts, and what 4.2 was seen to do)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Who has to do something about a failed build."""

    BUILD = "build"
    """The source, a patch or the target is wrong."""
    USAGE = "usage"
    """The flags are wrong: the config."""
    INTERRUPTED = "interrupted"
    """Someone stopped it."""
    ENVIRONMENT = "environment"
    """The machine, the cache or Bazel itself; never the source."""


@dataclass(frozen=True)
class Meaning:
    """What a status says, and what to do about it."""

    kind: Kind
    what: str
    hint: str = ""


_AGAIN = "run the same command again: what was finished is kept"
_CACHE = "check the remote cache, or build without --remote_cache"

_TABLE = {
    1: Meaning(Kind.BUILD, "Bazel could not build the target"),
    2: Meaning(Kind.USAGE, "Bazel does not take its flags", "see `bazel` in the config"),
    7: Meaning(Kind.BUILD, "Bazel could not analyse the target"),
    8: Meaning(Kind.INTERRUPTED, "Bazel was interrupted", _AGAIN),
    9: Meaning(
        Kind.ENVIRONMENT,
        "another Bazel command uses the same output base",
        "wait until it has ended, or end it",
    ),
    32: Meaning(Kind.ENVIRONMENT, "Bazel failed for a reason outside of the build", _AGAIN),
    33: Meaning(
        Kind.ENVIRONMENT,
        "Bazel ran out of memory",
        "give it more (--set bazel.startup=[--host_jvm_args=-Xmx4g]) or fewer --set bazel.jobs=N",
    ),
    34: Meaning(Kind.ENVIRONMENT, "Bazel's remote cache or executor does not answer", _CACHE),
    36: Meaning(Kind.ENVIRONMENT, "Bazel cannot use this machine's files", "see the log"),
    37: Meaning(Kind.ENVIRONMENT, "Bazel's server died or failed in itself", _AGAIN),
    38: Meaning(Kind.ENVIRONMENT, "Bazel could not write its build events", _CACHE),
    39: Meaning(Kind.ENVIRONMENT, "the remote cache dropped what the build still needs", _AGAIN),
    45: Meaning(Kind.ENVIRONMENT, "Bazel could not publish its build events", _CACHE),
}


def meaning(status: int) -> Meaning:
    """Return the meaning of an exit status of the client; negative N: signal N ended it."""
    if status < 0:
        return Meaning(Kind.ENVIRONMENT, f"Bazel's client was ended by signal {-status}", _AGAIN)
    return _TABLE.get(
        status, Meaning(Kind.ENVIRONMENT, f"Bazel ended with the unknown status {status}")
    )
