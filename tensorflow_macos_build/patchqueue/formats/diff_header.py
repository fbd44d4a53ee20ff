r"""The header of one file in a diff: git's extended header, or the two lines of a plain diff.

Follows git's apply.c (`parse_git_diff_header`, `parse_traditional_patch`) and git-diff(1),
"Generating patch text with -p".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tensorflow_macos_build.patchqueue.formats import paths
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK, SYMLINK, ChangeKind
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

DEV_NULL = b"/dev/null"
"""The name of a side that does not exist."""

_MODES = {0o100644, 0o100755, SYMLINK, GITLINK}
_MODE = re.compile(rb"[0-7]{6}")
# ids may be cut short: to 4 digits at the least (git's MINIMUM_ABBREV); SHA-256 has 64
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: |\Z)")
# apply.c, diff_timestamp_len: a date behind the name, after a tab, or after blanks that were one
_STAMP = re.compile(
    rb"(?:\t|(?<!\t) +)(?:[0-9]{2})?[0-9]{2}-[0-9]{2}-[0-9]{2}"
    rb"(?: [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)?(?: [+-][0-9]{4}| [+-][0-9]{2}:[0-9]{2})?$"
)
# apply.c, has_epoch_timestamp
_EPOCH = re.compile(
    rb"\t(1969-12-31|1970-01-01) ([0-2][0-9]):([0-5][0-9]):00(?:\.0+)?"
    rb" ([+-])([0-2][0-9]):?([0-5][0-9])\r?$"
)

_MAX_NAMES = 3 * paths.MAX_PATH
"""Bytes of the two names on a `diff --git` line, so that telling them apart ends in time."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What a file header says, before its hunks are read; fields as those of `FileChange`."""

    kind: ChangeKind
    old_path: bytes
    new_path: bytes
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str = ""
    new_id: str = ""
    guessed: bool = False


@dataclass(slots=True)
class _ExtendedHeader:
    """The extended header's fields as they are met; `default` is the first line's name."""

    default: bytes | None
    strip: int
    old: bytes | None = None
    new: bytes | None = None
    kinds: list[ChangeKind] = field(default_factory=list)
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str = ""
    new_id: str = ""

    def note(self, kind: ChangeKind) -> None:
        """Note that the header says what is done to the file.

        Raises:
            Malformed: it has said something else before.
        """
        if kind not in self.kinds:
            self.kinds.append(kind)
        if len(self.kinds) > 1:
            raise Malformed("the header says more than one of new, deleted, renamed and copied")


def git(lines: list[bytes], strip: int) -> FileHeader:
    """Read git's header.

    Args:
        lines: the header's lines without line ends, the first is `diff --git …`.
        strip: path components to take off the names (patch's -p).

    Raises:
        Malformed: a field cannot be read or contradicts another, or no path can be told from it;
            `line` counts in `lines`.
    """
    try:
        default = _header_name(lines[0][len(b"diff --git ") :], strip)
    except Malformed:
        default = None  # its quotes do not end: other lines may name the file
    fields = _ExtendedHeader(default, strip)
    for number, line in enumerate(lines[1:], 1):
        try:
            _take(fields, line)
        except Malformed as error:
            raise Malformed(error.what, number) from None
    return _decide(fields)


def plain(old_line: bytes, new_line: bytes, strip: int, *, creates: bool) -> FileHeader:
    """Read the lines `--- OLD<tab>time` and `+++ NEW<tab>time` of a diff that git did not write.

    Args:
        old_line: the first, without its line end.
        new_line: the second.
        strip: path components to take off the names.
        creates: whether the only hunk has an empty preimage at line 0.

    Raises:
        Malformed: neither line has a name with as many components as `strip`.
    """
    old, new = old_line[4:], new_line[4:]
    if _is_dev_null(old) and _is_dev_null(new):
        raise Malformed("both sides of the diff are /dev/null")
    path = None if _is_dev_null(old) else _plain_name(old, strip)
    if not _is_dev_null(new):
        second = _plain_name(new, strip)
        # apply.c, find_name_common: the shorter of two names, if the other only adds to its end
        if second is not None and (path is None or not second.startswith(path)):
            path = second
    if path is None:
        raise Malformed(f"no file name has {strip} leading folders to strip")
    # plain diffs have no `new file mode`: /dev/null, or diff -N's time of a file not there, says it
    if _is_dev_null(old):
        return FileHeader(ChangeKind.ADD, path, path)
    if _is_dev_null(new):
        return FileHeader(ChangeKind.DELETE, path, path)
    if _is_epoch(old):
        return FileHeader(ChangeKind.ADD, path, path)
    if _is_epoch(new):
        return FileHeader(ChangeKind.DELETE, path, path)
    return FileHeader(ChangeKind.ADD if creates else ChangeKind.MODIFY, path, path, guessed=creates)


def is_without_folders(new_line: bytes) -> bool:
    """Whether a plain diff's name has no folder to strip, so that -p0 is meant.

    apply.c (parse_traditional_patch) asks the second name, and the first one only to agree or to be
    of no help; nobody has said then how many components go.
    """
    name = None if _is_dev_null(new_line[4:]) else _plain_name(new_line[4:], 0)
    return name is not None and b"/" not in name


def is_extended(line: bytes) -> bool:
    """Whether a line belongs to git's header after its first line."""
    return line.startswith(_STARTS)


def _take(fields: _ExtendedHeader, line: bytes) -> None:
    keyword = next(start for start in _STARTS if line.startswith(start))
    rest = line[len(keyword) :].rstrip(b"\r")
    match keyword:
        case b"--- ":
            fields.old = _verified(fields, rest, fields.old, absent=ChangeKind.ADD)
        case b"+++ ":
            fields.new = _verified(fields, rest, fields.new, absent=ChangeKind.DELETE)
        case b"old mode ":
            fields.old_mode = _mode(rest)
        case b"new mode ":
            fields.new_mode = _mode(rest)
        case b"deleted file mode ":
            fields.note(ChangeKind.DELETE)
            fields.old, fields.old_mode = fields.default, _mode(rest)
        case b"new file mode ":
            fields.note(ChangeKind.ADD)
            fields.new, fields.new_mode = fields.default, _mode(rest)
        case b"copy from " | b"rename from " | b"rename old ":
            fields.note(ChangeKind.COPY if keyword[:1] == b"c" else ChangeKind.RENAME)
            # these names have no a/ and b/ before them, so one component less goes (apply.c,
            # gitdiff_renamesrc)
            fields.old = _name(rest, max(fields.strip - 1, 0), ends=b"")
        case b"copy to " | b"rename to " | b"rename new ":
            fields.note(ChangeKind.COPY if keyword[:1] == b"c" else ChangeKind.RENAME)
            fields.new = _name(rest, max(fields.strip - 1, 0), ends=b"")
        case b"index ":
            _take_index(fields, rest)


def _verified(
    fields: _ExtendedHeader, rest: bytes, known: bytes | None, *, absent: ChangeKind
) -> bytes | None:
    """Read a `---` or `+++` line, which must agree with what the header has said before it."""
    if _is_dev_null(rest) != (absent in fields.kinds):
        keyword = "new" if absent is ChangeKind.ADD else "deleted"
        raise Malformed(f"the header has only one of `/dev/null` and `{keyword} file mode`")
    if _is_dev_null(rest):
        return known
    name = _name(rest, fields.strip, ends=b"\t")
    if known is not None and name != known:
        shown = paths.show(b"" if name is None else name)
        raise Malformed(f"the header names two files, {paths.show(known)} and {shown}")
    return name


def _take_index(fields: _ExtendedHeader, rest: bytes) -> None:
    ids, blank, mode = rest.partition(b" ")
    if b".." not in ids:
        return  # as git does: the line only helps to find a merge's base
    if blank:
        fields.old_mode = _mode(mode)
    if (matched := _INDEX.fullmatch(ids)) is not None:
        fields.old_id, fields.new_id = matched[1].decode(), matched[2].decode()


def _decide(fields: _ExtendedHeader) -> FileHeader:
    kind = fields.kinds[0] if fields.kinds else ChangeKind.MODIFY
    old, new = fields.old, fields.new
    # a change of mode alone, and an empty file, have no line but `diff --git` that names them
    if old is None and new is None:
        old = new = fields.default
    old = new if kind is ChangeKind.ADD else old
    new = old if kind is ChangeKind.DELETE else new
    if old is None or new is None:
        raise Malformed("no line of the header, stripped of its leading folders, names the file", 0)
    if kind not in (ChangeKind.RENAME, ChangeKind.COPY) and old != new:
        raise Malformed(
            f"the header names two files, {paths.show(old)} and {paths.show(new)}, "
            "but is neither a rename nor a copy",
            0,
        )
    return FileHeader(
        kind, old, new, fields.old_mode, fields.new_mode, fields.old_id, fields.new_id
    )


def _mode(text: bytes) -> int:
    text = text.strip()
    mode = int(text, 8) if _MODE.fullmatch(text) else None
    if mode is not None and mode & 0o170000 == 0o100000:
        # old tools write the file's own bits; git keeps only whether it is executable
        mode = 0o100755 if mode & 0o100 else 0o100644
    if mode not in _MODES:
        raise Malformed(f"`{text.decode('ascii', 'replace')}` is no file mode of git's")
    return mode


def _plain_name(text: bytes, strip: int) -> bytes | None:
    """Read the name in a plain diff's line; a date behind it is no part of it."""
    stamp = _STAMP.search(text)
    if text.startswith(b'"') or stamp is None:
        return _name(text, strip, ends=b"\t")
    return _stripped(text[: stamp.start()], strip) or None


def _name(text: bytes, strip: int, *, ends: bytes) -> bytes | None:
    """Read a name up to a byte that ends it; None if it has too few components."""
    if text.startswith(b'"'):
        return _stripped(paths.unquote(text)[0], strip) or None
    end = re.search(rb"[\r" + ends + rb"]", text)
    return _stripped(text if end is None else text[: end.start()], strip) or None


def _stripped(name: bytes, strip: int) -> bytes | None:
    for _ in range(strip):
        _, slash, name = name.partition(b"/")
        if not slash:
            return None
        name = name.lstrip(b"/") if strip > 1 else name
    return name


def _is_dev_null(text: bytes) -> bool:
    return text.startswith(DEV_NULL) and text[len(DEV_NULL) :][:1] in (b"", b" ", b"\t", b"\r")


def _header_name(names: bytes, strip: int) -> bytes | None:
    """Return the one path that both halves of `diff --git a/PATH b/PATH` give once stripped."""
    names = names.rstrip(b"\r")
    if len(names) > _MAX_NAMES:
        return None
    # unquoted names may hold blanks, and nothing marks where the first one ends: it is where both
    # halves are the same once stripped (apply.c, git_header_name)
    if names.startswith(b'"'):
        first, end = paths.unquote(names)
        path = _stripped(first, strip)
        return path if path == _half(names[end:].lstrip(b" \t"), strip) else None
    path = _stripped(names, strip)
    if path is None:
        return None
    if b'"' in path:
        second = _half(path[path.index(b'"') :], strip)
        return second if second and re.match(re.escape(second) + rb"[ \t]", path) else None
    for blank in re.finditer(rb"[ \t]", path):
        first = path[: blank.start()]
        if _stripped(path[blank.end() :], strip) == first:
            return first
    return None


def _half(text: bytes, strip: int) -> bytes | None:
    return _stripped(paths.unquote(text)[0] if text.startswith(b'"') else text, strip)


def _is_epoch(text: bytes) -> bool:
    """Whether a plain diff's time is 1970-01-01 UTC: diff -N's mark of a file not there."""
    stamp = _EPOCH.search(text)
    if stamp is None:
        return False
    offset = (int(stamp[5]) * 60 + int(stamp[6])) * (-1 if stamp[4] == b"-" else 1)
    # west of Greenwich the epoch is on the last evening of 1969
    epoch = 24 * 60 if stamp[1].startswith(b"1969") else 0
    return int(stamp[2]) * 60 + int(stamp[3]) - offset == epoch


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
