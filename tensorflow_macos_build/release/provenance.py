"""Where wheels come from, as an in-toto statement with SLSA's provenance (v1).

Sources: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.1/provenance
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic

from tensorflow_macos_build.release.model import PROVENANCE, ReleaseBroken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.release.model import ReleaseFile

STATEMENT = "https://in-toto.io/Statement/v1"
SLSA = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:tensorflow-macos-build:build:v1"
"""What the parameters mean: `externalParameters` is a config as docs/config.md has it."""


@dataclass(frozen=True)
class BuildOrigin:
    """What a build was given and with what it was done, beside the wheels that came out.

    Attributes:
        parameters: the config that decided it.
        upstream: the url, ref and commit of the source.
        queue: the name of the queue of patches; "" without one.
        queue_files: the SHA-256 of each file of the queue.
        tree: the patched tree, as git names it.
        builder: the machine and the tools, by name.
        tool_commit: the commit of this project that built; "" where not known.
        thin_wheels: the wheels of one architecture that were joined, by name their SHA-256.
        caches: for each thin wheel how many actions were served by caches, and by which.
    """

    parameters: Mapping[str, Any]
    upstream: Mapping[str, str]
    queue: str
    queue_files: Mapping[str, str]
    tree: str
    builder: Mapping[str, str]
    tool_commit: str
    thin_wheels: Mapping[str, str]
    caches: Sequence[Mapping[str, Any]]


def statement(subjects: Sequence[ReleaseFile], origin: BuildOrigin) -> Json:
    """Return the statement about some wheels."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": file.name, "digest": {"sha256": file.sha256}} for file in subjects],
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": dict(origin.parameters),
                "internalParameters": {"tree": origin.tree, "caches": list(origin.caches)},
                "resolvedDependencies": _dependencies(origin),
            },
            # No time and no number of a run: the same inputs make the same bytes.
            "runDetails": {
                "builder": {"id": BUILD_TYPE, "version": dict(origin.builder)},
                "byproducts": [
                    {"name": name, "digest": {"sha256": digest}}
                    for name, digest in sorted(origin.thin_wheels.items())
                ],
            },
        },
    }


class _Model(pydantic.BaseModel):
    # Fields that are not known are ignored, as the specification asks of who reads (its "Parsing
    # rules").
    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)


class Resource(_Model):
    """A thing by its digests (in-toto's ResourceDescriptor)."""

    name: str = ""
    uri: str = ""
    digest: dict[str, str]


class Definition(_Model):
    """What a build was asked for."""

    build_type: str = pydantic.Field(alias="buildType")
    parameters: dict[str, Any] = pydantic.Field(alias="externalParameters")
    dependencies: tuple[Resource, ...] = pydantic.Field(alias="resolvedDependencies")


class Run(_Model):
    """What carried a build out."""

    builder: dict[str, Any]
    byproducts: tuple[Resource, ...] = ()


class Predicate(_Model):
    """SLSA's provenance."""

    definition: Definition = pydantic.Field(alias="buildDefinition")
    run: Run = pydantic.Field(alias="runDetails")


class Statement(_Model):
    """A statement of in-toto with SLSA's provenance, as far as it is read."""

    type_: Literal["https://in-toto.io/Statement/v1"] = pydantic.Field(alias="_type")
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = pydantic.Field(
        alias="predicateType"
    )
    subject: Annotated[tuple[Resource, ...], pydantic.Field(min_length=1)]
    predicate: Predicate

    def subjects(self) -> dict[str, str]:
        """Return the SHA-256 of each subject by its name; "" where it has none."""
        return {subject.name: subject.digest.get("sha256", "") for subject in self.subject}


def parse(content: bytes) -> Statement:
    """Return the statement that some bytes are.

    Raises:
        ReleaseBroken: they are none.
    """
    try:
        return Statement.model_validate_json(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ReleaseBroken(
            f"it is no statement of in-toto with SLSA's provenance: {where}: {first['msg']}",
            where=PROVENANCE,
        ) from None


def _dependencies(origin: BuildOrigin) -> list[Json]:
    upstream = origin.upstream
    source = {
        "uri": f"git+{upstream['url']}@{upstream['ref']}",
        "digest": {"gitCommit": upstream["commit"]},
    }
    tool = []
    if origin.tool_commit:
        digest = {"gitCommit": origin.tool_commit}
        tool = [{"name": "tensorflow-macos-build", "digest": digest}]
    queue = [
        {"name": f"patches/{origin.queue}/{name}", "digest": {"sha256": digest}}
        for name, digest in sorted(origin.queue_files.items())
    ]
    return [source, *tool, *queue]
