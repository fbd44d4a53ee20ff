"""A tree in memory that patches are applied to, one after the other.

It starts as the listing of a real tree and reads blobs only where a patch touches them. What git
would refuse is refused here too: a file that is already there, one that is not, a path below a file
or a symbolic link.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.patchqueue.formats import apply
from tensorflow_macos_build.patchqueue.formats.diff import GITLINK, SYMLINK, ChangeKind, FileChange
from tensorflow_macos_build.patchqueue.formats.paths import show
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TYPE = 0o170000
"""The bits of a mode that say what it is of: S_IFMT of inode(7)."""

_NEW_FILE = 0o100644
_FULL = {40, 64}
"""Digits of a whole object id: SHA-1's, and SHA-256's."""

_SUBMODULE = b"Subproject commit "
"""What a diff has for a submodule's content (git-diff(1), --submodule=short)."""


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """A file that a patch makes: its git mode, object id and content."""

    mode: int
    oid: str
    content: bytes

    @property
    def entry(self) -> TreeEntry:
        """Return what a tree holds of it."""
        return TreeEntry(f"{self.mode:o}", self.oid)


@dataclass(slots=True)
class PatchedTree:
    """A tree in memory.

    Attributes:
        files: every path with its mode and object id.
        read: returns a blob's content by its id.
        folders: every folder that has a file, or had one.
    """

    files: dict[bytes, TreeEntry]
    read: Callable[[str], bytes]
    folders: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note the folders of all files."""
        for path in self.files:
            self._note_folders(path)

    def after(self, changes: Iterable[FileChange]) -> dict[bytes, PatchedFile | None]:
        """Return the files that a patch makes or changes, None for those that go; change nothing.

        Raises:
            Malformed: the patch does not apply to this tree; `line` is the place in the patch.
        """
        changes = list(changes)
        # another change may take a path before the one that leaves it (apply.c, prepare_fn_table)
        leaving = {
            change.old_path
            for change in changes
            if change.kind in (ChangeKind.DELETE, ChangeKind.RENAME)
        }
        made: dict[bytes, PatchedFile | None] = {}
        for change in changes:
            try:
                self._apply(change, made, leaving)
            except Malformed as error:
                line = change.line if error.line is None else error.line
                raise Malformed(f"{show(change.new_path)}: {error.what}", line) from None
        # last: a folder may be emptied by a change that comes after the file in its place
        for path, file in made.items():
            if file is not None:
                self._check_path(path, made)
        return made

    def update(self, made: Mapping[bytes, PatchedFile | TreeEntry | None]) -> None:
        """Make the tree what a patch made of it."""
        for path, file in made.items():
            if file is None:
                self.files.pop(path, None)
            else:
                self.files[path] = file if isinstance(file, TreeEntry) else file.entry
                self._note_folders(path)

    def _apply(
        self, change: FileChange, made: dict[bytes, PatchedFile | None], leaving: set[bytes]
    ) -> None:
        # binary data are of exactly one preimage, which apply.c (apply_binary) knows by its full id
        if change.binary is not None and {len(change.old_id), len(change.new_id)} - _FULL:
            raise Malformed("the binary change needs a full `index` line (`git diff --binary`)")
        if change.kind is ChangeKind.ADD and not (change.guessed and self._is_empty(change, made)):
            if made.get(change.new_path) or (
                change.new_path in self.files and change.new_path not in leaving
            ):
                raise Malformed("the patch adds a file that is already there")
            made[change.new_path] = _file(change, change.new_mode or _NEW_FILE, b"")
            return
        mode, preimage = self._preimage(change, made)
        if change.kind is ChangeKind.DELETE:
            # git refuses it, too (apply.c, apply_data): the rest of the file would be lost
            if apply.content_after(change, preimage):
                raise Malformed("the patch deletes the file, but not all of its lines")
            made[change.old_path] = None
            return
        result = _file(change, _mode_after(change, mode), preimage)
        if change.new_path != change.old_path:
            taken = change.new_path in self.files and change.new_path not in leaving
            if taken or made.get(change.new_path):
                raise Malformed(
                    f"the patch's {change.kind.value} meets a file that is already there"
                )
            if change.kind is ChangeKind.RENAME:
                # unless the patch has made another file under the old name already
                made.setdefault(change.old_path, None)
        made[change.new_path] = result

    def _is_empty(self, change: FileChange, made: Mapping[bytes, PatchedFile | None]) -> bool:
        """Whether the file that a plain diff begins with nothing in it is there, and empty."""
        if change.new_path in made:
            file = made[change.new_path]
            return file is not None and not file.content
        entry = self.files.get(change.new_path)
        return entry is not None and not entry.is_submodule and not self.read(entry.oid)

    def _preimage(
        self, change: FileChange, made: dict[bytes, PatchedFile | None]
    ) -> tuple[int, bytes]:
        """Return mode and content of a change's preimage.

        A rename or copy reads the tree as it was before the patch; another change reads what the
        patch has already made of the file (git's apply.c, previous_patch).
        """
        path = change.old_path
        if path in made and change.kind not in (ChangeKind.RENAME, ChangeKind.COPY):
            file = made[path]
            if file is None:
                raise Malformed("the patch changes a file that it has deleted")
            return file.mode, file.content
        entry = self.files.get(path)
        if entry is None:
            raise Malformed(f"there is no file {show(path)} to {change.kind.value}")
        mode = int(entry.mode, 8)
        if change.old_mode is not None and (change.old_mode ^ mode) & _TYPE:
            raise Malformed(f"the file has mode {mode:06o}, not {change.old_mode:06o}")
        if entry.is_submodule:
            return mode, _SUBMODULE + entry.oid.encode() + b"\n"
        content = self.read(entry.oid)
        if change.binary is not None and not entry.oid.startswith(change.old_id):
            raise Malformed(f"the binary file is {entry.oid}, but the patch is for {change.old_id}")
        return mode, content

    def _check_path(self, path: bytes, made: Mapping[bytes, PatchedFile | None]) -> None:
        parent = path.rpartition(b"/")[0]
        while parent:
            file = made[parent] if parent in made else self.files.get(parent)
            if file is not None:
                raise Malformed(f"{show(path)} lies below {show(parent)}, which is no folder")
            parent = parent.rpartition(b"/")[0]
        # `folders` never forgets one: whether it is empty by now is only asked where it matters
        if path not in self.files and path in self.folders:
            below = path + b"/"
            names = [name for name in self.files if name.startswith(below)]
            if any(made.get(name, True) is not None for name in names):
                raise Malformed(f"{show(path)} is a folder, and the patch makes a file of it")

    def _note_folders(self, path: bytes) -> None:
        parent = path.rpartition(b"/")[0]
        while parent and parent not in self.folders:
            self.folders.add(parent)
            parent = parent.rpartition(b"/")[0]


def _file(change: FileChange, mode: int, preimage: bytes) -> PatchedFile:
    content = apply.content_after(change, preimage)
    if mode == GITLINK:
        oid = content.removeprefix(_SUBMODULE).strip().decode("ascii", "replace")
        if not content.startswith(_SUBMODULE) or len(oid) not in (40, 64) or not oid.strip("0"):
            raise Malformed("the patch gives a submodule no commit")
        return PatchedFile(mode, oid, content)
    # symlink(2) takes no empty name, and a NUL would cut the name short
    if mode & _TYPE == SYMLINK and (not content or b"\0" in content):
        raise Malformed("the patch makes a symbolic link that leads nowhere")
    # hashing is git's naming of contents, not security
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    oid = digest.hexdigest()
    if change.binary is not None and not oid.startswith(change.new_id):
        raise Malformed(f"the binary file becomes {oid}, but the patch promises {change.new_id}")
    return PatchedFile(mode, oid, content)


def _mode_after(change: FileChange, mode: int) -> int:
    if change.new_mode is None:
        return mode
    # git writes this as a deletion and a creation, and refuses another form (check_patch in
    # apply.c)
    if (change.new_mode ^ mode) & _TYPE:
        raise Malformed("the patch changes a file's type in place; delete and add it instead")
    return change.new_mode
