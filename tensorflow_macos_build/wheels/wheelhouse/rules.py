"""The verdicts that come with this package, for what is known to differ in projects' wheels."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import yaml
from packaging.utils import canonicalize_name

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError, printable
from tensorflow_macos_build.wheels.fuse.rules import Rule, parse_rule, rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_EVERY = "*"


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule for a project's wheels; the project `*` is every one."""

    project: str
    rule: Rule
    reason: str

    def is_about(self, project: str) -> bool:
        """Whether the rule is for wheels of a project."""
        return self.project in (_EVERY, canonicalize_name(project))


def known() -> tuple[KnownRule, ...]:
    """Read the rules that come with this package."""
    text = resources.files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8")
    return tuple(
        KnownRule(found["project"], rule(found["path"], found["verdict"]), found["reason"])
        for found in yaml.safe_load(text)
    )


def as_yaml(found: Iterable[KnownRule]) -> str:
    """Write rules as a file that `read` takes, the reason above each."""
    lines = ["rules:"]
    for one in found:
        written = {
            "project": one.project,
            "path": one.rule.path,
            "verdict": one.rule.verdict.value,
        }
        text = yaml.safe_dump([written], sort_keys=False, allow_unicode=True, width=10_000)
        lines += [f"# {printable(one.reason)}", text.rstrip("\n")]
    return "\n".join(lines)


def read(path: Path) -> tuple[KnownRule, ...]:
    """Read a file of rules: under `rules`, a project, a path and a verdict each.

    Raises:
        UsageError: it cannot be read, or a rule is malformed.
    """
    table, problems = tree.read_file(path, str(path))
    if problems:
        raise tree.ConfigError(problems)
    items = table.items.get("rules")
    if not isinstance(items, tree.Items) or len(table.items) > 1:
        what = "it must have a list under `rules`, and nothing else"
        raise tree.ConfigError([tree.Problem(what, table.source)])
    return tuple(_rule(item) for item in items.items)


def _rule(item: tree.Tree) -> KnownRule:
    found = tree.plain(item)
    wanted = ("project", "path", "verdict")
    if (
        not isinstance(found, dict)
        or {*found} != {*wanted}
        or not all(isinstance(value, str) for value in found.values())
    ):
        what = "a rule has a `project`, a `path` and a `verdict`, each a text"
        raise tree.ConfigError([tree.Problem(what, item.source)])
    return _known(found["project"], rule(found["path"], found["verdict"]), str(item.source))


def _known(project: str, stated: Rule, reason: str) -> KnownRule:
    return KnownRule(project if project == _EVERY else canonicalize_name(project), stated, reason)


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
    return _known(project, parse_rule(rest), "given by the caller")
