"""Stamps: what a finished stage made, from what, and how to see in no time that it still stands.

A result is the folder build/<release>/<stage>/<key>/ with a `stamp.json` in it, put in place by one
rename. A file counts as unchanged when its size and modification time are those in the stamp; when
only the time differs its content decides. So gigabytes are not read again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pydantic

from tensorflow_macos_build import files
from tensorflow_macos_build.pipeline.records import FOR_KEY, FileRecord, Record, files_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Out = TypeVar("Out", bound=Record)

NAME = "stamp.json"
_FORMAT = 1
"""What a stamp written by another version of this package need not have; it is not read then."""


@dataclass(frozen=True)
class Stamp(Generic[Out]):
    """What a finished stage left.

    Attributes:
        inputs: what its key was made of.
        value: its result.
        seconds: how long it took, wall-clock.
    """

    inputs: Mapping[str, Any]
    value: Out
    seconds: float


def ingredients(inputs: Record, code: str) -> dict[str, Any]:
    """Return what a key is made of: the inputs as JSON, and the digest of the stage's code."""
    return {**inputs.model_dump(mode="json", context=FOR_KEY), "code": code}


def key_of(made_of: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the canonical JSON (sorted keys, no spaces, ASCII) as hexadecimal."""
    # Sorted, so that the order in which a config or a model names things decides nothing.
    canonical = json.dumps(made_of, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def file_at(path: Path, root: Path, final: Path | None = None) -> FileRecord:
    """Return the record of a file; `final` is where it will lie, if not where it lies now."""
    # Relative, so that a project that was moved or copied still has its results.
    shown = (final or path).relative_to(root).as_posix()
    return FileRecord(path=shown, size=path.stat().st_size, sha256=files.sha256(path))


def write(
    folder: Path, made_of: Mapping[str, Any], value: Record, seconds: float, times: dict[str, int]
) -> None:
    """Write the stamp of a result; `times` are the modification times of its files in ns."""
    body = {
        "format": _FORMAT,
        "inputs": dict(made_of),
        "value": value.model_dump(mode="json"),
        "seconds": round(seconds, 3),
        "mtime_ns": times,
    }
    # Not atomic by itself: the whole folder is, and nobody reads it before.
    (folder / NAME).write_text(json.dumps(body, indent=1), encoding="utf-8")


def read(folder: Path, root: Path, result: type[Out]) -> Stamp[Out] | None:
    """Return the stamp in `folder`; None if there is none, or if what it names has changed.

    What is no stamp of this package's making (another version's, an edited one) is none.
    """
    body = _load(folder / NAME)
    if body is None:
        return None
    try:
        value = result.model_validate(body["value"])
        stamp = Stamp(body["inputs"], value, float(body["seconds"]))
        times: Mapping[str, int] = body["mtime_ns"]
    except (pydantic.ValidationError, KeyError, TypeError, ValueError):
        return None
    # Those outside of its folder, too: a deleted mirror or dist/ makes the stage's result none.
    whole = all(_unchanged(file, root, times.get(file.path)) for file in files_in(value))
    return stamp if whole else None


def latest_inputs(stage_folder: Path) -> Mapping[str, Any] | None:
    """Return what the newest result of a stage was made of, to say what has changed since."""
    # By the stamp's time: a folder's own changes with what is put into it, and keys have no order.
    stamps = sorted(
        stage_folder.glob(f"[0-9a-f]*/{NAME}"), key=lambda path: path.stat().st_mtime_ns
    )
    body = _load(stamps[-1]) if stamps else None
    inputs = body.get("inputs") if body else None
    return inputs if isinstance(inputs, dict) else None


def _load(path: Path) -> dict[str, Any] | None:
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.get("format") == _FORMAT else None


def _unchanged(file: FileRecord, root: Path, mtime_ns: int | None) -> bool:
    path = root / file.path
    try:
        status = path.stat()
    except OSError:
        return False
    if status.st_size != file.size:
        return False
    # A copied or restored project has new times and the same content.
    return status.st_mtime_ns == mtime_ns or files.sha256(path) == file.sha256
