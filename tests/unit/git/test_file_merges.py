"""Merges of single files: what git says when it is asked again, and when it cannot answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.file_merges import FileMerger, FileVersions
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git, ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = [b"line %d\n" % number for number in range(9)]


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    git = Git(tmp_path / "r.git")
    git.init()
    with open_quarantine(git) as quarantine:
        yield quarantine


def versions(quarantine: Quarantine, path: str, at: int = 7) -> FileVersions:
    """Both sides change a line: the first one ours, the one at `at` theirs."""
    contents = [LINES, [b"ours\n", *LINES[1:]], [*LINES[:at], b"theirs\n", *LINES[at + 1 :]]]
    blobs = (quarantine.write("blob", b"".join(content)) for content in contents)
    return FileVersions(path, *(TreeEntry("100644", oid) for oid in blobs))


def test_more_files_than_are_asked_for_at_once(quarantine: Quarantine) -> None:
    merger, empty = FileMerger(quarantine), quarantine.write_tree({})
    files = [versions(quarantine, f"d/{at}", at % 8) for at in range(250)]
    merged = merger.merge(empty, files)
    assert [merge.clean for merge in merged] == [at % 8 > 1 for at in range(250)]
    assert [merge.messages[0].paths for merge in merged] == [(f"d/{at}",) for at in range(250)]
    assert merger.merge(empty, files) == merged
    content = quarantine.objects.blob(merged[7].entry.oid)
    assert content == b"".join([b"ours\n", *LINES[1:7], b"theirs\n", LINES[8]])


def test_a_missing_blob_is_named_and_the_next_merge_is_made(quarantine: Quarantine) -> None:
    merger, empty = FileMerger(quarantine), quarantine.write_tree({})
    whole = versions(quarantine, "f")
    for _ in range(2):
        assert merger.merge(empty, [whole])[0].clean
        with pytest.raises(ObjectMissing, match="1111"):
            merger.merge(empty, [whole._replace(theirs=TreeEntry("100644", "1" * 40))])
        merger = FileMerger(quarantine)
