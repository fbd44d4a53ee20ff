from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import alternates
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.worktree import work_tree

if TYPE_CHECKING:
    from pathlib import Path


def tree_of(git: Git, files: dict[str, str]) -> str:
    """Return the id of a tree with files in one folder."""
    blobs = {name: git.line("hash-object", "-w", "--stdin", stdin=text.encode())
             for name, text in files.items()}  # fmt: skip
    rows = "".join(f"100644 blob {oid}\t{name}\n" for name, oid in blobs.items())
    folder = git.line("mktree", stdin=rows.encode())
    return git.line("mktree", stdin=f"040000 tree {folder}\tfolder\n".encode())


def test_of_a_work_tree_only_what_was_made_there_is_brought(tmp_path: Path) -> None:
    upstream = Git(tmp_path / "upstream.git")
    upstream.init()
    known = tree_of(upstream, {"a": "a\n", "b": "b\n"})
    git = work_tree.git_of(tmp_path / "work")
    git.git_dir.parent.mkdir()
    git.init(bare=False)
    alternates.write(git.git_dir, [upstream.objects_folder()])
    made = tree_of(git, {"a": "a\n", "b": "changed\n"})
    with open_quarantine(upstream) as quarantine:
        # what nobody changed is brought, too: there is nothing to carry over
        work_tree.bring(tmp_path / "work", quarantine, [known], known=known)
        work_tree.bring(tmp_path / "work", quarantine, [made], known=known)
        counted = dict(
            line.split(": ") for line in quarantine.git.line("count-objects", "-v").split("\n")
        )
        assert int(counted["in-pack"]) + int(counted["count"]) == 3  # two folders, one file
        changed = quarantine.git.out("cat-file", "blob", f"{made}:folder/b")
    assert changed == b"changed\n"
