"""What upstream did between a queue's old base and its new one."""

from __future__ import annotations

import bisect
import functools
import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import change_ids, commit_log, revisions
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.patchqueue.verdict import origins
from tensorflow_macos_build.patchqueue.verdict.commit_diffs import CommitDiffs
from tensorflow_macos_build.patchqueue.verdict.line_history import LineHistory
from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit, described

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange


_SNAPSHOT = 1000
"""Paths from which on a commit counts as a snapshot (a squash of many changes, an import): lines of
it are evidence in the files asked about alone, for among so many others equal lines are chance.
Between two snapshots of TensorFlow stand 600 MB of differences, 3 GB once they are read."""


class NamedCommits(NamedTuple):
    """The commits that a patch's message names as its own.

    Attributes:
        commits: those of them that the range has.
        complete: whether it names any, and the new base has every one.
    """

    commits: list[str]
    complete: bool


class UpstreamHistory(PathHistory):
    """The commits that a new base has and the old one has not; read when first needed.

    Args:
        git: where to ask.
        old: the old base, a full commit id.
        new: the new base, likewise.
        url: upstream's URL, for links.
        beside: as for `PathHistory`.
    """

    def __init__(
        self, git: Git, old: str, new: str, url: str = "", *, beside: Sequence[str] = ()
    ) -> None:
        super().__init__(git, old, new, beside=beside)
        self.url = url
        self._diffs = CommitDiffs(git)
        self._ids: dict[str, str | None] = {}
        self._described: dict[str, UpstreamCommit] = {}
        self._foreseen: Iterator[str] = iter(())
        self._lines: LineHistory | None = None

    def foresee(self, names: Iterable[str]) -> None:
        """Take note of ids of commits that may be asked about; read when the first one is."""
        self._foreseen = itertools.chain(self._foreseen, names)

    def expect(self, commits: Iterable[str]) -> None:
        """Let git compare commits, or patches as commits, that will be asked about."""
        self._diffs.expect(commits)

    def changes_in(self, path: str, commits: Sequence[str]) -> Iterator[TreeDiff]:
        """Return what commits, or patches as commits, change in a file, without context."""
        return self._diffs.in_file(commits, path)

    def lines_of(self, commit: str) -> Counter[bytes]:
        """Return the `significant_lines` of a commit, or of a patch as one."""
        return self._diffs.significant([commit])[0]

    def identical(self, patch: str, changes: Sequence[PathChange]) -> list[str]:
        """Return the commits that make exactly the changes of a patch, and no others."""
        commits, others = self._on_its_paths(changes)
        if not others:
            return commits
        change, *made = self._diffs.change_ids([patch, *others])
        not_it = {oid for oid, made_id in zip(others, made, strict=True) if made_id != change}
        return [oid for oid in commits if oid not in not_it]

    def expect_identical(self, patches: Iterable[tuple[str, Sequence[PathChange]]]) -> None:
        """Let git compare what `identical` will ask about patches."""
        asked: dict[str, None] = {}
        for patch, changes in patches:
            if others := self._on_its_paths(changes)[1]:
                asked |= dict.fromkeys([patch, *others])
        self._diffs.expect(asked)

    def _on_its_paths(self, changes: Sequence[PathChange]) -> tuple[list[str], list[str]]:
        """Return the commits on a patch's very paths, and those of them that are to be compared.

        Only these commits can be it, and those are that make of the same files the same.
        """
        commits = self.changing_only(change.path for change in changes)
        return commits, [oid for oid in commits if not self.makes(oid, changes)]

    def sharing(self, paths: Iterable[str], lines: Counter[bytes]) -> list[str]:
        """Return the commits on `paths` that change some of `lines`; those that share most first.

        `lines` are counted by `significant_lines`.
        """
        if not lines:
            return []
        asked = list(dict.fromkeys(paths))
        made = self._made(self.touching(asked), asked)
        shares = {commit: (lines & its_lines).total() for commit, its_lines in made}
        # sorted() is stable: of equal shares the order is the history's, the same each time.
        return sorted((c for c in shares if shares[c]), key=lambda commit: -shares[commit])

    def expect_lines(self, paths: Iterable[str]) -> int:
        """Let git compare the commits on `paths` whose lines will be asked for; return how many."""
        commits = [c for c in self.touching(list(dict.fromkeys(paths))) if not self._is_snapshot(c)]
        self._diffs.expect(commits)
        return len(commits)

    def covers(self, commits: Sequence[str], paths: Iterable[str], lines: Counter[bytes]) -> bool:
        """Whether commits on `paths` together make all of `lines`, counted as in `sharing`."""
        made: Counter[bytes] = Counter()
        for _, its_lines in self._made(commits, list(dict.fromkeys(paths))):
            # The largest count, not the sum: a line that one commit adds and another adds anew is
            # one.
            made |= its_lines
        return not lines - made

    def responsible_commits(
        self, paths: Iterable[str], before: TreeDiff, after: TreeDiff
    ) -> list[str]:
        """Return the commits behind a patch's new text: they changed its lines, or moved its files.

        `paths` are those that the patch touches.
        """
        texts = [{_bare(line) for file in diff for line in file.lines} for diff in (before, after)]
        # Context counts: a line beside the patch that upstream changed is what changed its text.
        different = texts[0] ^ texts[1]
        now = [file.path for file in after]
        asked = list(dict.fromkeys([*paths, *now]))
        made = self._made(self.touching(asked), asked)
        changed = [c for c, lines in made if not different.isdisjoint(map(_bare, lines))]
        gone = [file.path for file in before if file.path not in now]
        moved = [commit for path in gone for commit in self.removals(path)]
        return list(dict.fromkeys([*changed, *moved]))

    def _made(
        self, commits: Sequence[str], paths: Sequence[str]
    ) -> list[tuple[str, Counter[bytes]]]:
        """Return commits and the lines they change; of a snapshot only what it does to `paths`."""
        others = [commit for commit in commits if not self._is_snapshot(commit)]
        read = dict(zip(others, self._diffs.significant(others), strict=True))
        for commit in commits:
            if commit not in read:
                only = dict.fromkeys([*paths, *self._destinations(commit, paths)])
                read[commit] = self._diffs.significant([commit], list(only))[0]
        return [(commit, read[commit]) for commit in commits]

    def _destinations(self, commit: str, paths: Sequence[str]) -> list[str]:
        """Return the paths that a commit moves files to."""
        gone = [path for path in paths if commit in self.removals(path)]
        moves = self._diffs.moves(commit) if gone else {}
        return [moves[path] for path in gone if path in moves]

    def _is_snapshot(self, commit: str) -> bool:
        return len(self.paths_of(commit)) >= _SNAPSHOT

    def recorded(self, message: str) -> NamedCommits:
        """Return the commits of the range that a patch's message names as its own (`origins`)."""
        named = origins.named_in(message)
        merged = [oid for head in named.heads if (oid := self._landed(head))]
        if merged:
            return NamedCommits([oid for oid in merged if oid in self.commits], True)
        commits = [self._landed(name) for name in named.commits]
        requests = [self._merged(request) for request in named.pull_requests]
        known = [oid for oid in commits if oid] + [oid for oids in requests for oid in oids]
        whole = all(oid is not None for oid in commits) and all(requests)
        # A commit that the old base had already is no news: it proves, and is not named.
        in_range = [oid for oid in dict.fromkeys(known) if oid in self.commits]
        return NamedCommits(in_range, bool(known) and whole)

    def named_by(self, message: str) -> list[str]:
        """Return all commits of the range that a patch's message names in any way, as its own."""
        named = origins.named_in(message)
        landed = [oid for name in (*named.heads, *named.commits) if (oid := self._landed(name))]
        merged = [oid for request in named.pull_requests for oid in self._merged(request)]
        return [oid for oid in dict.fromkeys((*landed, *merged)) if oid in self.commits]

    def moved_to(self, path: str) -> list[str]:
        """Return the paths that commits moved a file to."""
        moves = (self._diffs.moves(commit) for commit in self.removals(path))
        return [moved[path] for moved in moves if path in moved]

    def taking_back(self, commit: str) -> list[str]:
        """Return the commits that say they revert one, or a merge, which may have brought it in."""
        taken = [commit, *(known.oid for known in self.commits.values() if known.is_merge)]
        sizes = {len(name) for names in self._reverting.values() for name in names}
        short = {oid[:size] for oid in taken for size in sizes}
        return [oid for oid, names in self._reverting.items() if not short.isdisjoint(names)]

    def holds(self, commit: str) -> bool:
        """Whether the new base has a commit in its history, and no later one takes it back."""
        oid = self._landed(commit)
        if oid is None or oid in self._taken_back:
            return False
        return oid not in self.commits or not self.reverts([oid])

    @functools.cached_property
    def _taken_back(self) -> frozenset[str]:
        """The commits that others say they revert; of a merge all that it brought in."""
        own = (names for oid, names in self._reverting.items() if oid in self.commits)
        names = {name for names in own for name in names}
        sizes = {len(name) for name in names}
        commits = self.commits.values()
        reverted = [c for c in commits if any(c.oid[:size] in names for size in sizes)]
        merges = [commit.oid for commit in reverted if commit.is_merge]
        brought = [self.git.line("rev-list", f"{merge}^1..{merge}").split() for merge in merges]
        return frozenset([c.oid for c in reverted] + [oid for oids in brought for oid in oids])

    def _landed(self, name: str) -> str | None:
        """Return the full id of a commit that the new base has, by a full or short id."""
        if name not in self._ids:
            foreseen, self._foreseen = self._foreseen, iter(())
            self._ids |= self._find(
                [name, *(other for other in foreseen if other not in self._ids)]
            )
        return self._ids[name]

    def _find(self, names: Sequence[str]) -> dict[str, str | None]:
        # Most are in the range, whose messages are read anyway; only others cost processes.
        found: dict[str, str | None] = {}
        for name in names:
            if known := self._beginning_with(name):
                # A short id that fits several commits names none of them.
                found[name] = known[0] if len(known) == 1 else None
        others = [name for name in dict.fromkeys(names) if name not in found]
        if others:
            commits = revisions.find_commits(self.git, others)
            has = revisions.ancestors(self.git, [oid for oid in commits if oid], self.new)
            found |= {
                n: oid if oid in has else None for n, oid in zip(others, commits, strict=True)
            }
        return found

    def _beginning_with(self, name: str) -> list[str]:
        """Return the commits whose ids begin so."""
        first = bisect.bisect_left(self._sorted_ids, name)
        beginning = itertools.islice(self._sorted_ids, first, None)
        return list(itertools.takewhile(lambda oid: oid.startswith(name), beginning))

    @functools.cached_property
    def _sorted_ids(self) -> list[str]:
        return sorted(self.commits)

    def _merged(self, request: origins.PullRequest) -> list[str]:
        """Return the commits that a pull request became; the links are those of web pages."""
        project = self.url.removesuffix("/").removesuffix(".git")
        project = project if project.startswith("https://") else ""
        return [
            oid
            for oid in self._by_request.get(request.number, ())
            if oid in self.commits
            and origins.comes_from(self.commits[oid].message, request, project)
        ]

    @functools.cached_property
    def _by_request(self) -> Mapping[str, list[str]]:
        """The commits by the numbers of the pull requests that they may have come from."""
        known: dict[str, list[str]] = {}
        for commit in self.commits.values():
            for number in origins.requests_in(commit.message):
                known.setdefault(number, []).append(commit.oid)
        return known

    def of_subject(self, subject: str) -> list[str]:
        """Return the commits of a subject, but for tags and numbers; evidence, and no proof.

        Where both name pull requests, they must share one.
        """
        numbers = origins.numbers_in(subject)
        return [
            oid
            for oid, others in self._by_subject.get(origins.subject_of(subject), ())
            if oid in self.commits and (not (numbers and others) or numbers & others)
        ]

    def mentioned(self, message: str) -> list[str]:
        """Return the commits that a patch speaks of, or that speak of the same issue."""
        ids, numbers = origins.mentioned_in(message)
        named = [oid for name in ids for oid in self._beginning_with(name)]
        named.sort(key=self._ages.__getitem__)
        spoken = [oid for number in sorted(numbers) for oid in self._by_number.get(number, ())]
        return [oid for oid in dict.fromkeys([*named, *spoken]) if oid in self.commits]

    def reverts(self, commits: Sequence[str]) -> list[str]:
        """Return the later commits that take commits back: they say so, or they undo their lines.

        Of two commits that one is later which comes first: no child comes behind its parent.
        """
        ages = self._ages
        reverting: list[str] = []
        for commit in commits:
            touching = self.touching(sorted(self.paths_of(commit)))
            later = [other for other in touching if ages[other] < ages[commit]]
            undoing = self._undoing(commit, later)
            for other in later:
                says_so = any(commit.startswith(name) for name in self._reverting.get(other, ()))
                if says_so or other in undoing:
                    reverting.append(other)
        return list(dict.fromkeys(reverting))

    @functools.cached_property
    def _ages(self) -> Mapping[str, int]:
        """How many commits come behind each."""
        return {oid: age for age, oid in enumerate(self.commits)}

    def _undoing(self, commit: str, later: Sequence[str]) -> set[str]:
        """Return those of later commits that change the lines of a commit back, and no others."""
        paths = self.paths_of(commit)
        same_paths = [other for other in later if self.paths_of(other) == paths]
        if not same_paths:
            return set()
        undone = change_ids.of_inverse(next(self._diffs.of([commit])))
        made = zip(same_paths, self._diffs.change_ids(same_paths), strict=True)
        return {other for other, made_id in made if made_id == undone}

    @functools.cached_property
    def _by_subject(self) -> Mapping[str, list[tuple[str, frozenset[str]]]]:
        known: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for commit in self.commits.values():
            if words := origins.subject_of(commit.subject):
                known.setdefault(words, []).append((commit.oid, origins.numbers_in(commit.subject)))
        return known

    @functools.cached_property
    def _by_number(self) -> Mapping[str, list[str]]:
        known: dict[str, list[str]] = {}
        for commit in self.commits.values():
            for number in origins.numbers_in(decode_path(commit.message)):
                known.setdefault(number, []).append(commit.oid)
        return known

    @functools.cached_property
    def _reverting(self) -> Mapping[str, tuple[str, ...]]:
        commits = self.commits.values()
        return {commit.oid: origins.reverted_by(commit.message) for commit in commits}

    def describe(self, commits: Sequence[str]) -> tuple[UpstreamCommit, ...]:
        """Return who made commits, when, and what they say they do, in their order."""
        fresh = [commit for commit in dict.fromkeys(commits) if commit not in self._described]
        known = self.log.commits
        missing = [commit for commit in fresh if commit not in known]
        others = commit_log.of(self.git, missing) if missing else {}
        for oid in fresh:
            self._described[oid] = described(known.get(oid) or others[oid], self.url)
        return tuple(self._described[oid] for oid in commits)

    def lines(self, quarantine: Quarantine) -> LineHistory:
        """Return the history of lines, which all parts of this history share."""
        # It writes small trees for its comparisons, which go with their quarantine.
        if self._lines is None or self._lines.quarantine is not quarantine:
            self._lines = LineHistory(quarantine, self)
        return self._lines


def _bare(line: bytes) -> bytes:
    """Return a difference's line without its sign and the white space around it."""
    return line[1:].strip()
