"""What has to hold before a release: each check as a pure function of what was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.model import Gate, GateOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES = ("clean-tree", "tag-free", "versions", "dist-whole", "verified", "plugins", "smoked")


@dataclass(frozen=True)
class SmokeCount:
    """What came of trying one wheel: how many checks passed, failed, or could not be run."""

    passed: int
    failed: int
    not_run: int


@dataclass(frozen=True)
class Seen:
    """What the gates judge.

    Attributes:
        changed: files of the checkout that differ from its commit; None: it is no repository.
        tags: the checkout's own tags.
        tag: the tag to be.
        versions: the version by who states it; "" for who states none.
        altered: files of dist/ that are not what its documents say, in words.
        errors: what verify has against the wheel, in words.
        plugins: the plugins that were put beside the wheel, by name what is wrong; "" for nothing.
        smoke: what came of trying this very wheel.
    """

    changed: tuple[str, ...] | None
    tags: frozenset[str]
    tag: str
    versions: Mapping[str, str]
    altered: tuple[str, ...]
    errors: tuple[str, ...]
    plugins: Mapping[str, str]
    smoke: SmokeCount


def judge(seen: Seen, waived: Mapping[str, str]) -> tuple[Gate, ...]:
    """Return all gates in order; one that fails and is waived has the reason in place of its why.

    Raises:
        UsageError: there is no gate of a name that is waived.
    """
    if unknown := sorted(set(waived) - set(NAMES)):
        hint = f"there are: {', '.join(NAMES)}"
        raise UsageError(f"there is no gate `{unknown[0]}` to waive", hint=hint)
    checks = (_clean, _tag_free, _versions, _whole, _verified, _plugins, _smoked)
    gates = [check(seen) for check in checks]
    return tuple(
        replace(gate, outcome=GateOutcome.WAIVED, why=f"{waived[gate.name]} ({gate.why})")
        if gate.outcome is GateOutcome.FAILED and gate.name in waived
        else gate
        for gate in gates
    )


def _gate(name: str, fault: str, fine: str, remedy: str) -> Gate:
    if fault:
        return Gate(name, GateOutcome.FAILED, fault, remedy)
    return Gate(name, GateOutcome.PASSED, fine)


def _clean(seen: Seen) -> Gate:
    if seen.changed is None:
        fault = "the checkout is no repository of git"
    else:
        fault = _some("changed", seen.changed)
    return _gate("clean-tree", fault, "nothing differs from the commit", "commit what is there")


def _tag_free(seen: Seen) -> Gate:
    fault = f"there is a tag {seen.tag}" if seen.tag in seen.tags else ""
    return _gate("tag-free", fault, f"no tag is called {seen.tag}", "give another by --tag")


def _versions(seen: Seen) -> Gate:
    stated = {who: version for who, version in seen.versions.items() if version}
    fault = ""
    if not stated:
        fault = "nothing states the version"
    elif len({_version(text) for text in stated.values()}) != 1:
        fault = "; ".join(f"{who} says {version}" for who, version in sorted(stated.items()))
    elif not _has(seen.tag, version := next(iter(stated.values()))):
        fault = f"the tag {seen.tag} does not have {version} in it"
    fine = f"all say {next(iter(stated.values()), '')}"
    return _gate("versions", fault, fine, "build again, or give a tag with the version by --tag")


def _has(tag: str, version: str) -> bool:
    """Whether a tag has a version in it, and not as a part of another, as v12.17.01 has 2.17.0."""
    return re.search(rf"(?<![0-9])(?<![0-9]\.){re.escape(version)}(?!\.?[0-9])", tag) is not None


def _version(text: str) -> Version | str:
    try:
        return Version(text)
    except InvalidVersion:
        return text


def _whole(seen: Seen) -> Gate:
    fault = _some("altered", seen.altered)
    return _gate("dist-whole", fault, "the files are those that were built", "build again")


def _verified(seen: Seen) -> Gate:
    fault = _some("errors", seen.errors)
    return _gate("verified", fault, "verify has no error", "see `scripts/inv verify`")


def _plugins(seen: Seen) -> Gate:
    fault = _some("not loaded", [f"{name}: {why}" for name, why in seen.plugins.items() if why])
    fine = f"{len(seen.plugins)} load beside the wheel" if seen.plugins else "there are none"
    return _gate("plugins", fault, fine, "see docs/plugins.md")


def _smoked(seen: Seen) -> Gate:
    count = seen.smoke
    fault = f"{count.failed} checks failed" if count.failed else ""
    if not fault and not count.passed:
        fault = "no check of this very wheel has passed"
    fine = f"{count.passed} checks passed, {count.not_run} not run"
    remedy = "run `scripts/inv smoke WHEEL --json` on a Mac, and give its document by --smoke"
    return _gate("smoked", fault, fine, remedy)


def _some(what: str, items: Sequence[str]) -> str:
    """Return the first of some items in a line; "" without any."""
    shown = ", ".join(items[:3])
    more = f" and {len(items) - 3} more" if len(items) > 3 else ""
    return f"{what}: {shown}{more}" if items else ""
