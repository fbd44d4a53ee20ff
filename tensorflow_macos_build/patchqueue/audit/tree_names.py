"""Files, Bazel targets and loaded symbols: whether a tree has what a name of a patch means.

A name is taken from where it is used: a nested workspace (TensorFlow's `third_party/xla`) is the
root of its own labels, and include paths are looked for below every workspace.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.objects import decode_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.audit.names_used import Label

_WORKSPACES = ("WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel")
_BUILD_FILES = ("BUILD", "BUILD.bazel")
_MAIN_REPOSITORIES = ("", "org_tensorflow")


class TreeNames:
    """What a tree has.

    Args:
        quarantine: reads it.
        tree: the tree's id, or a commit's.
    """

    def __init__(self, quarantine: Quarantine, tree: str) -> None:
        self._objects = quarantine.objects
        self._files = {
            decode_path(path): entry.oid
            for path, entry in trees.files(quarantine.git, tree).items()
            if not entry.is_submodule
        }
        self.roots = tuple(sorted({*_roots(self._files), ""}))
        self._quoted: dict[str, frozenset[bytes]] = {}

    def file(self, path: str, using: str) -> str:
        """Return the path of a file that an include or import means; "" where there is none.

        Args:
            path: as it is written.
            using: the path of the file that uses it.
        """
        roots = dict.fromkeys([self.root_of(using), *self.roots])
        return next((root + path for root in roots if self.has_file(root + path)), "")

    def has_file(self, path: str) -> bool:
        """Whether there is a file; of a Python module also as a package or a compiled one."""
        if path in self._files:
            return True
        stem, suffix = posixpath.splitext(path)
        return suffix == ".py" and any(
            f"{stem}{other}" in self._files for other in ("/__init__.py", ".pyi", ".pyx")
        )

    def content(self, path: str) -> bytes | None:
        """Return a file's content; None where there is no file."""
        oid = self._files.get(path)
        return None if oid is None else self._objects.blob(oid)

    def root_of(self, path: str) -> str:
        """Return the folder of the innermost workspace of a path, with a slash, or ""."""
        return max((root for root in self.roots if path.startswith(root)), key=len)

    def package_of(self, label: Label, using: str) -> str | None:
        """Return the folder of a label's package; None where it is of a repository elsewhere."""
        if label.own:
            return label.package
        if label.repository in _MAIN_REPOSITORIES:
            root = "" if label.repository else self.root_of(using)
            return (root + label.package).rstrip("/")
        # TensorFlow calls what it has below third_party/ `@local_xla`, later `@xla`
        name = label.repository.removeprefix("local_")
        ending = f"third_party/{name}/"
        folders = [root for root in self.roots if root.endswith(ending)]
        return (folders[0] + label.package).rstrip("/") if folders else None

    def build_file(self, package: str) -> str:
        """Return the path of a package's BUILD file; "" where there is none."""
        paths = (posixpath.join(package, name) for name in _BUILD_FILES)
        return next((path for path in paths if path in self._files), "")

    def has_target(self, package: str, target: str, *, surely: bool) -> bool:
        """Whether a package has a target: a rule of the name, or a file.

        Args:
            package: its folder.
            target: its name.
            surely: whether a `name = "…"` must say so; else any mention in the BUILD file counts,
                for macros make targets of what they are given.
        """
        if posixpath.join(package, target) in self._files:
            return True
        quoted = self._strings(self.build_file(package))
        name = target.encode("utf-8", "surrogateescape")
        return (b"name=" + name if surely else name) in quoted

    def has_symbol(self, path: str, symbol: str) -> bool:
        """Whether a `.bzl` file binds a symbol."""
        oid = self._files.get(path)
        if oid is None:
            return False
        word = re.escape(symbol.encode())
        bound = rb"""(?m)^(?:def\s+%b\b|%b\s*=|load\([^)]*["']?\b%b\b)""" % (word, word, word)
        return re.search(bound, self._objects.blob(oid)) is not None

    def _strings(self, path: str) -> frozenset[bytes]:
        """Return the strings of a BUILD file, and those that are names, with `name=` before."""
        if path not in self._quoted:
            content = self._objects.blob(self._files[path]) if path else b""
            strings = re.findall(rb"""(\bname\s*=\s*)?["']([^"'\n]+)["']""", content)
            named = (b"name=" + text for before, text in strings if before)
            self._quoted[path] = frozenset([*(text for _, text in strings), *named])
        return self._quoted[path]


def _roots(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in _WORKSPACES:
            yield f"{folder}/" if folder else ""
