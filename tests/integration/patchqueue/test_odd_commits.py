"""Commits that git itself would not make: each is taken whole, or refused by name and path."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.patchqueue.exchange import importing
from tensorflow_macos_build.patchqueue.exchange.importing import ImportSource, SourceKind

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.queue.storage import Saved

FILE, FOLDER, LINK, SUBMODULE = b"100644", b"40000", b"120000", b"160000"
HFS = ".g\u200cit".encode()
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass
class Repository:
    """A repository whose objects are written byte by byte."""

    path: Path

    def git(self, *args: str, stdin: bytes = b"") -> str:
        argv = ["git", "-C", str(self.path), *args]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=True, env=ENVIRONMENT)
        return done.stdout.decode("utf-8", "replace").strip()

    def put(self, kind: str, content: bytes) -> str:
        return self.git("hash-object", "--literally", "-w", "-t", kind, "--stdin", stdin=content)

    def tree(self, *entries: tuple[bytes, bytes, str]) -> str:
        pieces = [b"%s %s\0" % (mode, name) + bytes.fromhex(oid) for mode, name, oid in entries]
        return self.put("tree", b"".join(pieces))

    def commit(
        self,
        tree: str,
        parent: str = "",
        author: bytes = b"A <a@b> 1600000000 +0000",
        message: bytes = b"odd one\n",
    ) -> str:
        parents = f"parent {parent}\n".encode() if parent else b""
        head = b"tree %s\n%sauthor %s\n" % (tree.encode(), parents, author)
        return self.put("commit", head + b"committer A <a@b> 1600000000 +0000\n\n" + message)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "upstream")
    made.path.mkdir()
    made.git("init", "-q")
    return made


def imported(repository: Repository, base: str, tip: str, folder: Path) -> Saved:
    source = ImportSource(SourceKind.RANGE, f"{base}..{tip}", str(repository.path), base)
    return importing.import_changes(source, folder / "queue", folder / "cache", silent)[1]


TREES = {
    "..": ((FOLDER, b"..", "folder"), (FILE, b"a", "file")),
    ".": ((FOLDER, b".", "folder"), (FILE, b"a", "file")),
    ".git": ((FOLDER, b".git", "folder"), (FILE, b"a", "file")),
    ".GIT": ((FILE, b".GIT", "file"), (FILE, b"a", "file")),
    "git~1": ((FILE, b"a", "file"), (FOLDER, b"git~1", "folder")),
    ".git on HFS+": ((FOLDER, HFS, "folder"), (FILE, b"a", "file")),
    ".git with a blank": ((FOLDER, b".git ", "folder"), (FILE, b"a", "file")),
    "a stream of .git": ((FOLDER, b".git::$INDEX_ALLOCATION", "folder"), (FILE, b"a", "file")),
    "a backslash": ((FILE, b"a", "file"), (FILE, b"x\\..\\y", "file")),
    "5,000 bytes": ((FILE, b"a", "file"), (FILE, b"l" * 5000, "file")),
    "a link and a folder": ((FILE, b"a", "file"), (LINK, b"d", "link"), (FOLDER, b"d", "folder")),
    "a file and a folder": ((FILE, b"a", "file"), (FILE, b"d", "file"), (FOLDER, b"d", "folder")),
    "one name twice": ((FILE, b"a", "file"), (FILE, b"b", "file"), (LINK, b"b", "link")),
    "an odd mode": ((FILE, b"a", "file"), (b"100600", b"b", "file")),
    "no order": ((FILE, b"z", "file"), (FILE, b"a", "file")),
    "a link of .gitmodules": ((LINK, b".gitmodules", "link"), (FILE, b"a", "file")),
    "a submodule of nothing": ((FILE, b"a", "file"), (SUBMODULE, b"s", "0" * 40)),
}


@pytest.mark.parametrize("entries", TREES.values(), ids=TREES)
def test_a_tree_that_git_would_not_write_is_refused_by_name(
    repository: Repository, tmp_path: Path, entries: tuple[tuple[bytes, bytes, str], ...]
) -> None:
    file, link = repository.put("blob", b"x\n"), repository.put("blob", b"/etc")
    ids = {"file": file, "link": link, "folder": repository.tree((FILE, b"f", file))}
    base = repository.commit(repository.tree((FILE, b"a", file)))
    odd = repository.tree(*((mode, name, ids.get(oid, oid)) for mode, name, oid in entries))
    tip = repository.commit(odd, base)
    with pytest.raises((UsageError, WorkFailed)) as refused:
        imported(repository, base, tip, tmp_path)
    assert "odd" in refused.value.where
    assert not (tmp_path / "queue").exists()


AUTHORS = {
    b"A <a@b> 99999999999999999 +0000": "A|a@b|99999999999999999 +0000",
    b"A <a@b> 9223372036854775807 +1200": "A|a@b|9223372036854775807 +1200",
    b"A <a@b> 9999999999999999999999 +0000": "A|a@b|0 +0000",
    b"A <a@b> %s +0000" % (b"9" * 5000): "A|a@b|0 +0000",
    b"A <a@b> -5 +0000": "A|a@b|0 +0000",
    b"A <a@b> 1600000000 +9999": "A|a@b|1600000000 +0000",
    b"A <a@b> 1600000000 +%s" % (b"9" * 5000): "A|a@b|1600000000 +0000",
    b"A <a@b> 1600000000 -2359": "A|a@b|1600000000 -2359",
    b"A <> 1600000000 +0000": "A|unknown@invalid|1600000000 +0000",
    b"<a@b> 1600000000 +0000": "a@b|a@b|1600000000 +0000",
    b"A\0B <a@b> 1600000000 +0000": "AB|a@b|1600000000 +0000",
    b"Ren\xe9 <a@b> 1600000000 +0000": "Ren\u00e9|a@b|1600000000 +0000",
}


@pytest.mark.parametrize(("author", "read"), AUTHORS.items(), ids=map(str, range(len(AUTHORS))))
def test_an_author_that_no_clock_or_mail_has_still_makes_a_patch_that_git_am_takes(
    repository: Repository, tmp_path: Path, author: bytes, read: str
) -> None:
    file = repository.put("blob", b"x\n")
    base = repository.commit(repository.tree((FILE, b"a", file)))
    tree = repository.tree((FILE, b"a", file), (FILE, b"b", file))
    tip = repository.commit(tree, base, author, b"o\0dd\n\nbo\0dy\n")
    saved = imported(repository, base, tip, tmp_path)
    repository.git("checkout", "-q", "--detach", base)
    identity = ("-c", "user.name=x", "-c", "user.email=x@x")
    repository.git(*identity, "am", "-q", str(saved.queue.folder / saved.queue.patches[0].name))
    assert repository.git("rev-parse", "HEAD^{tree}") == tree
    shown = repository.git("log", "-1", "--format=%an|%ae|%ad", "--date=raw")
    assert shown == read
    assert repository.git("log", "-1", "--format=%B") == "odd\n\nbody"
