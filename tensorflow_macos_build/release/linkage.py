"""Which external archives are in which library of a wheel, as far as Bazel has said it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tensorflow_macos_build.release.sbom import ExternalArchive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_LIBRARY = re.compile(r"\.(?:so|dylib)(?:\.[0-9]+)*$")
_VERSION = re.compile(r"(?:\.[0-9]+)+(?=\.dylib$|$)")


@dataclass(frozen=True)
class BuiltOf:
    """What one architecture's wheel has from elsewhere.

    Attributes:
        archives: what Bazel fetched.
        links: the names of the archives in each library, by the library's path below Bazel's
            folder of outputs.
        partly_seen: the libraries there that may have more in them.
    """

    archives: Sequence[ExternalArchive]
    links: Mapping[str, Sequence[str]]
    partly_seen: Collection[str] = ()


def libraries(members: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the native libraries among a wheel's files, sorted."""
    return tuple(sorted(path for path in members if _LIBRARY.search(path)))


def archives(
    wheel_libraries: Sequence[str], built: Iterable[BuiltOf]
) -> tuple[ExternalArchive, ...]:
    """Return what Bazel fetched for any architecture, with the libraries that it is linked into."""
    every, inside = dict[ExternalArchive, None](), dict[str, set[str]]()
    for part in built:
        every.update(dict.fromkeys(part.archives))
        for library, source in _sources(wheel_libraries, part.links).items():
            for name in part.links[source]:
                inside.setdefault(name, set()).add(library)
    return tuple(
        ExternalArchive(each.name, each.urls, each.sha256, tuple(sorted(inside.get(each.name, ()))))
        for each in sorted(every, key=lambda each: (each.name, each.urls, each.sha256))
    )


def unknown(wheel_libraries: Sequence[str], built: Mapping[str, BuiltOf | None]) -> tuple[str, ...]:
    """Return what Bazel has not said, in words, by architecture."""
    words = []
    for architecture, part in sorted(built.items()):
        if part is None:
            words.append(f"{architecture}: what Bazel fetched, and what is linked into what")
            continue
        sources = _sources(wheel_libraries, part.links)
        for library in wheel_libraries:
            if library not in sources:
                words.append(f"{architecture}: what is linked into {library}")
            elif sources[library] in part.partly_seen:
                words.append(f"{architecture}: what else is linked into {library}")
    return tuple(words)


def _sources(wheel_libraries: Iterable[str], links: Iterable[str]) -> dict[str, str]:
    """Return for libraries of a wheel the output that each is, where that is certain.

    A wheel may have a library in another folder or, as TensorFlow's, by a link's shorter version.
    """
    paths, names = dict[str, list[str]](), dict[str, list[str]]()
    for output in links:
        plain = _VERSION.sub("", output)
        paths.setdefault(plain, []).append(output)
        names.setdefault(PurePosixPath(plain).name, []).append(output)
    sources = {}
    for library in wheel_libraries:
        plain = _VERSION.sub("", library)
        candidates = paths.get(plain) or names.get(PurePosixPath(plain).name, [])
        if library in candidates or len(candidates) == 1:
            sources[library] = library if library in candidates else candidates[0]
    return sources
