"""What is inside the libraries of a build, of the lines in which `aquery` shows its actions. Pure.

Source: https://bazel.build/query/aquery
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_LIBRARY = r".*\.(so|dylib)(\.[0-9]+)*"
_NO_COMPILER = r"(?!.*Compile$).*"
_LINKERS = ("Link", "Archive")
"""How mnemonics end of what Bazel links and archives with; `CppLink` is both in Bazel 4.2."""

_EXTERNAL = re.compile(r"(?:^|/)external/([^/]+)/")
_OBJECT = re.compile(r"\.(?:a|o|lo)$")
_COMPILED = re.compile(r"/_objs/")
"""The folder into which Bazel's compilers write, trees of objects too."""

_OUTPUT = re.compile(r"^bazel-out/(?!host/|[^/]*-exec)[^/]+/bin/(.+)$")
"""An output that is not of a program which only the build itself runs."""

_MNEMONIC = re.compile(r"^  Mnemonic: (\S+)$")
_LIST = re.compile(r"^  (Inputs|Outputs): \[(.*)\]$")


@dataclass(frozen=True)
class LinkedContent:
    """What is linked into a library statically.

    Attributes:
        repositories: the external repositories of which there are objects or archives in it.
        is_whole: whether that is all; False: it has a folder of files in it, or an object or
            archive that neither a compiler has made nor an action of which one sees the parts.
    """

    repositories: frozenset[str]
    is_whole: bool = True


@dataclass(frozen=True)
class _Action:
    mnemonic: str
    inputs: Sequence[str]
    outputs: Sequence[str]


def expression(wanted: str) -> str:
    """Return what to ask `aquery` for: links of libraries, and what else makes parts of them."""
    return f'mnemonic("{_NO_COMPILER}", outputs("({_LIBRARY}|.*\\.(a|o|lo))", {wanted}))'


def merged_objects(answer: Iterable[str]) -> dict[str, list[str]]:
    """Return for objects and archives that no compiler has made what went into them.

    It is empty for what a command made of no objects; an archive that has only what compilers make
    for its own target is left out.
    """
    merged = dict[str, list[str]]()
    for action in _actions(answer):
        parts = list(filter(_is_part, action.inputs))
        if parts or not action.mnemonic.endswith(_LINKERS):
            merged.update((path, parts) for path in action.outputs if _OBJECT.search(path))
    return merged


def linked_contents(
    answer: Iterable[str], merged: Mapping[str, Sequence[str]]
) -> dict[str, LinkedContent]:
    """Return for each library what is in it, by its path below Bazel's folder of outputs.

    Libraries of programs that only the build itself runs are left out.
    """
    contents = dict[str, LinkedContent]()
    for action in _actions(answer):
        libraries = list(filter(None, map(_library, action.outputs)))
        if action.mnemonic.endswith("Link") and libraries:
            content = _content(action.inputs, merged)
            for library in libraries:
                before = contents.get(library, LinkedContent(frozenset()))
                contents[library] = LinkedContent(
                    before.repositories | content.repositories,
                    before.is_whole and content.is_whole,
                )
    return contents


def _actions(answer: Iterable[str]) -> Iterator[_Action]:
    mnemonic, inputs = "", list[str]()
    for line in answer:
        if match := _MNEMONIC.match(line):
            mnemonic, inputs = match[1], []
        elif match := _LIST.match(line):
            paths = match[2].split(", ")
            if match[1] == "Outputs":
                yield _Action(mnemonic, inputs, paths)
            else:
                inputs = paths


def _library(path: str) -> str | None:
    match = _OUTPUT.match(path)
    return match[1] if match and re.fullmatch(_LIBRARY, match[1]) else None


def _content(inputs: Iterable[str], merged: Mapping[str, Sequence[str]]) -> LinkedContent:
    repositories, is_whole = set[str](), True
    seen, left = set[str](), list(filter(_is_part, inputs))
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        left += merged.get(path, ())
        if match := _EXTERNAL.search(path):
            repositories.add(match[1])
        elif merged.get(path) == [] or _is_folder(path):
            is_whole = False
    return LinkedContent(frozenset(repositories), is_whole)


def _is_part(path: str) -> bool:
    """Whether an input may bring something external into what is made of it."""
    if _COMPILED.search(path):
        return bool(_EXTERNAL.search(path))
    return bool(_OBJECT.search(path)) or _is_folder(path)


def _is_folder(path: str) -> bool:
    """Whether an output is a folder, as far as can be told: its name has no dot."""
    return bool(_OUTPUT.match(path)) and "." not in path.rpartition("/")[2]
