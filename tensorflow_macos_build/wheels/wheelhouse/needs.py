"""What two wheels of one release ask installers for: it must be the same in both.

A rule may keep one wheel's METADATA where they differ, for the licence's text say. It must not hide
that one of the two needs another package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.dist_info import metadata
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = ("Name", "Version", "Requires-Python", "Requires-Dist", "Provides-Extra", "Dynamic")
"""Fields of PyPA's core metadata that decide what is installed."""

_MOST_FIELDS = 20_000
"""Fields of METADATA that are read; apache-airflow, with all its extras, has 1,000."""

_MOST_SHOWN = 60


class DifferingNeeds(WorkFailed):
    """Two wheels of one release that need different things."""


def refuse_differing_needs(first: Path, second: Path) -> None:
    """Compare what two wheels need.

    Raises:
        DifferingNeeds: they need different things.
    """
    needs, others = _needs(first), _needs(second)
    differences = [
        f"only {wheel.name}: {field}: {value}"
        for wheel, own in ((first, needs - others), (second, others - needs))
        for field, value in sorted(own)
    ]
    if differences:
        raise DifferingNeeds(
            "the two wheels do not need the same",
            where=f"{first.name}, {second.name}",
            detail="\n".join(differences[:_MOST_SHOWN]),
            hint="leave them thin by --thin PROJECT",
        )


def _needs(path: Path) -> set[tuple[str, str]]:
    with open_wheel(path) as wheel:
        member = f"{wheel.dist_info}/METADATA"
        try:
            fields = metadata.parse_fields(wheel.content("METADATA"))
        except metadata.BadMetadata as error:
            raise wheel.archive.broken(member, str(error)) from None
        if len(fields) > _MOST_FIELDS:
            what = f"it has more than the {_MOST_FIELDS} fields that are read"
            raise wheel.archive.broken(member, what)
    # A set: in which order a field's values stand says nothing to installers.
    return {
        (field, _meaning(field, str(value)))
        for field in _FIELDS
        for value in fields.get_all(field, [])
    }


def _meaning(field: str, value: str) -> str:
    """Return a value in one spelling: setuptools wrote `numpy (>=1.21)` before `numpy>=1.21`."""
    try:
        return str(Requirement(value)) if field == "Requires-Dist" else value
    except InvalidRequirement:  # what installers make of it is their affair, if it is in both
        return value
