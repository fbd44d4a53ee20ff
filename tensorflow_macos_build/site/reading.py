"""Documents of folders: each file that ends in .json, known by the schema that it names."""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.release import provenance
from tensorflow_macos_build.site import order, places
from tensorflow_macos_build.site.model import Shelf, SourceDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.documents import Json

SHOWN = (
    *("release.v1", "release-evidence.v1", "release-index.v1", "release-times.v1"),
    "release-check.v1",
    *("provenance.v1", "report.v1", "build.v1", "rounds.v1"),
    *("forecast.v1", "rebase.v1", "upstream-status.v1"),
    *("verification.v1", "fusion.v1", "wheel-contents.v1"),
    *("smoke.v2", "smoke-sweep.v1", "smoke-comparison.v1", "bench.v1", "plugin-matrix.v1"),
)
"""The schemas that some page shows."""

STATEMENT = "in-toto"
"""The kind of a statement of in-toto, which has a format of its own."""

LARGEST = 64 << 20
"""Bytes of a document that are read; a sweep of TensorFlow has 2 MB."""

MOST = 20_000
"""Documents that are read."""

ALTOGETHER = 1 << 30
"""Bytes of all of them."""

_LARGEST_NUMBER = 1e18
"""No count, size or duration comes near; arithmetic with larger ones fails."""


def read(folders: Iterable[Path]) -> Shelf:
    """Return all documents of some folders, sorted by their names, `9` before `10`.

    Links are not followed. Equal documents count once.

    Raises:
        UsageError: a folder is none, or a document is not what it says that it is.
    """
    by_digest: dict[str, SourceDocument] = {}
    remarks: list[str] = []
    total = 0
    for name, path in _paths(folders):
        content = files.read_small(path, LARGEST)
        total += len(content)
        if total > ALTOGETHER:
            raise UsageError(f"the documents have more than {ALTOGETHER} bytes", where=str(path))
        document = _document(name, path, content, remarks)
        if document is not None:
            by_digest.setdefault(document.sha256, document)
    in_order = sorted(by_digest.values(), key=lambda document: order.natural(document.name))
    return Shelf(tuple(in_order), tuple(remarks))


def _paths(folders: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    count = 0
    for folder in folders:
        if not folder.is_dir():
            hint = "give folders with JSON documents, such as dist/"
            raise UsageError("it is no folder", where=str(folder), hint=hint)
        root = folder.resolve().name
        for path in _json_files(folder):
            count += 1
            if count > MOST:
                raise UsageError(f"there are more than {MOST} documents", where=str(folder))
            yield f"{root}/{path.relative_to(folder).as_posix()}", path


def _json_files(folder: Path) -> Iterator[Path]:
    for parent, names, inside in os.walk(folder):
        names.sort()
        for name in sorted(inside):
            path = Path(parent) / name
            if name.endswith(".json") and not path.is_symlink():
                yield path


def _document(name: str, path: Path, content: bytes, remarks: list[str]) -> SourceDocument | None:
    """Return a document; None: it is of no kind that a page shows, which a remark says."""
    try:
        value = json.loads(content)
        kind = _kind(value)
        if kind == STATEMENT:
            provenance.parse(content)
            body: Json = value
        elif kind in SHOWN:
            schema, _, version = kind.rpartition(".v")
            body = documents.read(content, schema, int(version))
            places.check(kind, body)
        else:
            about = f"of the schema {kind}, which no page shows" if kind else "no document of ours"
            remarks.append(f"{name} is {about}")
            return None
        _check_numbers(body)
    except MacosBuildError as error:
        raise _malformed(path, error.what) from None
    except RecursionError:
        raise _malformed(path, "its values are nested too deep") from None
    except ValueError as error:
        raise _malformed(path, str(error).partition("\n")[0]) from None
    return SourceDocument(name, kind, hashlib.sha256(content).hexdigest(), body)


def _malformed(path: Path, why: str) -> UsageError:
    hint = "make it again by the task that it is of, or move it out of the folder"
    return UsageError(f"it is no sound document: {why}", where=str(path), hint=hint)


def _kind(value: object) -> str:
    """Return the kind of a document, as it says itself; "" for what is none of this tool's."""
    match value:
        case {"schema": {"name": str(name), "version": int(version)}}:
            return f"{name}.v{version}"
        case {"_type": provenance.STATEMENT}:
            return STATEMENT
        case _:
            return ""


def _check_numbers(root: Any) -> None:
    """Raise ValueError for numbers that are no count, size or duration."""
    left = [root]
    while left:
        match left.pop():
            case dict() as table:
                left += table.values()
            case list() as items:
                left += items
            case int() | float() as number if not _is_sound(number):
                raise ValueError("a number in it is larger than any count or time")


def _is_sound(number: float) -> bool:
    return isinstance(number, bool) or (
        abs(number) <= _LARGEST_NUMBER and math.isfinite(float(number))
    )
