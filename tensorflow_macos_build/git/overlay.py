"""A tree that changes in memory: folders are read when looked at, and written when changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        self._pending: dict[str, TreeEntry | None] = {}

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at a path; a folder's entry has no id."""
        if (pending := self._pending.get(path)) is not None:
            return pending
        node = self._find(path)
        # What is pending at other paths can make or empty a folder here, but a file stays a file.
        if self._pending and (path in self._pending or not isinstance(node, TreeEntry)):
            self._settle()
            node = self._find(path)
        return TreeEntry(TREE_MODE, "") if isinstance(node, _Folder) else node

    def change(self, entries: Mapping[str, TreeEntry | None]) -> None:
        """Put an entry at each path, or take the file away that may be there, where it is None.

        The folders above are made, or go with the last that they hold. No file may be left in the
        place of one of them, and none be put in the place of a folder that is left.
        """
        # Folders are looked at when they have to be: of a queue most entries are replaced before.
        self._pending.update(entries)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder; none when there is no such folder."""
        self._settle()
        node = self._find(folder)
        return tuple(self._load(node)) if isinstance(node, _Folder) else ()

    def write(self, quarantine: Quarantine) -> str:
        """Write the folders that changed as tree objects, and return the whole tree's id."""
        self._settle()
        return self._write(self._root, quarantine)

    def _settle(self) -> None:
        """Bring what is pending into the folders."""
        gone: dict[str, list[str]] = {}
        come: dict[str, dict[str, TreeEntry | _Folder]] = {}
        for path, entry in self._pending.items():
            folder, _, name = path.rpartition("/")
            if entry is None:
                gone.setdefault(folder, []).append(name)
            else:
                come.setdefault(folder, {})[name] = entry
        self._pending.clear()
        # What goes is first, so that a file can become a folder.
        for folder, names in gone.items():
            self._remove(folder.split("/") if folder else [], names)
        for folder, entries in come.items():
            self._put(folder.split("/") if folder else [], entries)

    def _put(self, parts: Sequence[str], entries: Mapping[str, TreeEntry | _Folder]) -> None:
        folder = self._root
        for part in parts:
            child = self._change(folder).setdefault(part, _Folder("", {}))
            assert isinstance(child, _Folder), f"{part} is a file where a folder is wanted"
            folder = child
        self._change(folder).update(entries)

    def _remove(self, parts: Sequence[str], names: Iterable[str]) -> None:
        folder, above = self._root, list[_Folder]()
        for part in parts:
            child = self._load(folder).get(part)
            if not isinstance(child, _Folder):
                return
            above.append(folder)
            folder = child
        entries = self._load(folder)
        there = [name for name in names if isinstance(entries.get(name), TreeEntry)]
        for changed in (*above, folder) if there else ():
            self._change(changed)
        for name in there:
            del entries[name]
        for parent, part in zip(reversed(above), reversed(parts), strict=True):
            if self._load(folder):
                return
            del self._load(parent)[part]  # git has no empty folders
            folder = parent

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
