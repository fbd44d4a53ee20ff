"""A tree that changes in memory: folders are read when looked at, and written when changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.quarantine import Quarantine


class _Folder:
    """A folder in memory.

    Attributes:
        oid: its tree object, or "" when it changed since it was last written.
        entries: what it holds by name, or None when it has not been looked at.
    """

    __slots__ = ("entries", "oid")

    def __init__(self, oid: str, entries: dict[str, TreeEntry | _Folder] | None = None) -> None:
        self.oid = oid
        self.entries = entries


def tree_of_paths(quarantine: Quarantine, entries: Mapping[str, TreeEntry | None]) -> str:
    """Return the id of a tree that holds nothing but some paths; there is nothing where None is.

    What git compares or merges of whole trees at these paths only, it does in it as well.
    """
    tree = Overlay(quarantine.objects, quarantine.write_tree({}))
    tree.change({path: entry for path, entry in entries.items() if entry is not None})
    return tree.write(quarantine)


class Overlay:
    """A tree object and the changes made to it since. Paths are as git writes them (`a/b/c`)."""

    def __init__(self, objects: ObjectReader, tree: str) -> None:
        self._objects = objects
        self._root = _Folder(tree)  # the other folders are read when a path leads into them

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at a path. A folder's entry has no id when it changed."""
        node = self._find(path)
        return TreeEntry(TREE_MODE, node.oid) if isinstance(node, _Folder) else node

    def put(self, path: str, entry: TreeEntry) -> None:
        """Put a file (or link, or submodule) at a path, making the folders above it.

        No file may be in the place of a folder above, and no folder at the path.
        """
        *above, name = path.split("/")
        folder = self._root
        for part in above:
            folder = self._changed_child(folder, part)
        self._change(folder)[name] = entry

    def remove(self, path: str) -> None:
        """Take a file away, and the folders above it that are empty then."""
        trail: list[tuple[_Folder, str]] = []
        folder = self._root
        *above, name = path.split("/")
        for part in above:
            trail.append((folder, part))
            folder = self._changed_child(folder, part)
        del self._change(folder)[name]
        for parent, part in reversed(trail):  # git has no empty folders
            child = self._load(parent)[part]
            if isinstance(child, _Folder) and child.entries == {}:
                del self._change(parent)[part]

    def change(self, entries: Mapping[str, TreeEntry | None]) -> None:
        """Put an entry at each path, or take away what may be there, where it is None."""
        # What goes is first, so that a file can become a folder.
        for path, entry in entries.items():
            if entry is None and self._find(path) is not None:
                self.remove(path)
        for path, entry in entries.items():
            if entry is not None:
                self.put(path, entry)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder; none when there is no such folder."""
        node = self._find(folder)
        return tuple(self._load(node)) if isinstance(node, _Folder) else ()

    def write(self, quarantine: Quarantine) -> str:
        """Write the folders that changed as tree objects, and return the whole tree's id."""
        return self._write(self._root, quarantine)

    def _find(self, path: str) -> TreeEntry | _Folder | None:
        node: TreeEntry | _Folder | None = self._root
        for part in path.split("/"):
            if not isinstance(node, _Folder):
                return None
            node = self._load(node).get(part)
        return node

    def _load(self, folder: _Folder) -> dict[str, TreeEntry | _Folder]:
        if folder.entries is None:
            folder.entries = {
                name: _Folder(entry.oid) if entry.is_tree else entry
                for name, entry in self._objects.tree(folder.oid).items()
            }
        return folder.entries

    def _change(self, folder: _Folder) -> dict[str, TreeEntry | _Folder]:
        entries = self._load(folder)  # first: its id is what it is loaded by
        folder.oid = ""
        return entries

    def _changed_child(self, folder: _Folder, part: str) -> _Folder:
        child = self._change(folder).setdefault(part, _Folder("", {}))
        assert isinstance(child, _Folder), f"{part} is a file where a folder is wanted"
        self._change(child)
        return child

    def _write(self, folder: _Folder, quarantine: Quarantine) -> str:
        if not folder.oid:
            folder.oid = quarantine.write_tree(
                {
                    name: TreeEntry(TREE_MODE, self._write(child, quarantine))
                    if isinstance(child, _Folder)
                    else child
                    for name, child in self._load(folder).items()
                }
            )
        return folder.oid
