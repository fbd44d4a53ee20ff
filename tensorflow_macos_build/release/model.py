"""A prepared release as a value: its files, where they come from, and what was looked at before."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "release.json"
SUMS = "SHA256SUMS"
PROVENANCE = "provenance.intoto.json"
NOTES = "RELEASE_NOTES.md"

ATTESTATION_SUFFIX = ".sigstore.json"
"""How files with signatures end. They are made of the finished files, so no document lists them."""

MOST = 64 << 20
"""Largest document of a release that is read, in bytes."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,254}")
"""Names that every destination keeps as they are: GitHub changes others."""

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class ReleaseBroken(WorkFailed):
    """A folder is not the release that its documents describe."""


class FileKind(Enum):
    """What a file of a release is."""

    WHEEL = "wheel"
    PLUGIN = "plugin"
    SBOM = "sbom"
    PROVENANCE = "provenance"
    NOTES = "notes"
    REPORT = "report"
    EVIDENCE = "evidence"


class GateOutcome(Enum):
    """What a check before a release came to."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"


@dataclass(frozen=True)
class Gate:
    """One check before a release.

    Attributes:
        name: what it is called, as `--waive` takes it.
        outcome: what it came to.
        why: what was seen; of a waived one, the reason that somebody gave.
        remedy: what to do about a failure.
    """

    name: str
    outcome: GateOutcome
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release: its name, its bytes by size and SHA-256, and what it is."""

    name: str
    size: int
    sha256: str
    kind: FileKind


@dataclass(frozen=True)
class Manifest:
    """What release.json says.

    Attributes:
        release: the config's name.
        tag: the tag that it is published under.
        project: the wheel's project.
        version: its version.
        upstream: the url, ref and commit that it was built of.
        tool: the version and the commit of this project that prepared it; "" where not known.
        gates: the checks before it; none has failed.
        files: all but release.json and SHA256SUMS, sorted by name.
    """

    release: str
    tag: str
    project: str
    version: str
    upstream: Mapping[str, str]
    tool: Mapping[str, str]
    gates: tuple[Gate, ...]
    files: tuple[ReleaseFile, ...]

    def of_kind(self, *kinds: FileKind) -> tuple[ReleaseFile, ...]:
        """Return the files of some kinds."""
        return tuple(file for file in self.files if file.kind in kinds)


def check_tag(tag: str) -> str:
    """Return a tag that git, URLs and file systems take as it stands.

    Raises:
        UsageError: it is none.
    """
    if not is_tag(tag):
        raise UsageError(
            f"`{tag}` is no tag of a release",
            hint="letters, digits and `._+-`, beginning with a letter or digit",
        )
    return tag


def is_tag(tag: str) -> bool:
    """Whether `check_tag` takes a tag."""
    return bool(_TAG.fullmatch(tag)) and not tag.endswith((".lock", ".")) and ".." not in tag


def is_name(name: str) -> bool:
    """Whether a file may have this name in a release."""
    return _NAME.fullmatch(name) is not None and not name.endswith(".")


def as_document(manifest: Manifest) -> documents.Json:
    """Return a manifest as a document of the schema release.v1."""
    body = {
        "release": manifest.release,
        "tag": manifest.tag,
        "project": manifest.project,
        "version": manifest.version,
        "upstream": dict(manifest.upstream),
        "tool": dict(manifest.tool),
        "gates": [
            {"name": gate.name, "outcome": gate.outcome.value, "why": gate.why}
            for gate in manifest.gates
        ],
        "files": [
            {"name": file.name, "kind": file.kind.value, "size": file.size, "sha256": file.sha256}
            for file in manifest.files
        ],
    }
    return documents.document("release", 1, body)


def parse(content: bytes) -> Manifest:
    """Return the manifest that the bytes of a release.json say.

    Raises:
        ReleaseBroken: they are no such document, or one that `of_document` refuses.
    """
    try:
        document = documents.read(content, "release", 1)
    except documents.NotTheDocument as error:
        raise ReleaseBroken(
            f"it is no manifest of a release: {error.what}", where=MANIFEST
        ) from None
    return of_document(document)


def of_document(document: documents.Json) -> Manifest:
    """Return the manifest that a document of the schema release.v1 says.

    Raises:
        ReleaseBroken: it names a file as none may be named, or its tag is none.
    """
    files = tuple(_file(row) for row in document["files"])
    names = Counter(file.name for file in files)
    if wrong := [name for name, times in names.items() if not is_name(name) or times > 1]:
        raise ReleaseBroken(f"a file may not be called `{wrong[0]}`", where=MANIFEST)
    if not is_tag(document["tag"]):
        raise ReleaseBroken(f"`{document['tag']}` is no tag of a release", where=MANIFEST)
    return Manifest(
        release=document["release"],
        tag=document["tag"],
        project=document["project"],
        version=document["version"],
        upstream=document["upstream"],
        tool=document["tool"],
        gates=tuple(
            Gate(row["name"], GateOutcome(row["outcome"]), row["why"]) for row in document["gates"]
        ),
        files=files,
    )


def _file(row: Mapping[str, Any]) -> ReleaseFile:
    return ReleaseFile(row["name"], row["size"], row["sha256"], FileKind(row["kind"]))
