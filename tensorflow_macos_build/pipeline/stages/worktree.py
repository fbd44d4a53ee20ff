"""A work tree that is brought to a tree id in place, so that only changed files are written.

Bazel knows files by their times: a tree written anew would make it read all of them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from pathlib import Path


def check_out(git_dir: Path, tree: str, folder: Path) -> None:
    """Make `folder` hold exactly the files of `tree`; what else lies in it is deleted.

    Safe after a kill at any moment: the index beside the folder is only believed where a file's
    size and time agree with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder.with_name(f"{folder.name}.index")
    index.with_name(f"{index.name}.lock").unlink(missing_ok=True)  # its writer was killed
    git = Git(git_dir, folder, {"GIT_INDEX_FILE": str(index)})
    git.run("read-tree", "--reset", "-u", tree)
    # read-tree writes what differs between the index and `tree`; what was changed or deleted in the
    # folder since is written here.
    git.run("checkout-index", "--all", "--force", "--quiet", "--index")
    # -x: files that upstream's .gitignore names go too. The second -f: so do repositories in it.
    git.run("clean", "-ffdxq")
