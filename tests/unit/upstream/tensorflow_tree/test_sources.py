"""Trees are read from a folder no further than it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.upstream.tensorflow_tree import sources
from tensorflow_macos_build.upstream.tensorflow_tree.fact import MOST_BYTES, Unread

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folders_files_are_read_and_what_lies_outside_is_not(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "a").mkdir(parents=True)
    (root / "a/b").write_text("in")
    (tmp_path / "secret").write_text("out")
    (root / "link").symlink_to(tmp_path / "secret")
    files = sources.of_folder(root)
    assert files("a/b") == b"in"
    for path in ("none", "a/b/c", "link", "../secret", str(tmp_path / "secret")):
        assert files(path) is None, path


def test_what_is_no_file_or_too_large_says_so(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b" " * (MOST_BYTES + 1))
    files = sources.of_folder(tmp_path)
    with pytest.raises(Unread, match=f"large: it has more than {MOST_BYTES} bytes"):
        files("large")
    with pytest.raises(Unread, match=r"\.: it is no regular file"):
        files(".")
