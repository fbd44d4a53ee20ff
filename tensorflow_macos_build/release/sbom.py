"""A wheel's bill of materials: what it was made of, as a CycloneDX 1.6 document.

It is the same bytes for the same materials: its serial number is made of them, and it has no time.
It lies inside the wheel (PEP 770) and so cannot hold the wheel's own hash.

Source: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.documents import Json

NAME = "tensorflow-macos-build.cdx.json"
"""The document's name, in a wheel's `dist-info/sboms` and beside the wheel."""

_NAMESPACE = uuid.UUID("7d0e6a52-1f0b-5d37-9a2e-5b4f3f0f2c11")
_GITHUB = re.compile(r"^(?:https://|git@)github\.com[/:]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$")


class PatchKind(Enum):
    """Why a change is in the wheel and not upstream's; the values are CycloneDX's."""

    UNOFFICIAL = "unofficial"
    BACKPORT = "backport"


@dataclass(frozen=True)
class AppliedPatch:
    """A patch that the wheel has.

    Attributes:
        path: its file's path in this project.
        kind: why it is there.
        sha256: the SHA-256 of its file.
    """

    path: str
    kind: PatchKind
    sha256: str


@dataclass(frozen=True)
class AppliedPick:
    """An upstream change that the wheel has beyond its release.

    Attributes:
        name: what the queue calls it.
        commit: the full id of the commit that is taken.
        url: where it can be looked at; "" where that is not known.
    """

    name: str
    commit: str
    url: str = ""


@dataclass(frozen=True)
class ExternalArchive:
    """Somebody else's source that Bazel fetched for the build.

    Attributes:
        name: what Bazel calls the repository.
        urls: where it is fetched from.
        sha256: the SHA-256 of the archive; "" where upstream pins none.
        linked_into: the libraries of the wheel that have it linked in statically, sorted.
    """

    name: str
    urls: tuple[str, ...] = ()
    sha256: str = ""
    linked_into: tuple[str, ...] = ()


@dataclass(frozen=True)
class Materials:
    """What a wheel was made of.

    Attributes:
        project: the wheel's project.
        version: its version.
        upstream: the address of the repository that it was built of.
        ref: the tag or branch there.
        commit: the full id of the commit.
        patches: the patches on it, in the order of application.
        picks: the upstream changes before them.
        archives: what Bazel fetched.
        tool: this package's version.
        unknown: what is not known of the archives, in words.
    """

    project: str
    version: str
    upstream: str
    ref: str
    commit: str
    patches: tuple[AppliedPatch, ...]
    picks: tuple[AppliedPick, ...]
    archives: tuple[ExternalArchive, ...]
    tool: str
    unknown: tuple[str, ...] = ()


def content(materials: Materials) -> bytes:
    """Return the bill as the bytes of its file."""
    return (json.dumps(bill(materials), indent=2, ensure_ascii=False) + "\n").encode()


def bill(materials: Materials) -> Json:
    """Return the bill as a CycloneDX document."""
    refs = _refs(materials.archives)
    body = {
        "version": 1,
        "metadata": _metadata(materials),
        "components": list(map(_archive, materials.archives, refs)),
        "dependencies": [{"ref": "wheel", "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(body, sort_keys=True))
    head = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
    }
    return {**head, **body}


def _metadata(materials: Materials) -> Json:
    tool = {"type": "application", "name": "tensorflow-macos-build", "version": materials.tool}
    component = {
        "type": "library",
        "bom-ref": "wheel",
        "name": materials.project,
        "version": materials.version,
        "purl": f"pkg:pypi/{quote(materials.project)}@{quote(materials.version)}",
        "pedigree": _pedigree(materials),
        # A patch of CycloneDX's has no hashes, so these stand beside it.
        "properties": [
            *(_property(f"sha256:{patch.path}", patch.sha256) for patch in materials.patches),
            *(_property("unknown", words) for words in materials.unknown),
        ],
    }
    return {"tools": {"components": [tool]}, "component": component}


def _property(name: str, value: str) -> Json:
    return {"name": f"tensorflow-macos-build:{name}", "value": value}


def _pedigree(materials: Materials) -> Json:
    ancestor = {
        "type": "library",
        "bom-ref": "upstream",
        "name": "tensorflow",
        "version": materials.ref,
        "purl": _upstream_purl(materials.upstream, materials.commit),
    }
    return {
        "ancestors": [ancestor],
        "commits": list(_commits(materials.picks)),
        "patches": [
            {"type": patch.kind.value, "diff": {"url": quote(patch.path)}}
            for patch in materials.patches
        ],
    }


def _commits(picks: Sequence[AppliedPick]) -> Iterator[Json]:
    for pick in picks:
        url = {"url": pick.url} if pick.url else {}
        yield {"uid": pick.commit, **url, "message": pick.name}


def _archive(archive: ExternalArchive, ref: str) -> Json:
    component: Json = {"type": "library", "bom-ref": ref, "name": archive.name}
    if archive.sha256:
        component["hashes"] = [{"alg": "SHA-256", "content": archive.sha256}]
    if archive.urls:
        component["externalReferences"] = [
            {"type": "source-distribution", "url": url} for url in archive.urls
        ]
    if archive.linked_into:
        where = [{"location": path} for path in archive.linked_into]
        component["evidence"] = {"occurrences": where}
    stated = {"the address": archive.urls, "the SHA-256": archive.sha256}
    if missing := [_property("unknown", what) for what, value in stated.items() if not value]:
        component["properties"] = missing
    return component


def _refs(archives: Sequence[ExternalArchive]) -> list[str]:
    """Return what each archive is called in the document, where no two may be called alike."""
    # The two architectures may fetch different archives under one name.
    refs, times = [], Counter[str]()
    for archive in archives:
        times[archive.name] += 1
        number = f"#{times[archive.name]}" if times[archive.name] > 1 else ""
        refs.append(f"external/{archive.name}{number}")
    return refs


def _upstream_purl(url: str, commit: str) -> str:
    """Return the package URL of a commit (https://github.com/package-url/purl-spec)."""
    if match := _GITHUB.match(url):
        return f"pkg:github/{match[1].lower()}/{match[2].lower()}@{commit}"
    return f"pkg:generic/tensorflow@{commit}?vcs_url={quote(f'git+{url}@{commit}', safe='')}"
