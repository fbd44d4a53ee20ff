"""Lists in BUILD files whose order does not matter, and items that both sides added to one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.markers import ConflictHunk

_ORDER_FREE = ("deps", "srcs", "hdrs", "data", "textual_hdrs", "exports", "runtime_deps",
               "visibility")  # fmt: skip
"""Those of the attributes that buildifier sorts (tables.IsSortableListArg) which every rule has."""

_ITEM = re.compile(rb"""(\s*)(["'])([^"'\\]+)\2,[ \t]*(?:#.*)?\r?\n""")
_OPENING = re.compile(rb"\s*(\w+)\s*=\s*(?:.*\]\s*\+\s*)?\[\s*(?:#.*)?")


def union(
    path: str, hunk: ConflictHunk, before: Sequence[bytes], after: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Return the items of a region's two sides as one list; () where that is not proven.

    Where upstream's items were sorted, the list is; else the patch's items come behind upstream's.

    Args:
        path: the BUILD file's path.
        hunk: the region.
        before: the lines above it, of upstream's file.
        after: the lines below it, likewise.
    """
    sides = [[_item(line) for line in side] for side in (hunk.base, hunk.ours, hunk.theirs)]
    if not all(all(side) for side in sides) or not _is_order_free(before):
        return ()
    base, ours, theirs = ([item for item in side if item] for side in sides)
    # Only additions on both sides: each keeps all that was there, once, in its order.
    if any(_without(side, base) is None for side in (ours, theirs)):
        return ()
    indents = {indent for indent, _ in (*ours, *theirs)}
    added = [at for at, item in enumerate(theirs) if item not in ours]
    if len(indents) != 1 or not added or len(ours) == len(base):
        return ()
    # Bazel refuses a label that is in a list twice, however it is written.
    package = path.rpartition("/")[0].encode()
    around = (*_items_at_end(before), *_items_at_end(after[::-1]))
    labels_of_list = [label for _, label in (*around, *ours, *(theirs[at] for at in added))]
    if len({_canonical(label, package) for label in labels_of_list}) != len(labels_of_list):
        return ()
    lines = [*hunk.ours, *(hunk.theirs[at] for at in added)]
    labels = [label for _, label in ours]
    if labels == sorted(labels, key=_order):
        lines.sort(key=lambda line: _order((_item(line) or (b"", b""))[1]))
    return tuple(lines)


def _item(line: bytes) -> tuple[bytes, bytes] | None:
    match = _ITEM.fullmatch(line)
    return (match[1], match[3]) if match else None


def _without(
    side: Sequence[tuple[bytes, bytes]], base: Sequence[tuple[bytes, bytes]]
) -> Sequence[tuple[bytes, bytes]] | None:
    """Return what a side has beside the base; None where it lacks any of it, or has it twice."""
    if len(set(side)) != len(side) or [item for item in side if item in base] != list(base):
        return None
    return [item for item in side if item not in base]


def _items_at_end(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the items that lines end with, back to the first line that is none."""
    items: list[tuple[bytes, bytes]] = []
    for line in reversed(lines):
        item = _item(line)
        if item is not None:
            items.append(item)
        elif line.strip() and not line.lstrip().startswith(b"#"):
            break
    return items


def _canonical(label: bytes, package: bytes) -> bytes:
    """Return a label with its package and target, as Bazel knows it ("Labels", bazel.build)."""
    if not label.startswith((b"//", b"@")):
        return b"//" + package + b":" + label.removeprefix(b":")
    if b":" not in label:
        return label + b":" + label.rpartition(b"/")[2]
    return label


def _is_order_free(before: Sequence[bytes]) -> bool:
    """Whether the lines above end within a list whose order does not matter."""
    for line in reversed(before):
        if _item(line) is not None or not line.strip() or line.lstrip().startswith(b"#"):
            continue
        match = _OPENING.fullmatch(line.rstrip(b"\r\n"))
        return match is not None and match[1].decode() in _ORDER_FREE
    return False


def _order(label: bytes) -> tuple[int, list[bytes]]:
    """Return what labels are sorted by: as buildifier has it (build/rewrite.go, `stringSortKey`).

    Files first, then targets of the package, of the repository, and of others.
    """
    phase = 4
    if label.startswith(b":"):
        phase = 1
    elif label.startswith(b"//"):
        phase = 2
    elif label.startswith(b"@"):
        phase = 3
    else:
        phase = 0
    return phase, re.split(rb"[.:]", label)
