"""Objects as values: their bytes judged by git, and what is read through one running git."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import objects
from tensorflow_macos_build.git.objects import TreeEntry, decode_path, encode_path
from tensorflow_macos_build.git.repository import Git, ObjectMissing

MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "40000": "tree", "160000": "commit"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The id of the tree without entries, which git knows though no repository has it."""

names = (
    st.binary(min_size=1, max_size=6)
    .filter(lambda name: not {b"/", b"\0"} & {bytes([byte]) for byte in name})
    .map(decode_path)
)
ids = st.binary(min_size=20, max_size=20).filter(any).map(bytes.hex)
trees = st.dictionaries(names, st.builds(TreeEntry, st.sampled_from(sorted(MODES)), ids))


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    git = Git(tmp_path_factory.mktemp("objects") / "r.git")
    git.init()
    return git


@given(entries=trees)
@settings(max_examples=30, derandomize=True, deadline=None)
def test_a_tree_is_written_as_git_mktree_writes_it_and_read_back(
    git: Git, entries: dict[str, TreeEntry]
) -> None:
    content = objects.emit_tree(entries)
    assert objects.parse_tree(content, 20) == entries
    rows = (f"{mode} {MODES[mode]} {oid}\t{name}\0" for name, (mode, oid) in entries.items())
    oid = hashlib.sha1(b"tree %d\0" % len(content) + content).hexdigest()
    assert git.line("mktree", "-z", "--missing", stdin=encode_path("".join(rows))) == oid


@given(contents=st.lists(st.binary(max_size=80), max_size=6))
@settings(max_examples=10, derandomize=True, deadline=None)
def test_what_is_read_in_one_go_is_what_git_cat_file_gives_singly(
    git: Git, contents: list[bytes]
) -> None:
    oids = [git.line("hash-object", "-w", "--stdin", stdin=content) for content in contents]
    with objects.reading(git) as reader:
        for oid in (*oids, *reversed(oids)):
            assert reader.blob(oid) == git.out("cat-file", "blob", oid)


def test_blobs_that_are_asked_for_at_once_are_those_that_are_read_singly(
    git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of more than are kept, of some twice, and of those that are nowhere yet."""
    monkeypatch.setattr(objects, "_BLOBS_KEPT", 1000)
    contents = [b"%d\n" % number * (number % 7) * 900 for number in range(250)]
    stream = b"".join(b"blob\ndata %d\n%s\n" % (len(text), text) for text in contents)
    git.run("fast-import", "--quiet", stdin=stream)
    oids = [hashlib.sha1(b"blob %d\0%s" % (len(text), text)).hexdigest() for text in contents]
    with objects.reading(git, {"f" * 40: ("blob", b"unwritten")}) as reader:
        asked = [*oids, "f" * 40, *oids[:5]]
        assert reader.blobs(asked) == [*contents, b"unwritten", *contents[:5]]
        for wrong, error in (("0" * 40, ObjectMissing), (EMPTY_TREE, WorkFailed)):
            with pytest.raises(error):
                reader.blobs([oids[0], wrong, oids[1]])
            assert reader.blobs(oids[:3]) == contents[:3]


def test_trees_that_are_asked_for_at_once_are_those_that_are_read_singly(git: Git) -> None:
    stream = b"".join(
        b"commit refs/heads/m\ncommitter c <c> 1 +0000\ndata 0\nM 100644 inline %d\ndata 0\n\n" % at
        for at in range(150)
    )
    git.run("fast-import", "--quiet", stdin=stream)
    oids = git.line("log", "--format=%T", "m").split()
    with objects.reading(git) as reader, objects.reading(git) as other:
        assert reader.trees([*oids, *oids[:3]]) == [other.tree(oid) for oid in (*oids, *oids[:3])]
        for wrong, error in (("0" * 40, ObjectMissing), (git.line("rev-parse", "m"), WorkFailed)):
            with pytest.raises(error):
                reader.trees([oids[0], wrong])


def test_a_reader_goes_on_after_what_is_missing(git: Git) -> None:
    """Whatever the name looks like in git's answer: `<name> missing`."""
    oid = git.line("hash-object", "-w", "--stdin", stdin=b"there\n")
    with objects.reading(git) as reader:
        for name in ("0" * 40, "no such name", f"{oid} blob 3", "a\udcff", f"{oid}:path"):
            with pytest.raises(ObjectMissing):
                reader.read(name)
            assert reader.read(oid) == ("blob", b"there\n")


def test_an_object_of_another_kind_is_refused(git: Git) -> None:
    oid = git.line("hash-object", "-w", "--stdin", stdin=b"there\n")
    with objects.reading(git) as reader:
        for read in (reader.tree, reader.commit):
            with pytest.raises(WorkFailed, match="is a blob, not a"):
                read(oid)


def test_the_latest_blobs_are_remembered(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first when they are more than is kept; one that is read is no longer old."""
    monkeypatch.setattr(objects, "_BLOBS_KEPT", 10)
    first, second, third = ("1" * 40, "2" * 40, "3" * 40)
    with objects.reading(git) as reader:
        reader.remember(first, b"1234")
        reader.remember(second, b"1234")
        assert reader.blob(first) == b"1234"
        reader.remember(third, b"1234")
        assert reader.blob(first) == reader.blob(third) == b"1234"
        with pytest.raises(ObjectMissing):
            reader.blob(second)


def test_a_commits_own_fields_are_read(git: Git) -> None:
    """Lines that go on from a signature say nothing, whatever they look like."""
    content = (
        b"tree %b\nparent %b\nparent %b\nauthor A\xe9 <a@b> 1 +0000\ncommitter C <c@d> 2 -0130\n"
        b"gpgsig -----BEGIN\n tree of\n parent none\nencoding latin-1\n\nSubject\n of two\n\nBody\n"
    ) % (b"1" * 40, b"2" * 40, b"3" * 40)
    commit = objects.parse_commit("f" * 40, content)
    assert commit.tree == "1" * 40
    assert commit.parents == ("2" * 40, "3" * 40)
    assert encode_path(commit.author) == b"A\xe9 <a@b> 1 +0000"
    assert commit.encoding == "latin-1"
    assert commit.subject == "Subject  of two"
    assert commit.message == b"Subject\n of two\n\nBody\n"


def test_a_commit_without_a_tree_is_refused_and_one_without_an_author_is_read() -> None:
    with pytest.raises(WorkFailed, match="names no tree"):
        objects.parse_commit("f" * 40, b"author A <a@b> 1 +0000\n\nmessage\n")
    assert objects.parse_commit("f" * 40, b"tree %b\n\nx\n" % (b"1" * 40)).author == ""
