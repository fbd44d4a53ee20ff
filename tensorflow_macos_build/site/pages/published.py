"""Releases as their documents tell them together: manifest, provenance, index, evidence, times."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.release import model, provenance, targets
from tensorflow_macos_build.release.model import FileKind, GateOutcome
from tensorflow_macos_build.site.times import instant
from tensorflow_macos_build.wheels.dist_info import tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.release.model import Manifest, ReleaseFile
    from tensorflow_macos_build.site.model import Shelf

_MACHINE_OPTION = re.compile(r"-m[a-z0-9.=+_-]+")
"""A compiler's option that chooses processors (`-mavx2`, `-march=haswell`, `-mcpu=apple-m1`)."""


@dataclass(frozen=True)
class SmokeCount:
    """What trying a wheel on one machine as one processor came to."""

    machine: str
    target: str
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class ReleasedWheel:
    """A wheel of a release.

    Attributes:
        file: its name, size and SHA-256.
        python: the interpreters that it is for.
        systems: the Macs that it is for, in words.
        instructions: what its machine code was compiled for, in words.
        listed: its row in a package index; None: it is in none.
        findings: how many findings of each severity `verify` has; None: it is not known.
        smoke: what came of trying it.
    """

    file: ReleaseFile
    python: str
    systems: tuple[str, ...]
    instructions: tuple[str, ...]
    listed: Json | None
    findings: Mapping[str, int] | None
    smoke: tuple[SmokeCount, ...]

    @property
    def url(self) -> str:
        """The address that serves it; "" where none is known that holds from everywhere."""
        url = str(self.listed["url"]) if self.listed else ""
        return url if url.startswith("https://") else ""


@dataclass(frozen=True)
class PublishedRelease:
    """A release: its manifest, wheels, when it was published ("": not known), and its checks."""

    manifest: Manifest
    wheels: tuple[ReleasedWheel, ...]
    time: str
    checks: tuple[Json, ...]


def collect(shelf: Shelf) -> tuple[PublishedRelease, ...]:
    """Return the releases, the newest version first; of two manifests of a tag the last counts."""
    manifests = {
        manifest.tag: manifest
        for manifest in (model.of_document(document.body) for document in shelf.of("release.v1"))
        if all(gate.outcome is not GateOutcome.FAILED for gate in manifest.gates)
    }
    facts = _Facts(shelf)
    releases = [facts.release(manifest) for manifest in manifests.values()]
    return tuple(sorted(releases, key=_by_version, reverse=True))


def _by_version(release: PublishedRelease) -> tuple[Any, ...]:
    version = tags.parse_version(release.manifest.version)
    return (version is not None, *((version,) if version else ()), release.manifest.tag)


class _Facts:
    """What all documents say of wheels, by their SHA-256, and of releases, by their tags."""

    def __init__(self, shelf: Shelf) -> None:
        """Gather them; of several documents about the same wheel or tag the last counts."""
        self._configs = dict(_configs(shelf))
        self._listed = {
            row["sha256"]: row
            for document in shelf.of("release-index.v1")
            for project in document.body["projects"]
            for row in project["files"]
        }
        evidence = [document.body for document in shelf.of("release-evidence.v1")]
        self._evidence = {body["wheel"]["sha256"]: body for body in evidence}
        self._times: dict[str, str] = {}
        for document in shelf.of("release-times.v1"):
            self._times |= document.body["times"]
        checks = [document.body for document in shelf.of("release-check.v1")]
        self._checks = {body["tag"]: tuple(body["checks"]) for body in checks}

    def release(self, manifest: Manifest) -> PublishedRelease:
        """Return a release with what is known of it."""
        wheels = manifest.of_kind(FileKind.WHEEL, FileKind.PLUGIN)
        known = tuple(self._wheel(file) for file in wheels)
        time = self._times.get(manifest.tag) or _uploaded(known)
        checks = self._checks.get(manifest.tag, ())
        return PublishedRelease(manifest, known, time if instant(time) else "", checks)

    def _wheel(self, file: ReleaseFile) -> ReleasedWheel:
        evidence = self._evidence.get(file.sha256)
        python, systems = _target(file)
        return ReleasedWheel(
            file=file,
            python=python,
            systems=systems,
            instructions=tuple(_instructions(self._configs.get(file.sha256, {}))),
            listed=self._listed.get(file.sha256),
            findings=Counter(row["severity"] for row in evidence["findings"]) if evidence else None,
            smoke=tuple(_counts(evidence["smoke"])) if evidence else (),
        )


def _target(file: ReleaseFile) -> tuple[str, tuple[str, ...]]:
    """Return the interpreters and the Macs that a wheel is for; nothing where its name is odd."""
    try:
        known = targets.target(file)
    except tags.BadName:
        return "", ()
    return known.python, known.systems


def _uploaded(wheels: Sequence[ReleasedWheel]) -> str:
    """Return when the first of some wheels was published, as a package index says; "" unknown."""
    times = [str(wheel.listed["uploaded"] or "") for wheel in wheels if wheel.listed]
    return min(filter(None, times), default="")


def _configs(shelf: Shelf) -> Iterator[tuple[str, Json]]:
    """Yield the SHA-256 of wheels, and the config that each was built by."""
    for document in shelf.of("provenance.v1"):
        yield document.body["wheel"]["sha256"], document.body["release"]
    for document in shelf.of("in-toto"):
        statement = provenance.Statement.model_validate(document.body)
        for digest in statement.subjects().values():
            yield digest, statement.predicate.definition.parameters


def _instructions(config: Json) -> Iterator[str]:
    """Yield for each architecture what its machine code was compiled for, as far as a config says.

    What a `--config` of the patched tree's .bazelrc stands for no document says, so it is named.
    """
    match config:
        case {"architectures": dict() as architectures}:
            for arch, settings in sorted(architectures.items()):
                options = " ".join(_MACHINE_OPTION.findall(" ".join(_flags(config, settings))))
                named = settings.get("bazel_config") if isinstance(settings, dict) else None
                words = [f"--config={named}"] * bool(named) + [options] * bool(options)
                yield f"{arch}: {' '.join(words) or 'the default'}"


def _flags(config: Json, settings: object) -> Iterator[str]:
    """Yield the options that reach the compiler for one architecture."""
    bazel = config.get("bazel")
    for part in (bazel, settings):
        match part:
            case {"flags": list() as flags}:
                yield from (str(flag) for flag in flags)
    match bazel:
        case {"configure_env": {"CC_OPT_FLAGS": str(options)}}:
            yield options


def _counts(rows: Sequence[Json]) -> Iterator[SmokeCount]:
    """Yield how many checks came out how, by machine and processor."""
    pairs = [(str(row["machine"]), str(row.get("leg", ""))) for row in rows]
    for machine, target in dict.fromkeys(pairs):
        outcomes = Counter(
            str(row.get("outcome", "unknown"))
            for row, pair in zip(rows, pairs, strict=True)
            if pair == (machine, target)
        )
        yield SmokeCount(machine, target, outcomes)
