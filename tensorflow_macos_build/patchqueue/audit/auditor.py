"""The audit: from the lines that a queue adds to the names in them that upstream took away."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.patchqueue.audit import definitions, names_used, removals
from tensorflow_macos_build.patchqueue.audit.model import (
    AuditFinding,
    AuditResult,
    NameKind,
    NameUse,
    UsedName,
)
from tensorflow_macos_build.patchqueue.audit.tree_names import TreeNames
from tensorflow_macos_build.patchqueue.audit.words import WordScanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.diffs import FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.audit.names_used import LineNames
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

_AT_ONCE = 50
"""How many patches are in memory at once."""


class _Uses(NamedTuple):
    """The uses of names by one patch: the first, and how many there are."""

    first: NameUse
    lines: int


class Auditor:
    """Audits one move of a queue.

    Args:
        quarantine: holds the patches as commits, and the resulting tree.
        history: what upstream did between the two bases.
        tree: the tree that the move came to.
        ticker: told what is read.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        history: UpstreamHistory,
        tree: str,
        ticker: Ticker = silent,
    ) -> None:
        self._quarantine, self._history, self._ticker = quarantine, history, ticker
        self._before = TreeNames(quarantine, history.old)
        self._after = TreeNames(quarantine, tree)
        self._lines: dict[str, frozenset[str] | None] = {}
        self._resolved: dict[tuple[object, ...], UsedName | None] = {}

    def audit(self, patches: Sequence[QueueCommit]) -> AuditResult:
        """Return the names that patches use and that upstream took away."""
        used, defined = self._used(patches)
        old, new = map(self._quarantine.tree, (self._history.old, self._history.new))
        scanner = WordScanner(self._quarantine.git, old, new, self._ticker)
        words = {name.name.encode() for name in used if name.kind is NameKind.IDENTIFIER}
        gone = scanner.gone(words - defined)
        paths: dict[UsedName, tuple[str, ...]] = {
            UsedName(NameKind.IDENTIFIER, word.word.decode()): word.paths for word in gone.words
        }
        paths |= {name: (was,) for name in used if (was := self._was_in(name))}
        findings = self._findings(patches, paths) if paths else ()
        return AuditResult(findings, len(used), gone.unread)

    def _used(self, patches: Sequence[QueueCommit]) -> tuple[set[UsedName], set[bytes]]:
        """Return all names that patches use, and the words that they define themselves."""
        used: set[UsedName] = set()
        defined: set[bytes] = set()
        for _, file in self._files(patches):
            for name in names_used.of_file(file):
                if (resolved := self._resolve(file.path, name)) is not None:
                    used.add(resolved)
            defined |= definitions.words_in(line[1:] for line in file.added)
        return used, defined

    def _files(self, patches: Sequence[QueueCommit]) -> Iterator[tuple[QueueCommit, FileDiff]]:
        for start in range(0, len(patches), _AT_ONCE):
            asked = patches[start : start + _AT_ONCE]
            compared = diffs.of_commits(self._quarantine.git, [patch.commit for patch in asked])
            for patch in asked:
                for file in compared[patch.commit]:
                    yield patch, file

    def _resolve(self, using: str, name: LineNames) -> UsedName | None:
        """Return a name as the old base had it; None where it had none such."""
        if name.used.kind is NameKind.IDENTIFIER:
            return name.used
        root = self._before.root_of(using)
        key = (root, name.used, name.label)
        if key not in self._resolved:
            self._resolved[key] = self._in_tree(using, name)
        return self._resolved[key]

    def _in_tree(self, using: str, name: LineNames) -> UsedName | None:
        before, label = self._before, name.label
        if label is None:
            path = before.file(name.used.name, using)
            return UsedName(NameKind.FILE, path) if path else None
        package = before.package_of(label, using)
        if package is None:
            return None
        if name.used.kind is NameKind.LOAD:
            path = f"{package}/{label.target}".lstrip("/")
            has = before.has_symbol(path, name.used.name)
            return UsedName(NameKind.LOAD, f"{path}%{name.used.name}") if has else None
        if before.has_target(package, label.target, surely=True):
            return UsedName(NameKind.TARGET, f"//{package}:{label.target}")
        return None

    def _was_in(self, name: UsedName) -> str:
        """Return the file of the old base that had a name which is gone; "" where it is not.

        What the new base has, and a patch takes away itself, is not upstream's doing.
        """
        if name.kind is NameKind.IDENTIFIER or self._has(self._after, name):
            return ""
        if self._has(self._upstream, name):
            return ""
        match name.kind:
            case NameKind.FILE:
                return name.name
            case NameKind.LOAD:
                return name.name.partition("%")[0]
            case NameKind.TARGET:
                return self._before.build_file(_package_and_target(name)[0])

    def _has(self, tree: TreeNames, name: UsedName) -> bool:
        """Whether a tree has a file, a target or a loaded symbol that the old base had."""
        match name.kind:
            case NameKind.FILE:
                # an include path may lead below another workspace by now
                relative = name.name.removeprefix(self._before.root_of(name.name))
                return bool(tree.file(relative, name.name)) or tree.has_file(name.name)
            case NameKind.LOAD:
                path, _, symbol = name.name.partition("%")
                return not tree.has_file(path) or tree.has_symbol(path, symbol)
            case NameKind.TARGET:
                return tree.has_target(*_package_and_target(name), surely=False)
            case NameKind.IDENTIFIER:
                raise AssertionError("words are looked for in all files at once")

    @functools.cached_property
    def _upstream(self) -> TreeNames:
        return TreeNames(self._quarantine, self._history.new)

    def _findings(
        self, patches: Sequence[QueueCommit], paths: dict[UsedName, tuple[str, ...]]
    ) -> tuple[AuditFinding, ...]:
        history = self._history
        removed = removals.of_names(self._quarantine.git, history.old, history.new, paths)
        return tuple(
            AuditFinding(
                patch.name,
                used,
                uses.first,
                uses.lines,
                paths[used][0],
                history.describe(removed[used].commits),
                removed[used].renamed_to,
            )
            for patch, by_name in self._uses(patches, paths).items()
            for used, uses in sorted(by_name.items(), key=_by_kind)
        )

    def _uses(
        self, patches: Sequence[QueueCommit], gone: dict[UsedName, tuple[str, ...]]
    ) -> dict[QueueCommit, dict[UsedName, _Uses]]:
        """Return which patches use the names that are gone, and where.

        A line that a later patch takes away again is no use: in a queue that was imported from
        years of a fork's work these are most.
        """
        uses: dict[QueueCommit, dict[UsedName, _Uses]] = {}
        for patch, file in self._files(patches):
            for name in names_used.of_file(file):
                resolved = self._resolve(file.path, name)
                if resolved is None or resolved not in gone:
                    continue
                use = _use(file, name.line)
                if not self._stands(use):
                    continue
                known = uses.setdefault(patch, {}).get(resolved)
                first = known.first if known else use
                uses[patch][resolved] = _Uses(first, known.lines + 1 if known else 1)
        return uses

    def _stands(self, use: NameUse) -> bool:
        """Whether a line is in the resulting tree; so it counts where the file is not there.

        Upstream may have moved the file, and the merge followed.
        """
        if use.path not in self._lines:
            text = self._after.content(use.path)
            lines = None if text is None else frozenset(map(_shown, text.split(b"\n")))
            self._lines[use.path] = lines
        lines = self._lines[use.path]
        return lines is None or use.text in lines


def _package_and_target(name: UsedName) -> tuple[str, str]:
    package, _, target = name.name.removeprefix("//").rpartition(":")
    return package, target


def _by_kind(item: tuple[UsedName, _Uses]) -> tuple[str, str]:
    return item[0].kind.value, item[0].name


def _use(file: FileDiff, number: int) -> NameUse:
    """Return the added line of a number."""
    for hunk in file.hunks:
        added = [line for line in hunk.lines if line[:1] == b"+"]
        if hunk.new.start < number <= hunk.new.end:
            return NameUse(file.path, number, _shown(added[number - hunk.new.start - 1][1:]))
    raise AssertionError("a name's line is among the added ones")


def _shown(line: bytes) -> str:
    """Return a line as it is shown."""
    return decode_path(line).strip().encode("utf-8", "replace").decode()
