"""Names of patch files: a number that only orders, and a slug that follows the subject.

The numbers go in steps, so that a patch can come between two others without renaming any, and the
shell's order of the names is the series' order: plain `git am *.patch` works. Names are lower-case
ASCII, because on a Mac's usual file system `A.patch` and `a.patch` are one file.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIX = ".patch"
"""How every patch file's name ends."""

_STEP = 100
_DIGITS = 5
"""Digits of a number: 999 patches have room at steps of 100, and more make all numbers wider."""

_SLUG_LENGTH = 60
"""Letters of a slug; git format-patch cuts names at 64 (git-format-patch(1))."""
# many patches have wider numbers (`_width`); a name of any other form is replaced
_NAME = re.compile(r"([0-9]{5,9})-([a-z0-9][a-z0-9._-]*)\.patch")


def slug(subject: str) -> str:
    """Return the part of a patch's file name that follows its subject.

    >>> slug("[XLA/GPU] Fix the naïve Copy."), slug("日本")
    ('xla-gpu-fix-the-naive-copy', 'patch')
    """
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9._]+", "-", plain).strip("-.")
    # as git format-patch does it (pretty.c, format_sanitized_subject)
    return re.sub(r"\.{2,}", ".", words[:_SLUG_LENGTH]).strip("-.") or "patch"


def without_number(name: str) -> str:
    """Return a patch file's name without its number; another program's name as it is.

    >>> without_number("00100-a.patch"), without_number("fix-10.diff")
    ('a.patch', 'fix-10.diff')
    """
    match = _NAME.fullmatch(name)
    return match[2] + SUFFIX if match is not None else name


def assign(subjects: Sequence[str], current: Sequence[str | None]) -> list[str]:
    """Return every patch of a queue its file name.

    A patch keeps its name as long as the slug is its subject's and the number is in order with
    those of the others that keep theirs. When there is no room left between two numbers, all are
    numbered anew; slugs stay.

    Args:
        subjects: the patches' subjects, in order.
        current: the names that they have; None for a new patch.
    """
    keys = [_key(name) for name in current]
    kept = _ascending(keys)
    numbers = _filled([key if number in kept else None for number, key in enumerate(keys)])
    return [
        f"{number:0{_width(numbers)}}-{slug(subject)}{SUFFIX}"
        for number, subject in zip(numbers, subjects, strict=True)
    ]


def position(names: Sequence[str], name: str, *, kind: str = "patch") -> int:
    """Return the position of the patch that somebody means by `name`.

    A file's name counts, with or without its number and ending, and any part of one that fits no
    other patch. `kind` is what an error calls them: `patch`, or `pick`.

    Raises:
        UsageError: no patch is called so, or several are.
    """
    part = name.removesuffix(SUFFIX).lower()
    # in lower case, as this package names files: somebody else's queue may have others
    stems = [known.removesuffix(SUFFIX).lower() for known in names]
    # a whole name counts before a part: `fix` means fix.patch, though fix-copy.patch has it too
    for fits in (
        [n for n, known in enumerate(names) if known == name],
        [n for n, stem in enumerate(stems) if part in (stem, stem.partition("-")[2])],
        [n for n, stem in enumerate(stems) if part and part in stem],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            shown = ", ".join(names[n] for n in fits[:5])
            several = "patches" if kind == "patch" else "picks"
            raise UsageError(f"`{name}` fits {len(fits)} {several}: {shown}")
    near = difflib.get_close_matches(part, stems, n=1, cutoff=0.4)
    meant = names[stems.index(near[0])] if near else ""
    listed = "`series` lists its patches" if kind == "patch" else "`queue.yaml` lists its picks"
    hint = f"did you mean {meant}?" if meant else f"the queue's {listed}"
    raise UsageError(f"the queue has no {kind} `{name}`", hint=hint)


def _key(name: str | None) -> int | None:
    matched = _NAME.fullmatch(name or "")
    return int(matched[1]) if matched is not None else None


def _ascending(keys: Sequence[int | None]) -> set[int]:
    """Return the positions of a longest strictly ascending run of the numbers there are.

    The fewer patches get a new number, the fewer files are renamed: patience sorting finds the most
    that can stay in n log n steps (Aldous and Diaconis, 1999).
    """
    best: list[tuple[int, int]] = []
    previous: dict[int, int | None] = {}
    for position, key in enumerate(keys):
        # a patch called 00000 would leave no room before it
        if key is None or key < 1:
            continue
        low, high = 0, len(best)
        while low < high:
            middle = (low + high) // 2
            # strictly: two branches may each have made a patch of the same number
            if best[middle][0] < key:
                low = middle + 1
            else:
                high = middle
        previous[position] = best[low - 1][1] if low else None
        best[low : low + 1] = [(key, position)]
    kept: set[int] = set()
    last = best[-1][1] if best else None
    while last is not None:
        kept.add(last)
        last = previous[last]
    return kept


def _filled(keys: Sequence[int | None]) -> list[int]:
    """Number the gaps evenly between their neighbours, or everything anew where one is small."""
    numbers: list[int] = []
    position = 0
    while position < len(keys):
        key = keys[position]
        if key is not None:
            numbers.append(key)
            position += 1
            continue
        end = position
        while end < len(keys) and keys[end] is None:
            end += 1
        before = numbers[-1] if numbers else 0
        new = _between(before, keys[end] if end < len(keys) else None, end - position)
        if new is None:
            return [_STEP * (number + 1) for number in range(len(keys))]
        numbers += new
        position = end
    return numbers


def _between(before: int, after: int | None, count: int) -> list[int] | None:
    if after is None:  # at the end: the next round number, wherever the last one is
        first = before // _STEP * _STEP + _STEP
        return [first + _STEP * number for number in range(count)]
    if after - before - 1 < count:
        return None
    return [before + (after - before) * (number + 1) // (count + 1) for number in range(count)]


def _width(numbers: Sequence[int]) -> int:
    # all as wide as the widest, for the shell sorts names as text
    return max(_DIGITS, len(str(max(numbers))))
