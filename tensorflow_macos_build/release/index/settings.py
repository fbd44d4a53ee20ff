"""What an index says of projects beyond what their wheels say: a file such as `ci/index.yaml`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.dist_info.tags import canonical, parse_version

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.dist_info.tags import WheelName

_Line = Annotated[str, pydantic.StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=1000)]
# PEP 700: of ISO 8601's forms the one with T and Z, to the second or finer.
_Time = Annotated[
    str,
    pydantic.StringConstraints(
        pattern=r"^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?Z$"
    ),
]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class ProjectSettings(_Strict):
    """What is said of a project.

    Attributes:
        status: PEP 792's.
        reason: why.
        yanked: withdrawn versions or file names, each with the reason.
        released: when a version was published.
    """

    status: Literal["active", "archived", "quarantined", "deprecated"] = "active"
    reason: _Line = ""
    yanked: dict[str, _Line] = {}
    released: dict[str, _Time] = {}

    def yank_of(self, name: WheelName) -> str | None:
        """Return why a wheel is withdrawn; None where it is not."""
        if (reason := self.yanked.get(str(name))) is not None:
            return reason
        return _of_version(self.yanked, name)

    def upload_of(self, name: WheelName) -> str | None:
        """Return when a wheel was published; None where it is not said."""
        return _of_version(self.released, name)


class IndexSettings(_Strict):
    """What a settings file says.

    Attributes:
        projects: by name, as anybody writes it.
        publisher: who attests, as PEP 740's provenance objects have it: at least its `kind`.
    """

    projects: dict[str, ProjectSettings] = {}
    publisher: dict[str, str] = {}

    def project(self, name: str) -> ProjectSettings:
        """Return what is said of a project of that normalised name."""
        named = (own for other, own in self.projects.items() if canonical(other) == name)
        return next(named, ProjectSettings())


def read(path: Path | None) -> IndexSettings:
    """Read a settings file; no path: nothing is said.

    Raises:
        UsageError: it is not there, is no YAML, or says something unknown.
    """
    if path is None:
        return IndexSettings()
    if not path.exists():
        raise UsageError("there is no such file of settings", where=str(path))
    table, problems = tree.read_file(path, str(path))
    if problems:
        raise tree.ConfigError(problems)
    return parse(tree.plain(table), str(path))


def parse(value: Any, where: str) -> IndexSettings:
    """Return a settings file's value as settings.

    Raises:
        UsageError: it says something unknown.
    """
    try:
        return IndexSettings.model_validate(_without_nulls(value) or {})
    except pydantic.ValidationError as error:
        lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise UsageError("it cannot be used", where=where, detail="\n".join(lines)) from None


def _without_nulls(value: Any) -> Any:
    """Return a tree without keys that say nothing: `projects:` with nothing below it."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}


def _of_version(table: dict[str, str], name: WheelName) -> str | None:
    versions = ((parse_version(key), value) for key, value in table.items())
    return next((value for version, value in versions if version == name.parsed_version), None)
