r"""Paths in patches: git's C-style quoting, and which paths are never taken.

git quotes a path that holds control characters, `"`, `\` or (with core.quotePath) bytes above
0x7f: the quoted form is a C string (git's quote.c). A path is refused when some git, on some file
system, would write outside the work tree or into a repository's own folder: git's `verify_path`
(read-cache.c) with `core.protectNTFS` and `core.protectHFS` both on.
"""

from __future__ import annotations

import re

from tensorflow_macos_build.patchqueue.formats.refused import Malformed

MAX_PATH = 4096
"""Bytes of the longest path taken: PATH_MAX of Linux; no tree of sources comes near."""

_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b'"': b'"',
    b"\\": b"\\",
}
_UNESCAPES = {value: key for key, value in _ESCAPES.items()}
_QUOTED = re.compile(rb'"((?:[^"\\\n]|\\[abfnrtv"\\]|\\[0-3][0-7]{2})*)"')
_ESCAPE = re.compile(rb'\\([0-3][0-7]{2}|[abfnrtv"\\])')
_NEEDS_QUOTING = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')

# Code points that HFS+ ignores when it compares names (git's utf8.c, next_hfs_char).
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# NTFS drops trailing dots and blanks, reads `name:stream` as a stream of the file `name`, and has a
# short name for each long one: `git~1` is `.git` (git's path.c, is_ntfs_dotgit)
_DOT_GIT = re.compile(r"(?:\.git|git~1)(?:[ .]*|[ .]*:.*)", re.IGNORECASE | re.DOTALL)
_DOT_GITMODULES = re.compile(
    r"(?:\.gitmodules|gitmod~[1-4]|gi7eba~[1-9]|gi7eb~[1-9][0-9])[ .]*(?::.*)?",
    re.IGNORECASE | re.DOTALL,
)
# Windows takes either slash, and a drive's letter makes any path absolute
_DRIVE = re.compile(rb"[A-Za-z]:[/\\]")


def quote(path: bytes) -> bytes:
    r"""Write a path as git prints it: bare when that is safe, otherwise as a C string.

    >>> quote(b"a b"), quote(b"na\xc3\xafve")
    (b'a b', b'"na\\303\\257ve"')
    """
    if _NEEDS_QUOTING.search(path) is None:
        return path
    return b'"' + _NEEDS_QUOTING.sub(_escaped, path) + b'"'


def unquote(text: bytes, start: int = 0) -> tuple[bytes, int]:
    """Read the C string that begins at `text[start]`; return the path and where the string ends.

    Raises:
        Malformed: there is no whole C string.
    """
    quoted = _QUOTED.match(text, start)
    if quoted is None:
        raise Malformed("a quoted path does not end, or holds an escape that git does not write")
    return _ESCAPE.sub(_unescaped, quoted[1]), quoted.end()


def check(path: bytes, *, symlink: bool = False) -> None:
    """Refuse a path that is unsafe to write on some system.

    Args:
        path: the path within the tree, `/` between its components.
        symlink: whether a symbolic link is to be written there.

    Raises:
        Malformed: the path is empty, too long, absolute, holds NUL, `.` or `..`, or names `.git`
            in a spelling that some file system takes for it.
    """
    shown = show(path)
    if not path or len(path) > MAX_PATH:
        raise Malformed(f"the path has {len(path)} bytes; 1 to {MAX_PATH} are taken")
    if b"\0" in path:
        raise Malformed(f"the path {shown} holds a NUL byte")
    if path[:1] in (b"/", b"\\") or _DRIVE.match(path):
        raise Malformed(f"the path {shown} is absolute")
    for component in re.split(rb"[/\\]", path):
        _check_component(component, shown, symlink=symlink)


def show(path: bytes) -> str:
    r"""Return a path as text for messages: UTF-8 where it is, C-quoted where it is not.

    >>> show(b"na\xc3\xafve"), show(b"\xff")
    ('naïve', '"\\377"')
    """
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return quote(path).decode("ascii")
    return text if text.isprintable() else quote(path).decode("ascii")


def _check_component(component: bytes, shown: str, *, symlink: bool) -> None:
    if not component:
        raise Malformed(f"the path {shown} has an empty component")
    if component in (b".", b".."):
        raise Malformed(f"the path {shown} leaves its tree by `{component.decode()}`")
    name = _HFS_IGNORED.sub("", component.decode("utf-8", "surrogateescape"))
    if name.rstrip(" .") == "" and component[:2] == b"..":
        raise Malformed(f"the path {shown} leaves its tree on a system that drops trailing dots")
    if _DOT_GIT.fullmatch(name):
        raise Malformed(f"the path {shown} reaches into a repository's own folder")
    # verify_path refuses that link alone: git reads .gitmodules itself, and would follow it
    if symlink and _DOT_GITMODULES.fullmatch(name):
        raise Malformed(f"the path {shown} would make .gitmodules a symbolic link")


def _escaped(matched: re.Match[bytes]) -> bytes:
    byte = matched[0]
    return b"\\" + (_UNESCAPES.get(byte) or b"%03o" % byte[0])


def _unescaped(matched: re.Match[bytes]) -> bytes:
    code = matched[1]
    return _ESCAPES.get(code) or bytes([int(code, 8)])
