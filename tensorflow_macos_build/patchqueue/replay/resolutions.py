"""Recorded resolutions: how a conflict was settled once, replayed wherever it comes again.

A resolution belongs to one patch, whatever its file's number, and to the contents that met: for
each conflicting path the base blob, the upstream blob and the patched blob. Where one of them
differs it is for another context, and is refused. Where no patch has its name any more it belongs
to the one that meets the same. It is kept as one JSON file under
`patches/<queue>/resolutions/`, its text as lines, so that it can be reviewed and travels with the
queue (git's rerere is local to a clone, and git-merge-tree(1) never asks it).
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.objects import SUBMODULE_MODE, TreeEntry, encode_path
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.patchqueue.formats import paths
from tensorflow_macos_build.patchqueue.formats.refused import Malformed
from tensorflow_macos_build.patchqueue.queue import names
from tensorflow_macos_build.patchqueue.replay.steps import Resolved, StepOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange

FOLDER = "resolutions"
_SCHEMA = "resolution", 1
_LINK = "120000"
"""The mode of a symbolic link, whose content is checked as a path is."""
MAX_SIZE = 64 << 20
"""Bytes of the largest resolution file taken."""


@dataclass(frozen=True)
class ConflictKey:
    """What met at one path, as blob ids; "" where a side has no file there."""

    path: str
    base: str
    upstream: str
    patched: str


@dataclass(frozen=True)
class ResolvedPath:
    """What is to be at one path: a mode and content, or None where no file shall be.

    A submodule's content is the id of its commit.
    """

    path: str
    mode: str
    content: bytes | None


@dataclass(frozen=True)
class RecordedResolution:
    """One settled conflict.

    Attributes:
        patch: the name of the patch's file.
        met: what met, by path, in order.
        results: what is to be instead of what git left, in order of paths.
        proof: the classes of proofs that it was made by, as words; "" where a person made it.
    """

    patch: str
    met: tuple[ConflictKey, ...]
    results: tuple[ResolvedPath, ...]
    proof: str = ""

    @property
    def file_name(self) -> str:
        """Return the name of its file: the patch's, and a digest of what met."""
        stem = self.patch.removesuffix(".patch")
        return f"{stem}.{_digest(self.patch, self.met)[:12]}.json"

    @functools.cached_property
    def digest(self) -> str:
        """What it says, as a SHA-256."""
        digest = hashlib.sha256(_digest(self.patch, self.met).encode())
        for result in self.results:
            content = b"-" if result.content is None else b"+" + result.content
            for part in (encode_path(result.path), result.mode.encode(), content):
                digest.update(b"%d\0%s" % (len(part), part))
        return digest.hexdigest()


@dataclass(frozen=True)
class KeptResolution:
    """A resolution as an object of a repository, which is read when its patch conflicts.

    Attributes:
        patch: the name of the patch's file.
        file_name: the name of its file.
        oid: the id of the blob that `emit` makes of it.
    """

    patch: str
    file_name: str
    oid: str


def keep(quarantine: Quarantine, resolution: RecordedResolution) -> KeptResolution:
    """Write a resolution into a quarantine."""
    oid = quarantine.write("blob", emit(resolution))
    return KeptResolution(resolution.patch, resolution.file_name, oid)


def met_in(merged: MergeOutcome) -> tuple[ConflictKey, ...]:
    """Return what met in a merge's conflicting paths."""
    return tuple(
        ConflictKey(file.path, _oid(file.base), _oid(file.ours), _oid(file.theirs))
        for file in merged.conflicted
    )


class RecordedResolver:
    """The resolutions at hand.

    Args:
        quarantine: where the replay is made.
        patches: the names of the patches' files, by commit.
        known: the resolutions.
        kept: more of them, each of one of the patches; they count where there is one in both.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        patches: Mapping[str, str],
        known: Sequence[RecordedResolution],
        kept: Sequence[KeptResolution] = (),
    ) -> None:
        self._quarantine = quarantine
        self._patches = patches
        self._of_patch: dict[str, dict[tuple[ConflictKey, ...], RecordedResolution]] = {}
        for made in known:
            self._add(made)
        self._unread: dict[str, list[KeptResolution]] = {}
        for unread in kept:
            self._unread.setdefault(names.without_number(unread.patch), []).append(unread)
        self._names = frozenset(patches.values())
        carried = {names.without_number(name) for name in patches.values()} if known else ()
        # A patch whose subject was changed has another name; what met tells it all the same.
        self._of_others = {
            made.met: made for made in known if names.without_number(made.patch) not in carried
        }

    def __call__(self, commit: str, merged: MergeOutcome) -> Resolved | None:
        """Settle a conflict as it was settled before."""
        met = met_in(merged)
        known = self._of(commit).get(met) or self._of_others.get(met)
        # A merge that git did not survive names no path: that would fit any other such merge.
        if known is None or not merged.conflicted:
            return None
        return Resolved(StepOutcome.RESOLVED, entries(self._quarantine, known.results))

    def may_settle(self, commit: str) -> bool:
        """Whether there is a resolution that may be of a patch's conflict."""
        return bool(self._of_others or self._of(commit))

    def refused(self, commit: str) -> tuple[str, ...]:
        """Return the names of a patch's resolution files, of which none fits."""
        return tuple(
            made.file_name
            for made in self._of(commit).values()
            # Subjects, and so the words, can be the same: it may be another patch's.
            if made.patch == self._patches[commit] or made.patch not in self._names
        )

    def _of(self, commit: str) -> Mapping[tuple[ConflictKey, ...], RecordedResolution]:
        """Return the resolutions of a patch, by what met."""
        patch = names.without_number(self._patches[commit])
        for unread in self._unread.pop(patch, ()):
            self._add(parse(self._quarantine.objects.blob(unread.oid), unread.file_name))
        return self._of_patch.get(patch, {})

    def _add(self, made: RecordedResolution) -> None:
        # the number only orders: a patch that is moved in its queue gets another one (names.assign)
        self._of_patch.setdefault(names.without_number(made.patch), {})[made.met] = made


def apply(quarantine: Quarantine, tree: str, results: Sequence[ResolvedPath]) -> str:
    """Put results into a tree; return the new tree's id."""
    state = Overlay(quarantine.objects, tree)
    state.change(entries(quarantine, results))
    return state.write(quarantine)


def entries(quarantine: Quarantine, results: Sequence[ResolvedPath]) -> dict[str, TreeEntry | None]:
    """Return what results put at paths; None where nothing shall be."""
    return {
        result.path: None
        if result.content is None
        else _entry(quarantine, result.mode, result.content)
        for result in results
    }


def _entry(quarantine: Quarantine, mode: str, content: bytes) -> TreeEntry:
    if mode == SUBMODULE_MODE:
        return TreeEntry(mode, content.decode("ascii"))
    return TreeEntry(mode, quarantine.write("blob", content))


def record(
    quarantine: Quarantine, patch: str, merged: MergeOutcome, changes: Sequence[PathChange]
) -> RecordedResolution:
    """Make a resolution of what somebody changed in the tree that git left."""
    results = tuple(
        ResolvedPath(change.path, change.new.mode, _content(quarantine, change.new))
        if change.new is not None
        else ResolvedPath(change.path, "", None)
        for change in changes
    )
    return RecordedResolution(patch, met_in(merged), results)


def _content(quarantine: Quarantine, entry: TreeEntry) -> bytes:
    return entry.oid.encode() if entry.is_submodule else quarantine.objects.blob(entry.oid)


def load(folder: Path) -> tuple[RecordedResolution, ...]:
    """Read the resolutions of a queue, in order of their files' names.

    Args:
        folder: the queue's folder.

    Raises:
        UsageError: a file is no resolution.
    """
    # in one order on all file systems: of two for the same conflict the last one counts
    listed = sorted((folder / FOLDER).glob("*.json"))
    return tuple(parse(files.read_small(path, MAX_SIZE), str(path)) for path in listed)


def parse(content: bytes, where: str) -> RecordedResolution:
    """Read a resolution file's content.

    Raises:
        UsageError: it is none, or a path in it leaves the tree.
    """
    try:
        # by the schema that is expected here: one that the file names could let anything through
        body = documents.read(content, *_SCHEMA)
        return RecordedResolution(
            _plain(body["patch"]),
            tuple(ConflictKey(**key) for key in body["met"]),
            tuple(map(_result, body["results"])),
            body.get("proof", ""),
        )
    # a ValueError: no base64 (binascii.Error), or a lone surrogate, which JSON can escape and UTF-8
    # not hold (UnicodeEncodeError)
    except (documents.NotTheDocument, Malformed, ValueError) as error:
        raise UsageError(
            "it is no recorded resolution",
            where=where,
            hint="delete it, or take it as it was from the history",
            detail=str(error),
        ) from None


def emit(resolution: RecordedResolution) -> bytes:
    """Write a resolution as its file's content."""
    body: documents.Json = {
        "patch": resolution.patch,
        "met": [vars(key) for key in resolution.met],
        "results": [_result_body(result) for result in resolution.results],
    }
    if resolution.proof:
        body["proof"] = resolution.proof
    return documents.dumps(documents.document(*_SCHEMA, body)).encode()


def _result_body(result: ResolvedPath) -> documents.Json:
    body: documents.Json = {"path": result.path, "mode": result.mode}
    if result.content is None:
        return {**body, "deleted": True}
    try:
        decoded = result.content.decode("utf-8")
    except UnicodeDecodeError:
        return {**body, "base64": base64.b64encode(result.content).decode()}
    # Not splitlines: it takes \r, \f and others for line ends, which would not come back.
    return {**body, "lines": decoded.split("\n")}


def _plain(name: str) -> str:
    """Return a patch's name, of which a file's name is made.

    Raises:
        Malformed: it leads out of its folder.
    """
    paths.check(encode_path(name))
    if "/" in name:
        raise Malformed(f"`{name}` is no file's name")
    return name


def _result(body: documents.Json) -> ResolvedPath:
    """Return a result whose path is safe to write, as a patch's is.

    Raises:
        Malformed: the path leaves the tree or reaches into a repository's own folder.
        ValueError: its content or mode is none.
    """
    path, mode = body["path"], body["mode"]
    paths.check(encode_path(path), symlink=mode == _LINK)
    if "deleted" in body:
        return ResolvedPath(path, "", None)
    if not mode:
        raise ValueError(f"`{path}` has content but no mode")
    if "lines" in body:
        return ResolvedPath(path, mode, "\n".join(body["lines"]).encode("utf-8"))
    # without `validate` foreign characters are passed over, and other bytes come back
    return ResolvedPath(path, mode, base64.b64decode(body["base64"], validate=True))


def _oid(entry: TreeEntry | None) -> str:
    return "" if entry is None else entry.oid


def _digest(patch: str, met: Sequence[ConflictKey]) -> str:
    words = [
        patch,
        *(word for key in met for word in (key.path, key.base, key.upstream, key.patched)),
    ]
    return hashlib.sha256(b"\0".join(encode_path(word) for word in words)).hexdigest()
