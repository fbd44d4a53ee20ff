"""Objects that are borrowed from another repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import alternates
from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from pathlib import Path


def test_git_sees_what_is_borrowed_whatever_the_folders_name(tmp_path: Path) -> None:
    lender = Git(tmp_path / os.fsdecode(b"l\xe9nder \xff#.git"))
    borrower, second = Git(tmp_path / "borrower.git"), Git(tmp_path / "second.git")
    for git in (lender, borrower, second):
        git.init()
    oid = lender.line("hash-object", "-w", "--stdin", stdin=b"lent\n")
    alternates.write(borrower.git_dir, [second.objects_folder(), lender.objects_folder()])
    assert borrower.out("cat-file", "blob", oid) == b"lent\n"
    assert alternates.source(borrower.git_dir) == second.git_dir
    assert alternates.source(lender.git_dir) == lender.git_dir


def test_repositories_that_borrow_from_each_other_end_the_search(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a.git", "b.git")]
    for own, other in (folders, folders[::-1]):
        Git(own).init()
        alternates.write(own, [other / "objects"])
    assert alternates.source(folders[0]) in folders
