"""Two smoke tests side by side: what fails and passes anew, where ops run, what became slower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.model import CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LARGEST = 256 << 20
"""Bytes of a document; one of a full set has a few megabytes."""

_SHORTEST_S, _SHORTEST_US = 0.5, 20.0
"""Times below which a machine's other work is all that differs."""

_SHARE = 0.05
"""A change of a device's share of time that is worth a word."""

_Key = tuple[str, str]


@dataclass(frozen=True)
class ChangedCheck:
    """A check that came out differently.

    Attributes:
        target: the processor that it was tried as.
        name: what was tried.
        before: how it came out; None where it was not there.
        after: likewise.
        why: why it fails now, or is not tried.
    """

    target: str
    name: str
    before: CheckOutcome | None
    after: CheckOutcome | None
    why: str


@dataclass(frozen=True)
class MovedOp:
    """An op that ran on one device and now runs on another, in a check that both runs have."""

    target: str
    check: str
    op: str
    before: str
    after: str


@dataclass(frozen=True)
class CoverageChange:
    """A device's share of the time of a training that changed, from 0 to 1."""

    target: str
    check: str
    device: str
    before: float
    after: float


@dataclass(frozen=True)
class Slowdown:
    """Something that takes longer.

    Attributes:
        target: the processor that it was tried as.
        check: the check.
        op: the op; empty for the check as a whole.
        before_s: seconds in the first run.
        after_s: seconds in the second.
    """

    target: str
    check: str
    op: str
    before_s: float
    after_s: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes."""
        return self.after_s / self.before_s


@dataclass(frozen=True)
class SmokeComparison:
    """What differs between two smoke tests.

    Attributes:
        before: what the first tried.
        after: what the second tried.
        new_failures: what fails now and did not.
        new_passes: what passes now and did not.
        dropped: what was tried and no longer is.
        moved: ops that run on another device.
        coverage: devices whose share of a training's time changed.
        slower: ops and checks that take longer; a single run's times, so no verdict.
        symbols_gained: symbols that are exported now and were not.
        symbols_lost: symbols that were exported and no longer are.
    """

    before: str
    after: str
    new_failures: tuple[ChangedCheck, ...]
    new_passes: tuple[ChangedCheck, ...]
    dropped: tuple[ChangedCheck, ...]
    moved: tuple[MovedOp, ...]
    coverage: tuple[CoverageChange, ...]
    slower: tuple[Slowdown, ...]
    symbols_gained: tuple[str, ...]
    symbols_lost: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether the second run lacks something that the first had, its speed aside."""
        return bool(self.new_failures or self.dropped or self.moved or self.symbols_lost)


def read(path: Path) -> documents.Json:
    """Return a document of schema smoke.v2 from a file.

    Raises:
        UsageError: it is no file, none of that schema, or too large.
    """
    try:
        return documents.read(files.read_small(path, _LARGEST), "smoke", 2)
    except documents.NotTheDocument as error:
        # Not 1, which says that the second run is worse.
        raise UsageError(
            error.what, where=str(path), hint="make one by `smoke … --json > FILE`"
        ) from None


def compare(
    before: documents.Json, after: documents.Json, *, slower: float = 1.5
) -> SmokeComparison:
    """Return what differs between two documents of schema smoke.v2.

    Args:
        before: the first run.
        after: the second run.
        slower: the ratio of times from which something counts as slower, at least 1.

    Raises:
        UsageError: the ratio is of no slower time.
    """
    if slower < 1:
        raise UsageError("`--slower` takes a ratio of 1 or more")
    first, second = _checks(before), _checks(after)
    changes = [_change(key, first.get(key), second.get(key)) for key in {**first, **second}]
    both = [(key, first[key], second[key]) for key in first if key in second]
    symbols = _symbols(first), _symbols(second)
    return SmokeComparison(
        before=before["subject"],
        after=after["subject"],
        new_failures=tuple(c for c in changes if _fails(c.after) and not _fails(c.before)),
        new_passes=tuple(c for c in changes if _passes(c.after) and not _passes(c.before)),
        dropped=tuple(c for c in changes if _is_tried(c.before) and not _is_tried(c.after)),
        moved=tuple(moved for pair in both for moved in _moved(*pair)),
        coverage=tuple(change for pair in both for change in _coverage(*pair)),
        slower=tuple(slow for pair in both for slow in _slowdowns(*pair) if slow.ratio >= slower),
        symbols_gained=_beyond(symbols[1], symbols[0]),
        symbols_lost=_beyond(symbols[0], symbols[1]),
    )


def _checks(document: documents.Json) -> dict[_Key, dict[str, Any]]:
    return {(check["target"], check["name"]): check for check in document["checks"]}


def _change(
    key: _Key, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> ChangedCheck:
    return ChangedCheck(
        *key,
        before=CheckOutcome(before["outcome"]) if before else None,
        after=CheckOutcome(after["outcome"]) if after else None,
        why=after["why"] if after else "it is not in the second run",
    )


def _fails(outcome: CheckOutcome | None) -> bool:
    return outcome is not None and outcome.is_failure


def _passes(outcome: CheckOutcome | None) -> bool:
    return outcome is CheckOutcome.PASSED


def _is_tried(outcome: CheckOutcome | None) -> bool:
    return outcome is not None and outcome.was_tried


def _moved(key: _Key, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[MovedOp]:
    """Yield the ops of a check that changed their device, as its evidence `ran_on` has them."""
    first, second = _mapping(before, "ran_on"), _mapping(after, "ran_on")
    for op in sorted(first.keys() & second.keys()):
        devices = _short(first[op]), _short(second[op])
        if devices[0] != devices[1]:
            yield MovedOp(*key, op, *devices)


def _slowdowns(
    key: _Key, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Slowdown]:
    """Yield the times of a check and of its ops (`op_us`, microseconds) in both runs."""
    seconds = before["seconds"], after["seconds"]
    if None not in seconds and min(seconds) >= _SHORTEST_S and _both_pass(before, after):
        yield Slowdown(*key, "", *seconds)
    first, second = _mapping(before, "op_us"), _mapping(after, "op_us")
    for op in sorted(first.keys() & second.keys()):
        times = first[op], second[op]
        if all(isinstance(time, (int, float)) for time in times) and min(times) >= _SHORTEST_US:
            yield Slowdown(*key, op, times[0] / 1e6, times[1] / 1e6)


def _both_pass(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before["outcome"] == after["outcome"] == CheckOutcome.PASSED.value)


def _coverage(
    key: _Key, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[CoverageChange]:
    """Yield what changed of the devices' shares of time, as the evidence `coverage` has them."""
    first, second = _mapping(before, "coverage"), _mapping(after, "coverage")
    for device in sorted({**first, **second}) if first and second else ():
        shares = first.get(device, 0.0), second.get(device, 0.0)
        numbers = all(isinstance(share, (int, float)) for share in shares)
        if numbers and abs(shares[1] - shares[0]) >= _SHARE:
            yield CoverageChange(*key, device, *shares)


def _symbols(checks: Mapping[_Key, Mapping[str, Any]]) -> set[str] | None:
    """Return the symbols that checks have seen (evidence `symbols`); None where none looked."""
    seen = [check["evidence"].get("symbols") for check in checks.values()]
    lists = [names for names in seen if isinstance(names, list)]
    return {str(name) for names in lists for name in names} if lists else None


def _beyond(symbols: set[str] | None, others: set[str] | None) -> tuple[str, ...]:
    """Return the symbols that the others lack, where both runs have looked."""
    return () if symbols is None or others is None else tuple(sorted(symbols - others))


def _mapping(check: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = check["evidence"].get(name)
    return value if isinstance(value, dict) else {}


def _short(device: object) -> str:
    """Return `GPU:0` of `/job:localhost/replica:0/task:0/device:GPU:0`."""
    return str(device).rpartition("device:")[2]
