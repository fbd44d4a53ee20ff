"""The names that added lines use: words, files, Bazel targets and loaded symbols."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.patchqueue.audit import languages
from tensorflow_macos_build.patchqueue.audit.languages import Language
from tensorflow_macos_build.patchqueue.audit.model import NameKind, UsedName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff

_SHORTEST = 4
"""Letters of the shortest word that counts: shorter ones mean something else in every file."""

_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{%d,}" % (_SHORTEST - 1))
_INCLUDE = re.compile(
    rb'\s*#\s*(?:include|import)\s*(?:"([^"]+)"|<([^>]+/[^>]+)>)|\s*import\s+"([^"]+)"'
)
_FROM = re.compile(rb"\s*from\s+([A-Za-z_][\w.]*)\s+import\s+(.*)")
_IMPORT = re.compile(rb"\s*import\s+([A-Za-z_][\w.]*)")
_MODULE = re.compile(rb"([A-Za-z_]\w*)(?:\s+as\s+\w+)?")
_STRING = re.compile(rb"""(["'])((?:(?!\1)[^\\\n])*)\1""")
_LABEL = re.compile(r"(?:@@?([\w.+~-]*))?//([\w./+=,@~-]*)(?::([\w./+=,@~-]+))?|:([\w./+=,@~-]+)")
_LOAD = re.compile(rb"""\bload\(\s*["']([^"']+)["']([^)]*)""")
_LONE_WORD = re.compile(rb"""\s*(?:\w+\s*=\s*)?["']([A-Za-z_]\w{3,})["'],?\s*""")


class Label(NamedTuple):
    """A Bazel label as it is written: its repository, package and target; `own`: of its package."""

    repository: str
    package: str
    target: str
    own: bool


class LineNames(NamedTuple):
    """A name on an added line, and the line's number in the patched file.

    `label` is the label of a target; its name in the tree depends on the workspaces there.
    """

    used: UsedName
    line: int
    label: Label | None = None


def of_file(diff: FileDiff) -> Iterator[LineNames]:
    """Yield the names that the lines use which a patch adds to a file."""
    language = languages.of(diff.path)
    if language is None:
        return
    for hunk in diff.hunks:
        added = [line[1:].rstrip(b"\r\n") for line in hunk.lines if line[:1] == b"+"]
        lines = list(enumerate(added, hunk.new.start + 1))
        for number, text in languages.bare(language, lines):
            for word in _WORD.findall(text):
                yield LineNames(UsedName(NameKind.IDENTIFIER, word.decode()), number)
        yield from _others(language, diff.path, lines)


def _others(
    language: Language, path: str, lines: Sequence[tuple[int, bytes]]
) -> Iterator[LineNames]:
    if language is Language.BAZEL:
        yield from _of_bazel(path, lines)
        return
    for number, line in lines:
        if language is Language.C:
            if match := _INCLUDE.match(line):
                written = decode_path(next(filter(None, match.groups())))
                yield LineNames(UsedName(NameKind.FILE, _included(path, written)), number)
        else:
            for module in _modules(line):
                yield LineNames(UsedName(NameKind.FILE, module), number)


def _included(path: str, written: str) -> str:
    """Return the path of an included file: one without a folder lies beside the file."""
    here = path.rpartition("/")[0]
    return posixpath.normpath(written if "/" in written else posixpath.join(here, written))


def _modules(line: bytes) -> Iterator[str]:
    """Yield the files that an import may mean."""
    if match := _FROM.match(line):
        module = match[1].decode().replace(".", "/")
        yield f"{module}.py"
        for name in _MODULE.findall(match[2].partition(b"#")[0]):
            yield f"{module}/{name.decode()}.py"
    elif match := _IMPORT.match(line):
        yield match[1].decode().replace(".", "/") + ".py"


def _of_bazel(path: str, lines: Sequence[tuple[int, bytes]]) -> Iterator[LineNames]:
    package = path.rpartition("/")[0]
    for number, line in lines:
        text = languages.without_comment(line)
        if (match := _LONE_WORD.fullmatch(text)) and b"=" not in text.partition(b'"')[0]:
            # alone on its line: a symbol of a load() over several lines, a feature, a config
            yield LineNames(UsedName(NameKind.IDENTIFIER, match[1].decode()), number)
        for _, content in _STRING.findall(text):
            written = decode_path(content)
            if label := _label(written, package):
                yield LineNames(UsedName(NameKind.TARGET, ""), number, label)
            elif languages.of(written) is not None and "/" not in written[:1]:
                yield LineNames(UsedName(NameKind.FILE, posixpath.join(package, written)), number)
    yield from _loads(package, lines)


def _loads(package: str, lines: Sequence[tuple[int, bytes]]) -> Iterator[LineNames]:
    text = b"\n".join(languages.without_comment(line) for _, line in lines)
    for match in _LOAD.finditer(text):
        label = _label(decode_path(match[1]), package)
        number = lines[0][0] + text.count(b"\n", 0, match.start())
        for _, symbol in _STRING.findall(match[2]) if label else ():
            yield LineNames(UsedName(NameKind.LOAD, decode_path(symbol)), number, label)


def _label(text: str, package: str) -> Label | None:
    match = _LABEL.fullmatch(text)
    if match is None:
        return None
    repository, folder, target, own = match.groups()
    if own is not None:
        return Label("", package, own, own=True)
    return Label(repository or "", folder, target or folder.rpartition("/")[2], own=False)
