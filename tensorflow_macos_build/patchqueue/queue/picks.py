"""Picks: changes that a queue takes by reference, as `queue.yaml` names them.

    picks:
    - commit: FULL ID                 a commit, as `git cherry-pick` takes it
      reason: backport                one of `metadata.REASONS`
      drop-when: upstream >= v2.22    a condition of `conditions`
      owner: Team <team@example.org>  optional, as are the others below
      paths: [tensorflow/core]        patterns of files or folders; the rest of the change is left
      url: https://host/fork          the repository that has it, where that is not upstream's
    - pull: 126377                    a pull or merge request, by its number
      head: FULL ID                   what it is pinned to (`patches.pin` writes both)
      base: FULL ID                   where it parts from upstream: the change is base..head
      reason: upstreaming
      drop-when: never

A pull without `head` and `base` is not pinned: nothing is built of a queue with one.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.config import tree
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import conditions
from tensorflow_macos_build.patchqueue.queue.metadata import REASONS
from tensorflow_macos_build.upstream.patience import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

KEY = "picks"
"""The key of `queue.yaml` that picks stand under."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_ID = re.compile(r"[0-9a-f]{40}")
"""An id in full: one cut short, or a name, may mean another commit tomorrow."""

_IDS = ("commit", "head", "base")
_TEXTS = ("reason", "drop-when", "owner", "url")
_LONGEST = 4096
_MOST_PATHS = 1000
MOST = 1000
"""How many picks a queue may have."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A change by reference: an upstream commit, or a pull request.

    Attributes:
        commit: the full id of the commit that is taken: itself, or the pull's pinned head; "" for
            a pull that is not pinned.
        pull: the number of the pull or merge request; "" for a commit.
        base: the full id of the commit that the pull's change begins at; "" for a commit.
        reason: one of `metadata.REASONS`.
        drop_when: a condition, as `conditions.parse` takes it.
        owner: who looks after it; "" where nobody is named.
        paths: patterns of the files that are taken (`takes`); all without one.
        url: the address of the repository that has it; "" is upstream's.
    """

    commit: str
    pull: str
    base: str
    reason: str
    drop_when: str
    owner: str = ""
    paths: tuple[str, ...] = ()
    url: str = ""

    @property
    def name(self) -> str:
        """What tasks and results call it: `pull-126377`, `commit-0123456789ab`."""
        return f"pull-{self.pull}" if self.pull else f"commit-{self.commit[:12]}"

    @property
    def is_pinned(self) -> bool:
        """Whether it names one change for ever."""
        return bool(self.commit and (self.base or not self.pull))

    def takes(self, path: str) -> bool:
        """Whether a path is among those that are taken: by a pattern, or below a folder."""
        return not self.paths or fits(path, self.paths)


def fits(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path fits a pattern of fnmatch(3), or is below a folder that is named."""
    return any(
        fnmatch.fnmatchcase(path, pattern) or path.startswith(f"{pattern.rstrip('/')}/")
        for pattern in patterns
    )


def read(written: tree.Tree) -> tuple[Pick, ...]:
    """Read what stands under `picks`.

    Raises:
        tree.ConfigError: something in it is wrong; all of it is named.
    """
    if not isinstance(written, tree.Items) or len(written.items) > MOST:
        what = f"`{KEY}` must be a list of at most {MOST} picks"
        raise tree.ConfigError([tree.Problem(what, written.source)])
    problems = [problem for item in written.items for problem in _problems(item)]
    if problems:
        raise tree.ConfigError(problems)
    picks = tuple(_pick(item) for item in written.items if isinstance(item, tree.Table))
    refuse_twice(picks, [str(item.source) for item in written.items])
    return picks


def refuse_twice(picks: Sequence[Pick], where: Sequence[str]) -> None:
    """Raise a UsageError where two picks have one name, which tasks could not tell apart.

    `where` is where each pick stands; the error is about the second of the two.
    """
    first: dict[str, Pick] = {}
    for pick, source in zip(picks, where, strict=True):
        other = first.setdefault(pick.name, pick)
        if other is not pick:
            joined = "take both parts of it with one `paths`"
            hint = joined if pick.paths or other.paths else "leave one of the two out"
            raise UsageError(f"`{pick.name}` is picked twice", where=source, hint=hint)


def as_table(pick: Pick) -> dict[str, object]:
    """Return a pick as `queue.yaml` has it."""
    kind: dict[str, object] = {"commit": pick.commit}
    if pick.pull:
        # an int, which YAML shows without quotes; it is read as text
        kind = {"pull": int(pick.pull), "head": pick.commit, "base": pick.base}
    more = {
        "url": pick.url,
        "reason": pick.reason,
        "drop-when": pick.drop_when,
        "owner": pick.owner,
        "paths": list(pick.paths),
    }
    return {key: value for key, value in {**kind, **more}.items() if value}


def digest_parts(picks: Sequence[Pick]) -> Iterator[str]:
    """Yield all that picks say, so that no two lists of picks yield the same."""
    for pick in picks:
        yield from (pick.commit, pick.pull, pick.base, pick.reason, pick.drop_when)
        yield from (pick.owner, pick.url, str(len(pick.paths)), *pick.paths)


def _pick(table: tree.Table) -> Pick:
    texts = {key: _text(table.items.get(key)) or "" for key in ("pull", *_IDS, *_TEXTS)}
    paths = table.items.get("paths")
    listed = paths.items if isinstance(paths, tree.Items) else ()
    return Pick(
        commit=texts["commit"] or texts["head"],
        pull=texts["pull"],
        base=texts["base"],
        reason=texts["reason"],
        drop_when=" ".join(texts["drop-when"].split()),
        owner=" ".join(texts["owner"].split()),
        paths=tuple(_text(path) or "" for path in listed),
        url=texts["url"],
    )


def _text(value: tree.Tree | None) -> str | None:
    return value.text if isinstance(value, tree.Scalar) else None


def _problems(item: tree.Tree) -> Iterator[tree.Problem]:
    if not isinstance(item, tree.Table):
        yield tree.Problem("a pick is a mapping: `commit:` or `pull:`, and why", item.source)
        return
    known = {"pull", "paths", *_IDS, *_TEXTS}
    for key, source in item.keys.items():
        if key not in known:
            hint = f"its keys are {', '.join(sorted(known))}"
            yield tree.Problem(f"a pick has no key `{key[:40]}`", source, hint)
    yield from _kind_problems(item)
    for key in set(item.items) & {"pull", *_IDS, *_TEXTS}:
        yield from _text_problems(key, item.items[key])
    for key in ("reason", "drop-when"):
        if key not in item.items:
            yield tree.Problem(f"the pick says no `{key}`", item.source)
    if "paths" in item.items:
        yield from _path_problems(item.items["paths"])


def _kind_problems(item: tree.Table) -> Iterator[tree.Problem]:
    keys = set(item.items)
    if ("commit" in keys) == ("pull" in keys):
        yield tree.Problem("a pick is one of `commit:` and `pull:`", item.source)
    elif "commit" in keys and keys & {"head", "base"}:
        yield tree.Problem("`head` and `base` are a pull's", item.source)
    elif ("head" in keys) != ("base" in keys):
        yield tree.Problem(
            "a pull is pinned by `head` and `base` together",
            item.source,
            "leave both out, and `patches.pin` writes them",
        )


def _text_problems(key: str, value: tree.Tree) -> Iterator[tree.Problem]:
    text = _text(value)
    # a dash: programs get some of these as arguments
    if not text or len(text) > _LONGEST or text.startswith("-") or not text.isprintable():
        what = f"`{key}` must be text of 1 to {_LONGEST} letters that begins with no `-`"
        yield tree.Problem(what, value.source)
    elif key == "pull" and not _NUMBER.fullmatch(text):
        yield tree.Problem("`pull` must be the number of a pull request", value.source)
    elif key == "url" and shown(text) != text:
        hint = "git finds it in a credential helper or in ~/.netrc"
        yield tree.Problem("`url` holds a password or a token", value.source, hint)
    elif key in _IDS and not _ID.fullmatch(text):
        yield tree.Problem(f"`{key}` must be a commit's full id", value.source)
    elif key == "reason" and text not in REASONS:
        yield tree.Problem(f"`reason` must be one of {', '.join(REASONS)}", value.source)
    elif key == "drop-when":
        try:
            conditions.parse(text)
        except UsageError as error:
            yield tree.Problem(error.what, value.source, error.hint)


def _path_problems(value: tree.Tree) -> Iterator[tree.Problem]:
    if not isinstance(value, tree.Items) or not 0 < len(value.items) <= _MOST_PATHS:
        what = f"`paths` must be a list of 1 to {_MOST_PATHS} patterns of files or folders"
        yield tree.Problem(what, value.source)
        return
    for item in value.items:
        text = _text(item)
        if not text or len(text) > _LONGEST:
            yield tree.Problem("a path must be text: a pattern of files, or a folder", item.source)
