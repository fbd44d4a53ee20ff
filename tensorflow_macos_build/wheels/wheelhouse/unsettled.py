"""Packages that cannot be fused as things stand, all shown at once with what would settle them."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.fuse.plan import Undecided
from tensorflow_macos_build.wheels.wheelhouse import rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.errors import MacosBuildError


@dataclass(frozen=True)
class Unsettled:
    """A package whose two wheels cannot be joined.

    Attributes:
        project: its name.
        error: why.
    """

    project: str
    error: MacosBuildError

    @property
    def rules(self) -> tuple[rules.KnownRule, ...]:
        """Rules that would settle it, if a person finds them right; none where no rule can."""
        # Wheels that are damaged, or no pair, are joined by no rule.
        undecided = self.error.paths if isinstance(self.error, Undecided) else ()
        return tuple(rules.KnownRule(self.project, at.rule, at.reason) for at in undecided)

    def __str__(self) -> str:
        """Return it as lines, the first of which names the project."""
        return "\n".join([f"{self.project}: {self.error.what}", indent(self.error.detail, "    ")])


def error_of(packages: Sequence[Unsettled], done: int) -> WorkFailed:
    """Return one error for all packages; `done` others were fused and are kept."""
    settling = [rule for package in packages for rule in package.rules]
    thin = " ".join(f"--thin {package.project}" for package in packages)
    parts = [str(package) for package in packages]
    parts += [rules.as_yaml(settling)] if settling else []
    paste = "look at each file, save the rules that are right as rules.yaml and give --rules"
    hint = f"{paste} rules.yaml, or " if settling else ""
    return WorkFailed(
        f"{len(packages)} package{'s' if len(packages) > 1 else ''} cannot be fused; done and kept"
        f" in the cache: {done}",
        where=", ".join(package.project for package in packages),
        detail="\n".join(parts),
        hint=f"{hint}leave them as two thin wheels by {thin}",
    )
