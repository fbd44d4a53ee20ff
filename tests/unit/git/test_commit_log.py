"""What a log says of commits is what git says of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import commit_log, trees
from tensorflow_macos_build.git.objects import TreeEntry, decode_path

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine

ODD = decode_path(b":a\n\xff \xc3\xa4")


def commit(quarantine: Quarantine, parents: list[str], message: bytes = b"x\n", **f: str) -> str:
    entries = {
        name: TreeEntry("100644", quarantine.write("blob", text.encode()))
        for name, text in f.items()
    }
    tree = quarantine.write_tree(entries)
    author = "J\u00fcrgen <j@x> 1700000000 -0730"
    return quarantine.write_commit(tree, parents, author=author, message=message)


def line_of(quarantine: Quarantine) -> list[str]:
    """A root, two sides, and a merge that takes one file from each and makes a third itself."""
    root = commit(quarantine, [], b"", f="1", g="1", h="1")
    left = commit(quarantine, [root], b"\n\nTwo\nlines\n\nand a body", f="2", g="1", h="1")
    right = commit(quarantine, [root], b":looks like\0a change", f="1", g="2", **{ODD: "odd"})
    merge = commit(quarantine, [left, right], b"merge\n", f="2", g="2", h="3", **{ODD: "odd"})
    return [root, left, right, merge, commit(quarantine, [merge], f="2", h="3")]


def test_fields_are_those_that_git_prints_for_each_commit(quarantine: Quarantine) -> None:
    commits = line_of(quarantine)
    log = commit_log.read(quarantine.git, commits[-1])
    assert set(log.commits) == set(commits)
    assert commit_log.of(quarantine.git, commits) == {
        oid: logged._replace(paths=[]) for oid, logged in log.commits.items()
    }
    for oid, logged in log.commits.items():
        form = "--format=%P%n%an <%ae>%n%aI%n%s%n%B"
        shown = quarantine.git.out("log", "--no-walk", form, oid).split(b"\n", 4)
        fields = [" ".join(logged.parents), logged.author, logged.date, logged.subject]
        assert [decode_path(field) for field in shown[:4]] == fields
        assert shown[4].rstrip(b"\n") == logged.message.rstrip(b"\n")


def test_children_come_before_their_parents(quarantine: Quarantine) -> None:
    log = commit_log.read(quarantine.git, line_of(quarantine)[-1])
    seen: set[str] = set()
    for logged in log.commits.values():
        assert seen.isdisjoint(logged.parents)
        seen.add(logged.oid)


def test_changes_are_those_against_the_only_parent(quarantine: Quarantine) -> None:
    commits = line_of(quarantine)
    log = commit_log.read(quarantine.git, commits[-1])
    for oid, changes in trees.by_commit(quarantine.git, commits):
        if log.commits[oid].is_merge:
            continue
        assert list(log.commits[oid].paths) == [change.path for change in changes]
        for change in changes:
            (touch,) = (t for t in log.touches[change.path] if t.commit == oid)
            assert touch.entries == (change.old, change.new)
            assert touch.removes == (change.new is None)


def test_of_a_merge_only_what_no_parent_has_counts(quarantine: Quarantine) -> None:
    *_, left, right, merge, last = line_of(quarantine)
    log = commit_log.read(quarantine.git, last, f"^{left}", f"^{right}")
    assert list(log.commits) == [last, merge]
    assert list(log.commits[merge].paths) == ["h"]
    blobs = [entry and quarantine.objects.blob(entry.oid) for entry in log.touches["h"][0].entries]
    assert blobs == [b"1", None, b"3"]
    assert {ODD, "g"} == set(log.commits[last].paths)
