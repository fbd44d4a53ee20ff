"""What is wrong with a queue's folder, patch by patch, without any repository but for conditions.

Each rule is a generator of findings over the queue as it lies on the disk, so that one bad patch
does not hide the faults of the others. `CODES` says what every code means.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.console import in_phase, silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.formats import patch as patches
from tensorflow_macos_build.patchqueue.formats import series as series_format
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.formats.paths import show
from tensorflow_macos_build.patchqueue.formats.refused import Refused
from tensorflow_macos_build.patchqueue.queue import conditions, locate, storage
from tensorflow_macos_build.patchqueue.queue.metadata import REASONS, REQUIRED
from tensorflow_macos_build.patchqueue.queue.queue_files import QUEUE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.formats.diff import FileChange
    from tensorflow_macos_build.patchqueue.formats.patch import Header, Patch
    from tensorflow_macos_build.patchqueue.queue.conditions import UpstreamRevision

CODES = {
    "series-missing": "the series names a patch that is not in the folder",
    "series-unlisted": "a patch in the folder is not named by the series",
    "series-duplicate": "the series names a patch twice",
    "series-name": "an entry of the series is not the plain name of a file in the folder",
    "unreadable": "the file is not a patch that this tool, and git am, would take",
    "trailer-missing": "a trailer that every patch needs is not there",
    "reason-unknown": "the Reason trailer is none of " + ", ".join(REASONS),
    "upstream-missing": "a backport or a patch on its way upstream names no Upstream",
    "condition-unclear": "the Drop-When trailer is not a condition that can be decided",
    "condition-true": "the Drop-When condition has come true: the patch can go",
    "whitespace": "an added line ends in white space or has a space before a tab",
    "undone": "all that the patch does to a file undoes what an earlier patch of the queue did",
    "too-large": "the patch is larger than the queue allows",
    "pick-unpinned": "a pick names no commit, so nothing can be built of the queue",
    "forbidden-path": "the patch touches a path that the queue forbids",
}
"""Every code of a finding, and what it means."""


class LintSeverity(Enum):
    """Whether a finding fails the lint; what is allowed (`allowances`) does not."""

    ERROR = "error"
    WARNING = "warning"
    ALLOWED = "allowed"


# matters of taste, or of time: a queue that was right yesterday does not fail today
_WARNINGS = frozenset({"whitespace", "condition-true", "undone"})


@dataclass(frozen=True)
class LintLimits:
    """What a queue allows.

    Attributes:
        size: the largest patch file, in bytes.
        forbidden: path patterns of fnmatch(3) that no patch may touch.
    """

    size: int = 1 << 20
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class LintFinding:
    """One fault.

    Attributes:
        code: a key of `CODES`.
        file: the file's name in the queue's folder.
        line: the line in that file, from 1; None when it is about the file as a whole.
        message: what is wrong, in one sentence.
        allowed: whether the queue or the command line lets it pass.
    """

    code: str
    file: str
    line: int | None
    message: str
    allowed: bool = False

    @property
    def severity(self) -> LintSeverity:
        """Whether the finding fails the lint."""
        if self.allowed:
            return LintSeverity.ALLOWED
        return LintSeverity.WARNING if self.code in _WARNINGS else LintSeverity.ERROR


@dataclass(frozen=True)
class ListedPatch:
    """A patch that the series names and that could be read, and its file's name."""

    name: str
    patch: Patch


def lint(
    folder: Path,
    limits: LintLimits,
    upstream: UpstreamRevision | None = None,
    ticker: Ticker = silent,
) -> tuple[LintFinding, ...]:
    """Find the faults of the queue in `folder`.

    Args:
        folder: the queue's folder, with its `series`.
        limits: what the queue allows.
        upstream: the revision at which `Drop-When` conditions are decided; None: only their
            wording is checked.
        ticker: told how many patches are read, then how many are judged.

    Raises:
        UsageError: the folder has no `series`, or its `queue.yaml` is wrong.
    """
    series = _series(folder)
    findings = [*_series_findings(folder, series)]
    listed: list[ListedPatch] = []
    # each once: that it is named twice is a finding of its own
    names = list(dict.fromkeys(name for _, name in series))
    reading = in_phase(ticker, 1, 2, "reading")
    for number, name in enumerate(names):
        reading(number, len(names), name, unit="patches")
        if _is_plain(name) and (folder / name).is_file():
            result = _read(folder / name, limits)
            if isinstance(result, LintFinding):
                findings.append(result)
            else:
                listed.append(result)
    judging = in_phase(ticker, 2, 2, "judging")
    for number, patch in enumerate(listed):
        judging(number, len(listed), patch.name, unit="patches")
        findings += _trailer_findings(patch, upstream)
        findings += _path_findings(patch, limits)
        findings += _whitespace_findings(patch)
    findings += _undo_findings(listed)
    findings += _pick_findings(folder, upstream)
    return tuple(findings)


def _series(folder: Path) -> list[tuple[int, str]]:
    """Read the series' entries with their line numbers, be they as wrong as they may."""
    series = folder / "series"
    if not series.is_file():
        raise UsageError("this is no patch queue: it has no `series`", where=str(folder))
    content = files.read_small(series, series_format.MAX_BYTES)
    # not `series.parse`, which stops at the first fault
    lines = content.decode("utf-8", "surrogateescape").splitlines()
    words = [(number, line.partition("#")[0].split()) for number, line in enumerate(lines, 1)]
    return [(number, entry[0]) for number, entry in words if entry]


def _series_findings(folder: Path, series: Sequence[tuple[int, str]]) -> Iterator[LintFinding]:
    seen: set[str] = set()
    for number, name in series:
        if not _is_plain(name):
            yield LintFinding("series-name", "series", number, f"`{name}` has a `/` in it")
        elif name in seen:
            yield LintFinding("series-duplicate", "series", number, f"{name} stands above already")
        elif not (folder / name).is_file():
            yield LintFinding("series-missing", "series", number, f"there is no {name}")
        seen.add(name)
    # the other way round, too: a patch that nobody applies is easily taken for one that is
    for path in sorted(folder.glob("*.patch")):
        if path.name not in seen:
            yield LintFinding("series-unlisted", path.name, None, "the series does not name it")


def _is_plain(name: str) -> bool:
    return "/" not in name and name not in {".", ".."}


def _read(path: Path, limits: LintLimits) -> ListedPatch | LintFinding:
    size = path.stat().st_size
    if size > limits.size:
        message = f"it has {size:,} bytes; the queue allows {limits.size:,}"
        return LintFinding("too-large", path.name, None, message)
    content = files.read_small(path, limits.size)
    try:
        return ListedPatch(path.name, patches.parse(content, path.name))
    except Refused as refused:
        return LintFinding("unreadable", path.name, refused.line, refused.what)


def _trailer_findings(
    listed: ListedPatch, upstream: UpstreamRevision | None
) -> Iterator[LintFinding]:
    header = listed.patch.header
    # one finding for all of them: of an imported fork each patch lacks all three
    required = [key for key in REQUIRED if key != "Owner" or not _was_picked(header)]
    missing = [f"`{key}:`" for key in required if not header.trailer(key)]
    if missing:
        message = f"it has no trailer {' and no '.join(missing)}"
        yield LintFinding("trailer-missing", listed.name, None, message)
    reason = header.trailer("Reason")
    if reason and reason not in REASONS:
        message = f"`Reason: {reason}` is none of {', '.join(REASONS)}"
        yield LintFinding("reason-unknown", listed.name, None, message)
    names_upstream = header.trailer("Upstream") or _was_picked(header)
    if reason in {"backport", "upstreaming"} and not names_upstream:
        message = f"`Reason: {reason}` needs an `Upstream:` trailer, a link or a commit"
        yield LintFinding("upstream-missing", listed.name, None, message)
    if condition := header.trailer("Drop-When"):
        yield from _condition_findings(listed.name, condition, upstream)


def _was_picked(header: Header) -> bool:
    """Whether it was made of a pick, which needs no owner and names its change by itself."""
    named = header.trailer("Pull-Head") or header.trailer("Part-Of-Pull")
    return bool(named) or "(cherry picked from commit " in header.message


def _pick_findings(folder: Path, upstream: UpstreamRevision | None) -> Iterator[LintFinding]:
    """Yield what is wrong with the picks; what they say is checked whenever they are read."""
    if not (folder / QUEUE_FILE).exists():  # a folder of patches that is no queue yet
        return
    for pick in storage.load_head(folder)[1]:
        if not pick.is_pinned:
            hint = locate.command("patches.pin", folder)
            message = f"{pick.name} is not pinned to a commit; `{hint}` pins it"
            yield LintFinding("pick-unpinned", QUEUE_FILE, None, message)
        if upstream is not None and conditions.parse(pick.drop_when).holds(upstream):
            message = (
                f"`drop-when: {pick.drop_when}` of {pick.name} has come true at "
                f"{upstream.commit[:12]}"
            )
            yield LintFinding("condition-true", QUEUE_FILE, None, message)


def _condition_findings(
    name: str, text: str, upstream: UpstreamRevision | None
) -> Iterator[LintFinding]:
    try:
        condition = conditions.parse(text, name)
    except UsageError as error:
        yield LintFinding("condition-unclear", name, None, f"{error.what}; {error.hint}")
        return
    if upstream is not None and condition.holds(upstream):
        message = f"`Drop-When: {text}` has come true at {upstream.commit[:12]}"
        yield LintFinding("condition-true", name, None, message)


def _path_findings(listed: ListedPatch, limits: LintLimits) -> Iterator[LintFinding]:
    for change in listed.patch.changes:
        # a file that is moved away from a forbidden folder is touched there, too
        for path in sorted({show(change.old_path), show(change.new_path)}):
            for pattern in limits.forbidden:
                if fnmatch.fnmatchcase(path, pattern):
                    message = f"it touches {path}, which `{pattern}` forbids"
                    yield LintFinding("forbidden-path", listed.name, change.line, message)


def _whitespace_findings(listed: ListedPatch) -> Iterator[LintFinding]:
    for change in listed.patch.changes:
        for hunk in change.hunks:
            for offset, line in enumerate(hunk.body.split(b"\n"), 1):
                text = line.removesuffix(b"\r")  # a line end of CRLF is the file's, and no blank
                if text[:1] == b"+" and (text[1:] != text[1:].rstrip() or b" \t" in text[1:]):
                    message = f"white space in an added line of {show(change.new_path)}"
                    yield LintFinding("whitespace", listed.name, hunk.line + offset, message)


@dataclass(frozen=True)
class _FileEffect:
    """What one patch does to one file: the lines it takes away and those it brings."""

    name: str
    removed: Counter[bytes]
    added: Counter[bytes]
    kind: ChangeKind


def _undo_findings(listed: Sequence[ListedPatch]) -> Iterator[LintFinding]:
    history: dict[bytes, list[_FileEffect]] = {}
    for patch in listed:
        for change in patch.patch.changes:
            effect = _effect(patch.name, change)
            earlier = history.setdefault(change.new_path, [])
            # any of the earlier ones: patches between may have changed other lines of the file
            undone = next((past for past in earlier if _undoes(effect, past)), None)
            if undone is not None:
                message = f"it only undoes what {undone.name} does to {show(change.new_path)}"
                yield LintFinding("undone", patch.name, change.line, message)
            earlier.append(effect)


def _effect(name: str, change: FileChange) -> _FileEffect:
    removed: Counter[bytes] = Counter()
    added: Counter[bytes] = Counter()
    for hunk in change.hunks:
        for mark, content in hunk.lines():
            if mark == ord("-"):
                removed[content] += 1
            elif mark == ord("+"):
                added[content] += 1
    return _FileEffect(name, removed, added, change.kind)


def _undoes(effect: _FileEffect, past: _FileEffect) -> bool:
    # whatever its lines are by now: the file that the queue brought is gone
    if effect.kind is ChangeKind.DELETE and past.kind is ChangeKind.ADD:
        return True
    # counted, not compared in order: the lines may stand elsewhere by now
    # a change of mode has no lines, and would undo everything
    touched = effect.removed or effect.added
    return bool(touched) and effect.removed <= past.added and effect.added <= past.removed
