"""Merges of single files: what git says when it is asked again, and when it cannot answer."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import markers, merges
from tensorflow_macos_build.git.file_merges import FileMerge, FileMerger, FileVersions
from tensorflow_macos_build.git.merge_queue import Urgency
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.repository import ObjectMissing

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine

LINES = [b"line %d\n" % number for number in range(9)]


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


def test_what_is_expected_is_made_beside_what_is_asked_for(quarantine: Quarantine) -> None:
    """Each has its own answer; where an object of one is missing, what is not made yet is not."""
    empty = quarantine.write_tree({})
    files = [versions(quarantine, "f", at) for at in range(1, 9)]
    missing = files[0]._replace(theirs=TreeEntry("100644", "1" * 40))
    alone = FileMerger(quarantine)
    for expected in ([*files[1:3], *files[1:3], files[5]], [missing, *files[1:3]]):
        merger = FileMerger(quarantine)
        told: list[list[FileMerge]] = [[] for _ in expected]
        for file, of_file in zip(expected, told, strict=True):
            merger.expect_merge(empty, file, of_file.append, Urgency(1))
        made = merger.merge(empty, files[2:5])
        merger.finish()
        assert missing in expected or [len(of_file) for of_file in told] == [1] * len(expected)
        beside = [(f, m) for f, of_file in zip(expected, told, strict=True) for m in of_file]
        for file, merge in [*beside, *zip(files[2:5], made, strict=True)]:
            (other,) = alone.merge(empty, [file])
            assert merge.clean is other.clean
            assert _theirs(quarantine, merge) == _theirs(quarantine, other)
        assert merger.merge(empty, [files[6]])[0].clean


def test_what_rests_on_a_merge_is_asked_for_when_it_is_known(quarantine: Quarantine) -> None:
    merger, empty = FileMerger(quarantine), quarantine.write_tree({})
    files = [versions(quarantine, "f", at) for at in range(1, 9)]
    known: list[FileVersions] = []

    def expect(at: int) -> None:
        if at < len(files):
            urgency = Urgency(1, len(files) - at)
            merger.expect_merge(empty, files[at], functools.partial(learn, at), urgency)

    def learn(at: int, merge: FileMerge) -> None:
        assert merger.known(empty, files[at]) == merge
        known.append(files[at])
        expect(at + 1)

    expect(0)
    merger.go_on()
    merger.finish()
    assert known == files


def _theirs(quarantine: Quarantine, merge: FileMerge) -> bytes | None:
    """Return what is there with the patch's side; markers name throw-away commits."""
    content = quarantine.objects.blob(merge.entry.oid)
    return content if merge.clean else markers.patch_side(content, content)


def test_whole_trees_merge_as_by_a_git_of_their_own(quarantine: Quarantine) -> None:
    """Also after one that an object was missing for, which ends the git that goes on running."""
    merger, missing = FileMerger(quarantine), TreeEntry("100644", "1" * 40)
    for at in (0, 7):
        entries = (entry for entry in versions(quarantine, "f", at)[1:] if entry)
        base, ours, theirs = (quarantine.write_tree({"f": entry}) for entry in entries)
        whole = merges.merge(quarantine, base, ours, theirs)
        assert merger.merge_trees(base, ours, theirs) == whole
        assert whole.clean is (at == 7)
        with pytest.raises(ObjectMissing, match="1111"):
            merger.merge_trees(base, ours, quarantine.write_tree({"f": missing}))


@pytest.mark.parametrize("rules", [b"", b"* merge=union\n"])
def test_files_merge_side_by_side_as_they_do_one_by_one(
    quarantine: Quarantine, rules: bytes
) -> None:
    attributes = TreeEntry("100644", quarantine.write("blob", rules))
    tree = quarantine.write_tree({".gitattributes": attributes})
    files = [versions(quarantine, f"{at % 3}/{at}", at) for at in range(9)]
    files[2] = files[2]._replace(theirs=None)
    files[5] = files[5]._replace(base=None)
    files[8] = files[8]._replace(ours=None)
    together = FileMerger(quarantine).merge(tree, files)
    singly = [FileMerger(quarantine).merge(tree, [file])[0] for file in files]
    assert [merge.clean for merge in together] == [merge.clean for merge in singly]
    assert [merge.messages for merge in together] == [merge.messages for merge in singly]
    for merge, alone in zip(together, singly, strict=True):
        assert merge.entry == alone.entry or not merge.clean  # markers name commits
        assert merge.entry.mode == alone.entry.mode
    assert len({merge.clean for merge in together}) == 2


def test_files_that_a_side_lacks_lie_apart_from_files_that_both_add(
    quarantine: Quarantine,
) -> None:
    """Else git takes the one for renamed to the other, for they are alike."""
    empty = quarantine.write_tree({})
    modified = versions(quarantine, "old")._replace(ours=None)
    added = versions(quarantine, "new")._replace(base=None)
    gone, both = FileMerger(quarantine).merge(empty, [modified, added])
    assert [message.kind for message in gone.messages] == ["CONFLICT (modify/delete)"]
    assert {message.kind for message in both.messages} == {"Auto-merging", "CONFLICT (contents)"}
    assert gone.entry == modified.theirs


@pytest.mark.parametrize("driver", ["text", "merge=none-of-gits", "merge", "merge=unset", "-merge"])
def test_a_driver_counts_by_its_name(quarantine: Quarantine, driver: str) -> None:
    """`merge=unset` names a driver, which is none, and `-merge` says that the file is binary."""
    rules = TreeEntry("100644", quarantine.write("blob", f"f {driver}\n".encode()))
    tree = quarantine.write_tree({".gitattributes": rules})
    file = versions(quarantine, "f")
    sides = [
        quarantine.write_tree({".gitattributes": rules, "f": side}) for side in file[1:] if side
    ]
    whole = merges.merge(quarantine, *sides)
    alone, elsewhere = FileMerger(quarantine).merge(tree, [file, file._replace(path="g")])
    assert alone.clean == whole.clean
    assert alone.entry == quarantine.objects.tree(whole.tree)["f"]
    assert elsewhere.clean
