"""Stated verdicts: what to do with paths that the formats do not decide."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import Enum

from tensorflow_macos_build.errors import UsageError


class RuleVerdict(Enum):
    """What a rule may say of a path that is not equal in both wheels."""

    ARM64 = "arm64"
    """The fused wheel has what the arm64 wheel has at this path: its file, or nothing."""
    X86_64 = "x86_64"
    """Likewise for the x86_64 wheel."""
    EITHER_SIDE = "either-side"
    """A file that only one wheel has is kept, also when it is for one architecture alone."""
    BY_ARCHITECTURE = "by-architecture"
    """Both texts are kept in one file under `#if defined(__arm64__)…`, whatever its name."""
    BOTH = "both"
    """Both files are kept, each under a name that begins with its architecture."""
    IDENTICAL = "identical"
    """The file must be equal in both wheels, also where it could be merged or kept."""
    DROP = "drop"
    """The fused wheel has no such file."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of paths inside the wheel, and the verdict for those that differ."""

    path: str
    verdict: RuleVerdict

    def matches(self, path: str) -> bool:
        """Whether the rule is about a path."""
        return _pattern(self.path).fullmatch(path) is not None

    def __str__(self) -> str:
        """Return the rule as the command line takes it."""
        return f"{self.path}={self.verdict.value}"


def rule(path: str, verdict: str) -> Rule:
    """Make a rule of a pattern and a verdict's name.

    Raises:
        UsageError: the pattern is empty, or there is no such verdict.
    """
    try:
        stated = RuleVerdict(verdict)
    except ValueError:
        known = ", ".join(member.value for member in RuleVerdict)
        raise UsageError(
            f"there is no verdict `{verdict}`", where=f"rule for `{path}`", hint=f"use one: {known}"
        ) from None
    if not path:
        raise UsageError("a rule's path is empty", hint="give a pattern such as `pkg/**/*.py`")
    return Rule(path, stated)


def parse_rule(text: str) -> Rule:
    """Read a rule as the command line gives it, GLOB=VERDICT.

    Raises:
        UsageError: it is malformed, or there is no such verdict.
    """
    # The last one: a path may have another, a verdict has none.
    path, equals, verdict = text.rpartition("=")
    if not equals:
        raise UsageError(f"the rule `{text}` is not GLOB=VERDICT", hint="e.g. pkg/x.py=arm64")
    return rule(path, verdict)


def escaped(path: str) -> str:
    """Return a pattern that matches a path; where that has a wildcard, any character will do.

    Patterns have no way to quote one: `[` is a character like others, as file names often have it.
    """
    return re.sub(r"[*?]", "?", path)


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    """Make a regular expression of a glob: `*` and `?` stay within a folder, `**` does not."""
    # fnmatch's `*` crosses slashes, and pathlib's full match with `**` came with Python 3.13.
    parts, position = [], 0
    for wild in re.finditer(r"\*\*/|\*\*|\*|\?", glob):
        parts.append(re.escape(glob[position : wild.start()]))
        parts.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}[wild[0]])
        position = wild.end()
    return re.compile("".join(parts) + re.escape(glob[position:]), re.DOTALL)
