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

_EVERY = "*"  # the project of rules that hold for wheels of any


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
    """Return the rules that come with this package."""
    text = resources.files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8")
    return tuple(
        KnownRule(entry["project"], rule(entry["path"], entry["verdict"]), entry["reason"])
        for entry in yaml.safe_load(text)
    )


def as_yaml(rules: Iterable[KnownRule]) -> str:
    """Return rules as a file that `read` takes, the reason above each."""
    lines = ["rules:"]
    for known_rule in rules:
        entry = {
            "project": known_rule.project,
            "path": known_rule.rule.path,
            "verdict": known_rule.rule.verdict.value,
        }
        # As wide as can be: a path that PyYAML folded could not be copied out of a terminal.
        text = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=10_000)
        lines += [f"# {printable(known_rule.reason)}", text.rstrip("\n")]
    return "\n".join(lines)


def read(path: Path) -> tuple[KnownRule, ...]:
    """Return the rules of a file: under `rules`, a project, a path and a verdict each.

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
    entry = tree.plain(item)
    if (
        not isinstance(entry, dict)
        or {*entry} != {"project", "path", "verdict"}
        or not all(isinstance(value, str) for value in entry.values())
    ):
        what = "a rule has a `project`, a `path` and a `verdict`, each a text"
        raise tree.ConfigError([tree.Problem(what, item.source)])
    return _known(entry["project"], rule(entry["path"], entry["verdict"]), str(item.source))


def _known(project: str, stated: Rule, reason: str) -> KnownRule:
    return KnownRule(project if project == _EVERY else canonicalize_name(project), stated, reason)


def parse_known_rule(text: str) -> KnownRule:
    """Return a rule that the command line gives as PROJECT:GLOB=VERDICT.

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
