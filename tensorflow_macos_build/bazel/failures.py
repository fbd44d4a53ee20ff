"""What a failed build is reported as: whose fault it is, and in whose words.

The client's exit status decides, and the event stream tells apart what it leaves open. A stream
without its last event is cut off, whatever the client says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.bazel.build_events import end_of
from tensorflow_macos_build.bazel.exit_codes import (
    AGAIN,
    INTERNAL_ERROR,
    ExitKind,
    ExitMeaning,
    meaning,
)
from tensorflow_macos_build.errors import Interrupted, MacosBuildError, UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.bazel.build_events import BuildEvents

_SHOWN_LOG_LINES = 30


class BazelBroken(MacosBuildError):
    """Bazel itself could not work: its server died, its cache is gone, its folder is in use."""


class RemoteLost(BazelBroken):
    """A cache or a farm failed in a way that Bazel does not go on without."""


def error_of(
    status: int, events: BuildEvents, log: Path, targets: Sequence[str]
) -> MacosBuildError | None:
    """Return the error of a build; None when it succeeded.

    The first failures come first, and in their own words.
    """
    where = " ".join(targets)
    if status == 0:
        return _unusable(events, log, where)
    end = _meaning(status, events)
    match end.kind:
        case ExitKind.INTERRUPTED:
            return Interrupted(end.what, where=where, hint=end.hint)
        case ExitKind.USAGE:
            return UsageError(end.what, where=where, hint=end.hint, detail=_end_of_log(log))
        case ExitKind.REMOTE:
            return RemoteLost(end.what, where=where, hint=end.hint, detail=_end_of_log(log))
        case ExitKind.ENVIRONMENT:
            return BazelBroken(end.what, where=where, hint=end.hint, detail=_end_of_log(log))
        case ExitKind.BUILD:
            return _build_failed(end.what, events, log, where)
        case _:
            assert_never(end.kind)


def _unusable(events: BuildEvents, log: Path, where: str) -> MacosBuildError | None:
    """Return why a build that succeeded has no result that can be used, if so."""
    if events.too_many:
        hint = "see `bazel.target` in the config"
        return UsageError("the target gives more files than any wheel's", where=where, hint=hint)
    if not events.complete:
        what = "Bazel's build events end too early: what it has built is not known"
        return BazelBroken(what, where=where, hint=AGAIN, detail=_end_of_log(log))
    return None


def _meaning(status: int, events: BuildEvents) -> ExitMeaning:
    if status != INTERNAL_ERROR:
        return meaning(status)
    # That status has two causes: a server that was killed has said nothing of the build's end, one
    # that failed in itself has.
    if events.finished is None:
        what = "Bazel's server died in the middle of the build"
        return ExitMeaning(ExitKind.ENVIRONMENT, what, AGAIN)
    what = f"Bazel failed in itself ({events.finished.name})"
    return ExitMeaning(ExitKind.ENVIRONMENT, what, AGAIN)


def _build_failed(what: str, events: BuildEvents, log: Path, where: str) -> WorkFailed:
    hint = f"Bazel's own log is {log}"
    if events.failures:
        more = events.failed_actions - len(events.failures)
        texts = [str(failure) for failure in events.failures]
        if more:
            texts.append(f"and {more} more failed actions")
        first = events.failures[0].action
        what = f"{first.mnemonic} failed with status {first.status}"
        return WorkFailed(what, where=first.label, detail="\n".join(texts), hint=hint)
    # No action has failed: a target could not be loaded or analysed, and its events say why.
    detail = "\n".join(events.reasons)
    return WorkFailed(what, where=where, detail=detail or _end_of_log(log), hint=hint)


def _end_of_log(log: Path) -> str:
    """Return Bazel's last words, without the command line above them."""
    return "\n".join(end_of(log).splitlines()[1:][-_SHOWN_LOG_LINES:])
