"""A tree that changes in memory: folders are read when looked at, and written when changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.quarantine import Quarantine


class _Folder:
    """A folder in memory: what a tree object holds, and what is otherwise than there.

    Attributes:
        origin: the id of the tree object; "" where there is none.
        read: what that holds, which others read, too; None when it has not been looked at.
        others: what is otherwise, by name: entries, folders that were looked into, None for what
            is gone.
        oid: its own id as a tree object, or "" when it changed since it was last written.
    """

    __slots__ = ("oid", "origin", "others", "read")

    def __init__(self, origin: str) -> None:
        self.origin = self.oid = origin
        self.read: Mapping[str, TreeEntry] | None = None if origin else {}
        self.others: dict[str, TreeEntry | _Folder | None] = {}


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
        return tuple(self._names(node)) if isinstance(node, _Folder) else ()

    def write(self, quarantine: Quarantine) -> str:
        """Write the folders that changed as tree objects, and return the whole tree's id."""
        self._settle()
        return self._write(self._root, quarantine)

    def _settle(self) -> None:
        """Bring what is pending into the folders."""
        gone: dict[str, list[str]] = {}
        come: dict[str, dict[str, TreeEntry]] = {}
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

    def _put(self, parts: Sequence[str], entries: Mapping[str, TreeEntry]) -> None:
        folder = self._root
        for part in parts:
            folder.oid = ""
            child = self._child(folder, part)
            if child is None:
                child = folder.others[part] = _Folder("")
            assert isinstance(child, _Folder), f"{part} is a file where a folder is wanted"
            folder = child
        folder.oid = ""
        folder.others.update(entries)

    def _remove(self, parts: Sequence[str], names: Iterable[str]) -> None:
        folder, above = self._root, list[_Folder]()
        for part in parts:
            child = self._child(folder, part)
            if not isinstance(child, _Folder):
                return
            above.append(folder)
            folder = child
        there = [name for name in names if isinstance(self._child(folder, name), TreeEntry)]
        if not there:
            return
        folder.others.update(dict.fromkeys(there))
        for changed in (*above, folder):
            changed.oid = ""
        for parent, part in zip(reversed(above), reversed(parts), strict=True):
            if any(True for _ in self._names(folder)):
                return
            parent.others[part] = None  # git has no empty folders
            folder = parent

    def _find(self, path: str) -> TreeEntry | _Folder | None:
        node: TreeEntry | _Folder | None = self._root
        for part in path.split("/"):
            if not isinstance(node, _Folder):
                return None
            node = node.others.get(part) or self._child(node, part)
        return node

    def _child(self, folder: _Folder, name: str) -> TreeEntry | _Folder | None:
        if name in folder.others:
            return folder.others[name]
        entry = self._read(folder).get(name)
        if entry is None or not entry.is_tree:
            return entry
        child = folder.others[name] = _Folder(entry.oid)
        return child

    def _names(self, folder: _Folder) -> Iterator[str]:
        read, others = self._read(folder), folder.others
        yield from (name for name in read if others.get(name, read[name]) is not None)
        yield from (name for name, node in others.items() if node and name not in read)

    def _read(self, folder: _Folder) -> Mapping[str, TreeEntry]:
        if folder.read is None:
            folder.read = self._objects.tree(folder.origin)
        return folder.read

    def _write(self, folder: _Folder, quarantine: Quarantine) -> str:
        if not folder.oid:
            others = {name: self._written(node, quarantine) for name, node in folder.others.items()}
            folder.oid = quarantine.write_tree_like(folder.origin, self._read(folder), others)
        return folder.oid

    def _written(
        self, node: TreeEntry | _Folder | None, quarantine: Quarantine
    ) -> TreeEntry | None:
        if isinstance(node, _Folder):
            return TreeEntry(TREE_MODE, self._write(node, quarantine))
        return node
