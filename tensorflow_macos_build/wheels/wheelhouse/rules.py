"""The verdicts that come with this package, for what is known to differ in projects' wheels."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import yaml
from packaging.utils import canonicalize_name

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.rules import Rule, parse_rule, rule

_EVERY = "*"


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule for a project's wheels; the project `*` is every one."""

    project: str
    rule: Rule
    reason: str

    def is_about(self, project: str) -> bool:
        """Tell whether the rule is for wheels of a project."""
        return self.project in (_EVERY, canonicalize_name(project))


def known() -> tuple[KnownRule, ...]:
    """Read the rules that come with this package."""
    text = resources.files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8")
    return tuple(
        KnownRule(found["project"], rule(found["path"], found["verdict"]), found["reason"])
        for found in yaml.safe_load(text)
    )


def parse_known_rule(text: str) -> KnownRule:
    """Read a rule as the command line gives it, PROJECT:GLOB=VERDICT.

    Raises:
        UsageError: it is malformed.
    """
    project, colon, rest = text.partition(":")
    if not colon or not project:
        raise UsageError(
            f"the rule `{text}` is not PROJECT:GLOB=VERDICT",
            hint="e.g. numpy:numpy/__config__.py=arm64",
        )
    own = _EVERY if project == _EVERY else canonicalize_name(project)
    return KnownRule(own, parse_rule(rest), "given by the caller")
