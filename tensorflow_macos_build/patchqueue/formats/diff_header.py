r"""The header of one file in a diff: git's extended header, or the two lines of a plain diff.

Follows git's apply.c (`parse_git_diff_header`, `parse_traditional_patch`) and git-diff(1),
"Generating patch text with -p".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from tensorflow_macos_build.patchqueue.formats import paths
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK, SYMLINK, Kind
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

DEV_NULL = b"/dev/null"
"""The name of a side that does not exist."""

_MODES = {0o100644, 0o100755, SYMLINK, GITLINK}
_MODE = re.compile(rb"[0-7]{6}")
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{6}))?[ \t\r]*")
_BLANK_STAMP = re.compile(rb" [0-9]{4}-[0-9]{2}-[0-9]{2} ")
_STAMP = re.compile(
    rb"[ \t]*(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)?(?: ([+-])(\d{2}):?(\d{2}))?\s*"
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a file header says, before its hunks are read; fields as those of `FileChange`."""

    kind: Kind
    old_path: bytes
    new_path: bytes
    old_mode: int | None
    new_mode: int | None
    old_id: str = ""
    new_id: str = ""


@dataclass(slots=True)
class _Fields:
    """The extended header's fields as they are met."""

    old: bytes | None = None
    new: bytes | None = None
    copied: bool = False
    renamed: bool = False
    added: bool = False
    deleted: bool = False
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str = ""
    new_id: str = ""


def git(lines: list[bytes], strip: int) -> Names:
    """Read git's header.

    Args:
        lines: the header's lines without line ends, the first is `diff --git …`.
        strip: path components to take off the names (patch's -p).

    Raises:
        Malformed: a field cannot be read, or no path can be told from it; `line` counts in `lines`.
    """
    fields = _Fields()
    for number, line in enumerate(lines[1:], 1):
        try:
            _take(fields, line, strip)
        except Malformed as error:
            raise Malformed(error.what, number) from None
    return _decide(fields, lines[0][len(b"diff --git ") :], strip)


def plain(old_line: bytes, new_line: bytes, strip: int, *, creates: bool) -> Names:
    """Read the lines `--- OLD<tab>time` and `+++ NEW<tab>time` of a diff that git did not write.

    Args:
        old_line: the first, without its line end.
        new_line: the second.
        strip: path components to take off the names.
        creates: whether the first hunk has an empty preimage at line 0.

    Raises:
        Malformed: a name is missing, or has fewer components than `strip`.
    """
    old, old_stamp = _name(old_line[4:], strip, plain=True)
    new, new_stamp = _name(new_line[4:], strip, plain=True)
    if old is None or (new is not None and (creates or _is_epoch(old_stamp))):
        if new is None:
            raise Malformed("both sides of the diff are /dev/null")
        return Names(Kind.ADD, new, new, None, None)
    if new is None or _is_epoch(new_stamp):
        return Names(Kind.DELETE, old, old, None, None)
    path = new if old.startswith(new) else old
    return Names(Kind.MODIFY, path, path, None, None)


def is_extended(line: bytes) -> bool:
    """Tell whether a line belongs to git's header after its first line."""
    return line.startswith(_STARTS)


def _take(fields: _Fields, line: bytes, strip: int) -> None:
    keyword = next(start for start in _STARTS if line.startswith(start))
    rest = line[len(keyword) :].rstrip(b"\r")
    match keyword:
        case b"--- ":
            name, _ = _name(rest, strip, plain=False)
            fields.old = name if name is not None else fields.old
        case b"+++ ":
            name, _ = _name(rest, strip, plain=False)
            fields.new = name if name is not None else fields.new
        case b"old mode ":
            fields.old_mode = _mode(rest)
        case b"new mode ":
            fields.new_mode = _mode(rest)
        case b"deleted file mode ":
            fields.deleted, fields.old_mode = True, _mode(rest)
        case b"new file mode ":
            fields.added, fields.new_mode = True, _mode(rest)
        case b"copy from " | b"rename from " | b"rename old ":
            fields.old = _bare_name(rest, strip)
            fields.copied, fields.renamed = keyword[:1] == b"c", keyword[:1] == b"r"
        case b"copy to " | b"rename to " | b"rename new ":
            fields.new = _bare_name(rest, strip)
        case b"index ":
            _take_index(fields, rest)


def _take_index(fields: _Fields, rest: bytes) -> None:
    found = _INDEX.fullmatch(rest)
    if found is None:
        raise Malformed("the `index` line is damaged")
    fields.old_id, fields.new_id = found[1].decode(), found[2].decode()
    if found[3] is not None:
        fields.old_mode = _mode(found[3])


def _decide(fields: _Fields, names: bytes, strip: int) -> Names:
    old, new = fields.old, fields.new
    if old is None or new is None:
        known = old if old is not None else new
        if known is None:
            known = _same_name(names, strip)
        old, new = old if old is not None else known, new if new is not None else known
    kinds = {
        Kind.ADD: fields.added,
        Kind.DELETE: fields.deleted,
        Kind.RENAME: fields.renamed,
        Kind.COPY: fields.copied,
    }
    stated = [kind for kind, is_so in kinds.items() if is_so]
    if len(stated) > 1:
        raise Malformed("the header says more than one of new, deleted, renamed and copied", 0)
    kind = stated[0] if stated else Kind.MODIFY
    if kind not in (Kind.RENAME, Kind.COPY) and old != new:
        raise Malformed(
            f"the header names two files, {paths.show(old)} and {paths.show(new)}, "
            "but is neither a rename nor a copy",
            0,
        )
    return Names(kind, old, new, fields.old_mode, fields.new_mode, fields.old_id, fields.new_id)


def _mode(text: bytes) -> int:
    text = text.strip()
    mode = int(text, 8) if _MODE.fullmatch(text) else None
    if mode is not None and mode & 0o170000 == 0o100000:
        # old tools write the file's own bits; git keeps only whether it is executable
        mode = 0o100755 if mode & 0o100 else 0o100644
    if mode not in _MODES:
        raise Malformed(f"`{text.decode('ascii', 'replace')}` is no file mode of git's")
    return mode


def _name(text: bytes, strip: int, *, plain: bool) -> tuple[bytes | None, bytes]:
    """Read a name and what follows it; None for /dev/null."""
    if text.startswith(b'"'):
        name, end = paths.unquote(text)
        stamp = text[end:]
    else:
        name, _, stamp = text.partition(b"\t")
        if plain and not stamp and (found := _BLANK_STAMP.search(name)):
            name, stamp = name[: found.start()].rstrip(b" "), name[found.start() :]
        name = name.rstrip(b"\r")
    return (None, stamp) if name == DEV_NULL else (_stripped(name, strip), stamp)


def _bare_name(text: bytes, strip: int) -> bytes:
    """Read the name of a rename or copy line: it has no `a/` prefix, so one component less goes."""
    name = paths.unquote(text)[0] if text.startswith(b'"') else text
    return _stripped(name, strip - 1) if strip > 1 else name


def _stripped(name: bytes, strip: int) -> bytes:
    for _ in range(strip):
        _, slash, name = name.partition(b"/")
        if not slash:
            raise Malformed(f"a file name has fewer than {strip} leading folders to strip")
        name = name.lstrip(b"/") if strip > 1 else name
    return name


def _same_name(names: bytes, strip: int) -> bytes:
    """Find the one path that both halves of `diff --git a/PATH b/PATH` give once stripped."""
    names = names.rstrip(b"\r")
    if names.startswith(b'"'):
        first, end = paths.unquote(names)
        halves = [(first, _half(names[end:].lstrip(b" ")))]
    elif names.endswith(b'"'):
        start = names.index(b'"')
        halves = [(names[:start].rstrip(b" "), _half(names[start:]))]
    else:
        halves = _equal_halves(names, strip)
    for first, second in halves:
        if (path := _stripped(first, strip)) == _stripped(second, strip):
            return path
    raise Malformed(
        "the two names of the `diff --git` line differ, and no other line names the file", 0
    )


def _half(text: bytes) -> bytes:
    return paths.unquote(text)[0] if text.startswith(b'"') else text


def _equal_halves(names: bytes, strip: int) -> list[tuple[bytes, bytes]]:
    """Split an unquoted pair of names; a name may hold spaces, so the halves must fit by length.

    With prefixes of equal length the middle is the only place. Other prefixes are tried only when
    they are free of spaces: then the second name begins with the first's end.
    """
    middle = len(names) // 2
    if names[middle : middle + 1] == b" ":
        pair = (names[:middle], names[middle + 1 :])
        if strip == 0 or pair[0].partition(b"/")[2] == pair[1].partition(b"/")[2]:
            return [pair]
    first, space, second = names.partition(b" ")
    return [(first, second)] if space else []


def _is_epoch(stamp: bytes) -> bool:
    """Tell whether a plain diff's time is 1970-01-01 UTC: diff -N's mark of a file not there."""
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return False
    text = b" ".join(found.group(1, 2)).decode()
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    offset = 0
    if found[3] is not None:
        offset = (int(found[4]) * 60 + int(found[5])) * (60 if found[3] == b"+" else -60)
    return int(moment.timestamp()) - offset == 0


_STARTS = (
    b"--- ",
    b"+++ ",
    b"old mode ",
    b"new mode ",
    b"deleted file mode ",
    b"new file mode ",
    b"copy from ",
    b"copy to ",
    b"rename from ",
    b"rename to ",
    b"rename old ",
    b"rename new ",
    b"similarity index ",
    b"dissimilarity index ",
    b"index ",
)
