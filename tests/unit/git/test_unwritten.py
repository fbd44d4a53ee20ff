"""Objects in memory: git sees them from the moment that it is asked."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.git.objects import TREE_MODE, TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git


def files(quarantine: Quarantine) -> list[str]:
    """Return the files that hold objects."""
    folder = quarantine.git.git_dir / "objects"
    paths = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in paths if path.parent.name != "info"]


def test_nothing_is_written_while_no_git_is_asked(quarantine: Quarantine) -> None:
    oid = quarantine.write("blob", b"content")
    assert quarantine.objects.blob(oid) == b"content"
    assert files(quarantine) == []


@pytest.mark.parametrize("count", [1, 50])
def test_git_sees_all_that_was_put_before_it_was_asked(quarantine: Quarantine, count: int) -> None:
    """As loose objects where they are few, else as a pack."""
    oids = [quarantine.write("blob", b"content %d" % number) for number in range(count)]
    tree = quarantine.write_tree({f"f{oid}": TreeEntry("100644", oid) for oid in oids})
    listed = quarantine.git.line("ls-tree", "--object-only", tree).split("\n")
    assert sorted(listed) == sorted(oids)
    assert quarantine.git.run("fsck", "--full", tree).stderr == b""
    assert len(files(quarantine)) == 2


def test_what_objects_reach_is_published_with_them_and_nothing_else(
    quarantine: Quarantine,
) -> None:
    blob, other = (quarantine.write("blob", content) for content in (b"reached", b"other"))
    inner = quarantine.write_tree({"f": TreeEntry("100644", blob)})
    commit = quarantine.write_commit(quarantine.write_tree({"d": TreeEntry(TREE_MODE, inner)}))
    quarantine.publish([commit])
    # another repository object does not publish
    git = Git(quarantine.git.git_dir)
    assert git.line("rev-parse", f"{commit}:d/f") == blob
    assert git.missing([other]) == [other]


def test_more_than_memory_is_for_is_written_before_anybody_asks(quarantine: Quarantine) -> None:
    for number in range(9):
        quarantine.write("blob", bytes([number]) * (1 << 20))
    assert files(quarantine)


def test_a_quarantine_over_another_sees_what_is_in_memory_there(quarantine: Quarantine) -> None:
    oid = quarantine.write("blob", b"content")
    with open_quarantine(quarantine.git) as above:
        assert above.git.line("cat-file", "blob", oid) == "content"
