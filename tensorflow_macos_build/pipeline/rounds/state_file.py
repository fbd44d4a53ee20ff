"""A saved state as one file: an uncompressed tar archive, which a CI's artifact or cache carries.

`manifest.json` (schema state.v1), `manifest.json.sha256`, the tables `actions`, `blobs` and
`rounds/NNNN`, of which the manifest has the digests; then the disk cache: `cas/…` named by their
digests, and last `ac/…`, whose digests are in `actions`. So every byte is vouched for by one before
it, and an entry comes after its blobs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import IO, TYPE_CHECKING, Any

import pydantic

from tensorflow_macos_build import documents, files, temporary
from tensorflow_macos_build.bazel.action_results import DIGEST, Blob
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.records import Record
from tensorflow_macos_build.pipeline.rounds import members
from tensorflow_macos_build.pipeline.rounds.members import BadState
from tensorflow_macos_build.pipeline.rounds.model import Entry, Round, RunAction, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.bazel.disk_cache import DiskCache

_SCHEMA = "state", 1

_MANIFEST = "manifest.json"
_MANIFEST_DIGEST = "manifest.json.sha256"
_ACTIONS = "actions"
_BLOBS = "blobs"

_MAX_MANIFEST = 1 << 20
_MAX_TABLE = 1 << 28
"""How large these may be: a table of a million actions, of 30,000 in TensorFlow's builds."""

ROW_BYTES = 256
"""At least the bytes of a file's row in its table."""

MANIFEST_BYTES = 1 << 18
"""At least the bytes of a manifest with its hundred rounds, and of the archive's own parts."""


class _Table(Record):
    """A table beside the manifest."""

    name: str
    size: int
    sha256: str


class _Manifest(Record):
    """The manifest's own fields; the rest of a state is in tables."""

    number: int
    release: str
    toolchain: dict[str, str]
    plan: str
    rounds: tuple[Round, ...]
    entries: int
    blobs: int
    bytes: int
    tables: tuple[_Table, ...]


def write(path: Path, state: State, cache: DiskCache) -> None:
    """Write a state with the files of a disk cache.

    Raises:
        BadState: a file of the cache is not what its name says; where names it.
        OSError: it cannot be written, or a file of the cache is missing.
    """
    tables = _tables(state)
    manifest = documents.dumps(documents.document(*_SCHEMA, _manifest(state, tables))).encode()
    with path.open("wb") as stream:
        members.write_bytes(stream, _MANIFEST, manifest)
        digest = hashlib.sha256(manifest).hexdigest().encode()
        members.write_bytes(stream, _MANIFEST_DIGEST, digest)
        for name, content in tables.items():
            members.write_bytes(stream, name, content)
        for blob in state.blobs:
            _copy(stream, "cas", cache.blob(blob.digest), blob.size, blob.digest)
        for key, entry in state.entries.items():
            _copy(stream, "ac", cache.entry(key), entry.size, entry.sha256)
        stream.write(members.END)


def _copy(stream: IO[bytes], part: str, source: Path, size: int, sha256: str) -> None:
    with source.open("rb") as content:
        written = members.write(stream, _name(part, source.name), size, content)
    if written != sha256:
        raise BadState("its content has changed", where=str(source))


def _name(part: str, digest: str) -> str:
    return f"{part}/{digest[:2]}/{digest}"


def _tables(state: State) -> dict[str, bytes]:
    actions = ((key, row.sha256, row.size, row.used) for key, row in state.entries.items())
    tables = {
        _ACTIONS: members.table(actions),
        _BLOBS: members.table((blob.digest, blob.size) for blob in state.blobs),
    }
    for number, run in sorted(state.runs.items()):
        lines = sorted((action.key, action.outputs) for action in run)
        tables[_round_name(number)] = members.table(lines)
    return tables


def _round_name(number: int) -> str:
    return f"rounds/{number:04}"


def _manifest(state: State, tables: Mapping[str, bytes]) -> dict[str, Any]:
    files_bytes = sum(blob.size for blob in state.blobs)
    files_bytes += sum(entry.size for entry in state.entries.values())
    rows = [
        _Table(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in tables.items()
    ]
    manifest = _Manifest(
        number=state.number,
        release=state.release,
        toolchain=dict(state.toolchain),
        plan=state.plan,
        rounds=state.rounds,
        entries=len(state.entries),
        blobs=len(state.blobs),
        bytes=files_bytes,
        tables=tuple(rows),
    )
    return manifest.model_dump(mode="json")


def read_head(path: Path) -> State:
    """Return a state without its files, which are not looked at.

    Raises:
        BadState: its manifest or one of its tables is damaged, or it is no state at all.
    """
    with _opened(path) as stream:
        return _head(stream)


def check(path: Path) -> State:
    """Return a state all of whose bytes are what they were when it was written.

    Raises:
        BadState: it is damaged, or no state at all.
    """
    with _opened(path) as stream:
        state = _head(stream)
        for _, _, pieces in _contents(stream, state):
            _pass_over(pieces)
        return state


def restore(path: Path, cache: DiskCache) -> None:
    """Put a state's files into a disk cache, beside those that are there.

    An entry is put there when all of the file has been seen to be good.

    Raises:
        BadState: it is damaged; the cache has got no entry of it.
    """
    cache.folder.mkdir(parents=True, exist_ok=True)
    temporary.sweep(cache.folder)
    with _opened(path) as stream, temporary.folder_in(cache.folder) as scratch:
        state = _head(stream)
        entries = list[str]()
        for part, file, pieces in _contents(stream, state):
            if part == "ac":
                entries.append(file.digest)
                (scratch / file.digest).write_bytes(b"".join(pieces))
            elif cache.has(file):  # it is checked all the same
                _pass_over(pieces)
            else:
                _put(scratch / "blob", pieces, cache.blob(file.digest))
        for key in entries:
            cache.entry(key).parent.mkdir(parents=True, exist_ok=True)
            (scratch / key).replace(cache.entry(key))


def _pass_over(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def _put(unfinished: Path, pieces: Iterator[bytes], target: Path) -> None:
    with unfinished.open("wb") as stream:
        for piece in pieces:
            stream.write(piece)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(target)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a state; what is wrong with it is told with its name."""
    try:
        descriptor = files.open_regular(path)
    except UsageError as error:
        raise BadState(error.what, where=path.name) from None
    except OSError as error:
        raise BadState(f"it cannot be read ({error.strerror})", where=path.name) from None
    try:
        with os.fdopen(descriptor, "rb") as stream:
            yield stream
    except BadState as error:
        raise BadState(error.what, where=path.name) from None


def _head(stream: IO[bytes]) -> State:
    manifest = _read_manifest(stream)
    tables = dict[str, bytes]()
    for row in manifest.tables:
        content = members.read_bytes(stream, row.name, min(row.size, _MAX_TABLE))
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise BadState(f"the table {row.name} is damaged")
        tables[row.name] = content
    try:
        return _state(manifest, tables)
    except (ValueError, KeyError):  # it has the digest that the manifest names, and is no table
        raise BadState("its tables are not those of a state") from None


def _read_manifest(stream: IO[bytes]) -> _Manifest:
    content = members.read_bytes(stream, _MANIFEST, _MAX_MANIFEST)
    digest = members.read_bytes(stream, _MANIFEST_DIGEST, 64)
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise BadState("its manifest is damaged")
    try:
        body = documents.read(content, *_SCHEMA)
        return _Manifest.model_validate({key: body[key] for key in body if key != "schema"})
    except (documents.NotTheDocument, pydantic.ValidationError) as error:
        raise BadState(f"its manifest is none: {error}") from None


def _state(manifest: _Manifest, tables: Mapping[str, bytes]) -> State:
    runs = {}
    for name, content in tables.items():
        if name.startswith("rounds/"):
            run = (RunAction(_digest(key), _digest(out)) for key, out in members.rows(content))
            runs[int(name.removeprefix("rounds/"))] = frozenset(run)
    entries = {
        _digest(key): Entry(_digest(sha256), int(size), int(used))
        for key, sha256, size, used in members.rows(tables[_ACTIONS])
    }
    blobs = tuple(Blob(_digest(name), int(size)) for name, size in members.rows(tables[_BLOBS]))
    head = (manifest.number, manifest.release, manifest.toolchain, manifest.plan, manifest.rounds)
    return State(*head, runs, entries, blobs)


def _digest(word: str) -> str:
    if not DIGEST.fullmatch(word):
        raise ValueError(word)
    return word


def _contents(stream: IO[bytes], state: State) -> Iterator[tuple[str, Blob, Iterator[bytes]]]:
    """Yield part, name and content of each file; a content's end raises where it is damaged."""
    for blob in state.blobs:
        yield "cas", blob, _checked(stream, "cas", blob, blob.digest)
    for key, entry in state.entries.items():
        file = Blob(key, entry.size)
        yield "ac", file, _checked(stream, "ac", file, entry.sha256)
    members.read_end(stream)


def _checked(stream: IO[bytes], part: str, file: Blob, sha256: str) -> Iterator[bytes]:
    name = _name(part, file.digest)
    size, pieces = members.read(stream, name)
    if size != file.size:
        raise BadState(f"{name} has {size} bytes in place of {file.size}")
    seen = hashlib.sha256()
    for piece in pieces:
        seen.update(piece)
        yield piece
    if seen.hexdigest() != sha256:
        raise BadState(f"{name} is damaged")
