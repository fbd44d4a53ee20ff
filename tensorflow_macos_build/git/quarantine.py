"""A throw-away repository over a real one, which gets nothing new before it is worth keeping.

It is bare; its objects are its own and its alternate is the real repository
(gitrepository-layout(5), objects/info/alternates). It has neither the real one's configuration nor
its attributes, so nothing that a user sets there changes a result; the attributes that count for
merges are those in the trees (`attributes`). `Quarantine.keep` carries what is worth keeping over,
as one pack.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.git import alternates
from tensorflow_macos_build.git.attributes import TreeAttributes, parse_check_attr
from tensorflow_macos_build.git.markers import MARKER_SIZE
from tensorflow_macos_build.git.objects import (
    ObjectReader,
    TreeEntry,
    decode_path,
    emit_tree,
    encode_path,
    reading,
)
from tensorflow_macos_build.git.recent import Recent
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.git.running import RunningGits
from tensorflow_macos_build.git.unwritten import UnwrittenObjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_ATTRIBUTES = (
    f"* !text !eol !filter !ident !working-tree-encoding !diff conflict-marker-size={MARKER_SIZE}\n"
)
"""They take precedence over those of a tree, which say by `merge` how its files are merged."""

_OF_OBJECTS = (
    r"^(extensions\.(partialclone|objectformat)|remote\..*\.(url|promisor|partialclonefilter))$"
)


_HASH = "sha1"
"""That of a repository which names no other one (git-config(1), extensions.objectFormat)."""


_ALIKE_KEPT = 20_000
"""Entries that are kept, some 200 bytes each, of what makes one tree of another."""


class Quarantine:
    """A throw-away repository over a real one: reads see both, writes stay here.

    Attributes:
        git: the quarantine, to run git in.
        source: the real repository.
        objects: reads objects of both.
    """

    def __init__(
        self, git: Git, source: Git, objects: ObjectReader, unwritten: UnwrittenObjects
    ) -> None:
        self.git = git
        self.source = source
        self.objects = objects
        self._unwritten = unwritten
        self._folder = git.git_dir / "objects"
        self._attributes = TreeAttributes(objects, git.git_dir / "attributes")
        self._values: dict[tuple[Path, str], dict[str, str]] = {}
        self._alike: Recent[tuple[str, frozenset[tuple[str, TreeEntry | None]]], str] = Recent(
            _ALIKE_KEPT
        )

    def git_on(self, tree: str) -> Git:
        """Return the quarantine's git as it sees files on a tree, by the tree's own attributes."""
        return self.git_with(self.attributes_folder(tree))

    def git_with(self, attributes: Path | None) -> Git:
        """Return the quarantine's git as it sees files by the attributes in a folder."""
        return self.git if attributes is None else replace(self.git, work_tree=attributes)

    def attributes_folder(self, tree: str) -> Path | None:
        """Return the folder with a tree's .gitattributes; None: they say nothing of merges."""
        return self._attributes.folder(tree)

    @property
    def uniting(self) -> Path:
        """The folder with attributes by which all files are merged by a union of their lines."""
        return self._attributes.uniting

    def unites(self, tree: str) -> bool:
        """Whether files of a tree may be merged by a union of their lines."""
        return self._attributes.unite(tree)

    def attribute(
        self, name: str, tree: str, paths: Sequence[str], *, expected: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Return an attribute's values for files on a tree; `unspecified` where it has none.

        Only attributes of merges are known of a tree whose .gitattributes say nothing of them.
        Where git is asked, it is asked for the `expected` paths as well.
        """
        folder = self._attributes.folder(tree)
        if folder is None:
            return ("unspecified",) * len(paths)
        known = self._values.setdefault((folder, name), {})
        if not known.keys() >= set(paths):
            asked = [path for path in dict.fromkeys((*paths, *expected)) if path not in known]
            known |= zip(asked, self._check_attr(folder, name, asked), strict=True)
        return tuple(known[path] for path in paths)

    def _check_attr(self, folder: Path, name: str, paths: Sequence[str]) -> tuple[str, ...]:
        # A repository of its own, for the quarantine's own attributes come before a tree's.
        git = Git(self.git.git_dir / "attributes.git", work_tree=folder)
        if not git.git_dir.is_dir():
            Git(git.git_dir).init()
        stdin = b"".join(encode_path(path) + b"\0" for path in paths)
        return parse_check_attr(git.out("check-attr", "-z", "--stdin", name, stdin=stdin))

    def write(self, kind: str, content: bytes) -> str:
        """Put an object into the quarantine, and return its id.

        It is in memory until git runs there: most trees of a replay are for nobody but `objects`.
        """
        return self._unwritten.add(kind, content)

    def publish(self, roots: Iterable[str]) -> None:
        """Write out what objects reach, and themselves, for a program that runs already."""
        self._unwritten.publish(roots)

    def write_tree(self, entries: Mapping[str, TreeEntry]) -> str:
        """Put a tree into the quarantine, and return its id."""
        oid = self.write("tree", emit_tree(entries))
        self.objects.remember_tree(oid, entries)
        return oid

    def write_tree_like(
        self, oid: str, entries: Mapping[str, TreeEntry], others: Mapping[str, TreeEntry | None]
    ) -> str:
        """Put a tree into the quarantine that is like another, and return its id.

        Replays on many trees change the same folders alike: such a tree is made once.

        Args:
            oid: the other's id; "" for an empty one.
            entries: what that holds.
            others: what is to be otherwise, None where nothing shall be.
        """
        key = oid, frozenset(item for item in others.items() if entries.get(item[0]) != item[1])
        made = self._alike.get(key)
        if made is None:
            both = {**entries, **others}
            made = self.write_tree({name: entry for name, entry in both.items() if entry})
            self._alike.put(key, made, len(key[1]) + 1)
        return made

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str] = (),
        *,
        author: str = "x <x> 1 +0000",
        committer: str = "x <x> 1 +0000",
        message: bytes = b"x\n",
    ) -> str:
        """Put a commit into the quarantine, and return its id; the values are raw, as in `Commit`.

        By default they are the same for ever: equal trees make equal commits.
        """
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        head += [f"author {author}", f"committer {committer}"]
        return self.write("commit", encode_path("\n".join(head)) + b"\n\n" + message)

    def tree(self, commit: str) -> str:
        """Return the id of a commit's tree."""
        return self.objects.commit(commit).tree

    def parent_tree(self, commit: str) -> str:
        """Return the id of the tree before a commit: its first parent's, or the empty one."""
        parents = self.objects.commit(commit).parents
        return self.tree(parents[0]) if parents else self.write_tree({})

    def adopt(self, objects: Path) -> None:
        """Have the packs in another folder of objects, as if they had been made here."""
        packs = self._folder / "pack"
        packs.mkdir(exist_ok=True)
        for pack in (objects / "pack").glob("pack-*.pack"):
            for made in (pack, pack.with_suffix(".idx")):
                files.link_or_copy(made, packs / made.name)

    def keep(self, tips: Sequence[str], known: Sequence[str], into: Path | None = None) -> None:
        """Carry the objects that `tips` reach and the repository lacks over into it, as one pack.

        The pack is put in place behind its index, so that a kill leaves either all objects or none:
        git passes over an index without a pack (add_packed_git in packfile.c), and nobody else
        meets a pack that seems to have lost its index.
        `known` are objects that the repository has; what they reach is not looked at. `into` is
        another objects folder to put the pack in.
        """
        # Their trees by name, too: git leaves a commit's tree out for other commits only.
        hidden = [name for oid in known for name in (oid, f"{oid}^{{tree}}")]
        revisions = "\n".join([*tips, "--not", *hidden, ""]).encode()
        made = self._folder / "pack" / "kept"
        made.parent.mkdir(exist_ok=True)
        # --local: what the alternate has stays there
        arguments = ("--revs", "--local", "--non-empty", "--quiet", made)
        name = self.git.line("pack-objects", *arguments, stdin=revisions)
        pack = (into or self.source.objects_folder()) / "pack"
        temporary.sweep(pack)
        # git itself would rename the pack, and so fail where TMPDIR is another file system.
        for suffix in (".idx", ".pack") if name else ():
            _put_pack_file(
                made.with_name(f"kept-{name}{suffix}"),
                pack / f"pack-{name}{suffix}",
            )


@contextlib.contextmanager
def open_quarantine(source: Git) -> Iterator[Quarantine]:
    """Open a quarantine over a repository; everything in it is deleted at the end of the body."""
    with temporary.scratch("quarantine") as folder:
        git, algorithm = _make(folder, source)
        unwritten = UnwrittenObjects(git.git_dir / "objects", algorithm)
        with RunningGits() as running, reading(git, unwritten.contents) as objects:
            own = replace(git, running=running, publish=unwritten.publish_all)
            yield Quarantine(own, source, objects, unwritten)


def _put_pack_file(made: Path, target: Path) -> None:
    if not target.exists():
        with files.atomic_path(target) as unfinished:
            files.link_or_copy(made, unfinished)
            unfinished.chmod(0o444)  # as git has them: nobody changes a pack


def _make(folder: Path, source: Git) -> tuple[Git, str]:
    """Make a quarantine's repository; return it, and the hash that its objects are named by."""
    # HEAD, objects/ and refs/ make it a repository to git (is_git_directory in setup.c)
    (folder / "objects" / "info").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "info").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
    (folder / "config").write_text(
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[merge]\n\tconflictStyle = diff3\n",
        encoding="ascii",
    )
    (folder / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")
    if source.publish is not None:  # it is a quarantine, and may have objects in memory
        source.publish()
    alternates.write(folder, [source.objects_folder()])
    git = Git(folder, borrows_from=source)
    return git, _carry_over(source, git)


def _carry_over(source: Git, git: Git) -> str:
    """Let the quarantine know what its objects are like: shallow, their hash, fetched on demand.

    Where the source's server is known, nothing is fetched on demand: `Git.bring` asks for it.
    Return the name of the hash.
    """
    if (shallow := source.shallow_file()).is_file():
        shutil.copyfile(shallow, git.git_dir / "shallow")
    if source.server:
        return _HASH
    # 1 is the exit status of a search without a match
    listed = source.run("config", "--null", "--get-regexp", _OF_OBJECTS, expected=(0, 1)).stdout
    pairs = [record.partition("\n") for record in decode_path(listed).split("\0") if record]
    if any(key.startswith("extensions.") for key, _, _ in pairs):
        for key, _, value in pairs:
            git.run("config", "--add", key, value)
    return next((value for key, _, value in pairs if key == "extensions.objectformat"), _HASH)
