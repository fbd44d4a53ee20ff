"""Why a patch has its status, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.verdict.wording import follows, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

_LINES_SHOWN = 12
"""Lines of a side of a hunk that people are shown; the document has all."""

_MEANINGS = {
    "same changes": "upstream made its very changes, which its files no longer hold",
    "recorded": "its message names commits of upstream, but upstream's files do not hold all of it",
    "same subject": "upstream has a change of this subject: the same one, in another form?",
    "mention": "upstream speaks of the same issue or commit",
}
"""What upstream's commits mean for a conflicting patch, by how they were found."""


def signed(commit: UpstreamCommit) -> str:
    """Return who made a commit, when, and where it can be read."""
    return f"{commit.author}, {commit.date} {commit.link}".rstrip()


def conflict_lines(patch: PatchStatus) -> Iterator[str]:
    """Yield lines on a conflicting patch: each file, hunk and culprit; what upstream had."""
    evidence = patch.evidence
    # First, since a patch that upstream has may only need to be dropped.
    if evidence.upstream:
        yield ""
        yield f"{patch.name}: {_MEANINGS[evidence.found_by]}"
        yield from _listed("in", evidence.upstream)
        yield from _listed("taken back in", evidence.reverted_by)
    for conflict in evidence.conflicts:
        yield ""
        yield f"{patch.name}: {conflict.path}"
        yield f"  {conflict.words}"
        if conflict.moved_to:
            yield f"  upstream moved it to {conflict.moved_to}"
        for hunk in conflict.hunks:
            yield f"  at line {hunk.line} (line {hunk.base_line} of the file it was made for)"
            yield from _lines("  | expects ", hunk.base)
            yield from _lines("  < finds   ", hunk.ours)
            yield from _lines("  > makes   ", hunk.theirs)
            yield from _blamed(hunk.blamed)
        if not conflict.hunks:  # each hunk has named its own
            yield from _blamed(conflict.blamed)
        if conflict.knock_on_of:
            yield f"  it {follows(conflict.knock_on_of)}"


def _lines(prefix: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        # A hunk that only adds or only takes away has an empty side, which would look as if it was
        # cut.
        yield f"{prefix}(no line)"
    # A generated file's hunk may have thousands of lines, and hide the other conflicts.
    for line in lines[:_LINES_SHOWN]:
        yield f"{prefix}{line}"
    if len(lines) > _LINES_SHOWN:
        yield f"{prefix}… {len(lines) - _LINES_SHOWN} more lines"


def _listed(how: str, commits: Sequence[UpstreamCommit]) -> Iterator[str]:
    for commit in commits:
        yield f"  {how} {named(commit)} {commit.link}".rstrip()


def _blamed(commits: Sequence[UpstreamCommit]) -> Iterator[str]:
    for commit in commits:
        yield f"  changed by {named(commit)}"
        yield f"             {signed(commit)}"
