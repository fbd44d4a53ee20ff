"""Which findings of a lint are let pass: what a queue's `queue.yaml` and the command line allow."""

from __future__ import annotations

import difflib
import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.queue_files import LINT_KEY, QUEUE_FILE
from tensorflow_macos_build.patchqueue.review.lint import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.review.lint import LintFinding

    Allowances = Mapping[str, tuple[str, ...]]
    """Patterns of fnmatch(3) of file names, by a finding's code."""

_ALLOW = "allow"


def of_queue(folder: Path) -> Allowances:
    """Return what a queue allows under `lint.allow`; nothing where it is no queue yet.

    Raises:
        UsageError: `queue.yaml` cannot be read, or allows what no finding is called.
    """
    section = storage.load_lint(folder) if (folder / QUEUE_FILE).exists() else None
    if section is None:
        return {}
    allow = section.items.get(_ALLOW) if isinstance(section, tree.Table) else None
    if not isinstance(allow, tree.Table) or set(section.items) != {_ALLOW}:  # type: ignore[union-attr]  # a table has it
        raise UsageError(
            f"the one key of `{LINT_KEY}` is `{_ALLOW}`: file names by findings' codes",
            where=str(section.source),
        )
    for code, source in allow.keys.items():
        _refuse_unknown(code, str(source))
    return {code: tuple(_patterns(value)) for code, value in allow.items.items()}


def of_flags(values: Iterable[str]) -> Allowances:
    """Read the values of repeated `--allow CODE[:GLOB]` flags; without a pattern, of all files.

    Raises:
        UsageError: no finding is called so.
    """
    allowed: dict[str, tuple[str, ...]] = {}
    for value in values:
        code, _, pattern = value.partition(":")
        _refuse_unknown(code, f"--allow {value}")
        allowed[code] = (*allowed.get(code, ()), pattern or "*")
    return allowed


def applied(
    findings: Iterable[LintFinding], allowances: Iterable[Allowances]
) -> tuple[LintFinding, ...]:
    """Return the findings, those marked that one of several sources allows."""
    sources = tuple(allowances)
    return tuple(
        replace(finding, allowed=any(_is_allowed(finding, allowed) for allowed in sources))
        for finding in findings
    )


def _refuse_unknown(code: str, where: str) -> None:
    if code not in CODES:
        near = difflib.get_close_matches(code, CODES, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"the codes are {', '.join(CODES)}"
        raise UsageError(f"no finding is called `{code}`", where=where, hint=hint)


def _patterns(value: tree.Tree) -> Iterator[str]:
    items = value.items if isinstance(value, tree.Items) else (value,)
    for item in items:
        if isinstance(item, tree.Scalar) and item.text:
            yield item.text
        else:
            raise _no_pattern(item)
    if not items:
        raise _no_pattern(value)


def _no_pattern(value: tree.Tree) -> UsageError:
    what = "a finding is allowed in files: a pattern of names, or a list of them"
    return UsageError(what, where=str(value.source), hint='"*" for all of the queue')


def _is_allowed(finding: LintFinding, allowed: Allowances) -> bool:
    patterns = allowed.get(finding.code, ())
    return any(fnmatch.fnmatchcase(finding.file, pattern) for pattern in patterns)
