"""Merges as `git rebase` makes them: the attributes in the trees, and what git gets wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.replay.replay import replay, whole_merges
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.patchqueue.worktree import conflict_tree, work_tree
from tests.repositories import FILE, Case, Made, git_rebase_skipping, lines, make
from tests.unit.patchqueue.rebase.test_engine import rebase_made

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tests.repositories import Files

PATHS = ("a/b/x.svg", "a/y.svg", "z.txt")
FAR = {2: "theirs"}, {25: "mine"}
NEAR = {15: "theirs"}, {15: "mine"}
SHARED = {15: "both\ntheirs\nboth too"}, {15: "both\nmine\nboth too\nand mine"}


def tree(
    changes: Mapping[int, str], attributes: Mapping[str, str], edited: Sequence[str] = PATHS
) -> Files:
    """Files of thirty lines, changed where they are edited, and .gitattributes in some folders."""
    files = dict.fromkeys(PATHS, text({})) | dict.fromkeys(edited, text(changes))
    written = {f"{folder}.gitattributes": rules for folder, rules in attributes.items()}
    return files | {path: (FILE, f"{rules}\n".encode()) for path, rules in written.items()}


def text(changes: Mapping[int, str]) -> tuple[str, bytes]:
    rows = [changes.get(number, f"line {number}") for number in range(30)]
    return (FILE, "".join(f"{row}\n" for row in rows).encode())


RULES = [
    {"": "*.svg binary"},
    {"": "*.svg -merge"},
    {"": "*.svg merge=binary"},
    {"": "*.svg merge=union"},
    {"": "*.svg merge=text"},
    {"": "*.svg merge"},
    {"": "*.svg merge=own-driver"},
    {"": "*.svg merge=binary\n*.svg !merge"},
    {"": "* merge=union", "a/": "*.svg binary"},
    {"": "* binary", "a/b/": "* merge=text"},
    {"": "[attr]own merge=union\n*.txt own", "a/": "y.svg own"},
    {"": "/a/b/*.svg merge=union conflict-marker-size=9"},
    {"": "# nothing about merges\n* text=auto eol=lf"},
    {"": "*.txt working-tree-encoding=UTF-16\n*.svg text eol=crlf"},
]


@pytest.mark.parametrize("sides", [FAR, SHARED], ids=["far", "shared"])
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: " ".join(rules.values()))
def test_a_trees_own_attributes_say_how_files_are_merged(
    tmp_path: Path, rules: dict[str, str], sides: tuple[dict[int, str], dict[int, str]]
) -> None:
    """Judged by `git rebase`: far apart, and in one place with lines in common.

    One patch a file, so that a conflict in one of them hides nothing of the others.
    """
    mine = tuple(tree(sides[1], rules, PATHS[:count]) for count in (1, 2, 3))
    made = make(Case(tree({}, rules), (tree(sides[0], rules),), mine), tmp_path / "r")
    assert_as_git(made, tmp_path / "work")


@pytest.mark.parametrize("sides", [FAR, SHARED], ids=["far", "shared"])
@pytest.mark.parametrize("rules", ["*.new merge=union", "*.svg merge=union"])
def test_a_file_that_upstream_moved_is_united_by_its_new_name(
    tmp_path: Path, rules: str, sides: tuple[dict[int, str], dict[int, str]]
) -> None:
    moved = tree(sides[0], {"": rules})
    moved["a/b/x.new"] = moved.pop("a/b/x.svg")
    mine = tree(sides[1], {"": rules}, PATHS[:1])
    made = make(Case(tree({}, {"": rules}), (moved,), (mine,)), tmp_path / "r")
    assert_as_git(made, tmp_path / "work")


ALIKE = [
    ("bcccaaac", "bcabaabc", "bcabayabc"),
    ("accaaabab", "zaacaaabab", "acacaabab"),
    ("abbabb", "abzabb", "abzab"),
    ("baba", "bb", "bba"),
]
"""Files, a letter a line, that merge by default, and not in diff3 style: in each region that git
takes for a conflict there, both sides are the same."""


@pytest.mark.parametrize("letters", ALIKE, ids="-".join)
def test_what_is_a_conflict_in_diff3_style_alone_is_none(
    tmp_path: Path, letters: tuple[str, str, str]
) -> None:
    contents = ["".join(f"{letter}\n" for letter in side).encode() for side in letters]
    base, ours, theirs = ({"f": (FILE, content)} for content in contents)
    made = make(Case(base, (ours,), (theirs,)), tmp_path / "r")
    assert_as_git(made, tmp_path / "work")
    # and where whole trees are merged, beside a file that is in conflict
    base["z.txt"], ours["z.txt"], theirs["z.txt"] = text({}), *map(text, NEAR)
    made = make(Case(base, (ours,), (theirs,)), tmp_path / "both")
    with open_quarantine(made.git) as quarantine:
        trees = (quarantine.tree(commit) for commit in (made.base, made.onto, made.patches[0]))
        merged = merges.merge(quarantine, *trees)
        assert [file.path for file in merged.conflicted] == ["z.txt"]
        left = quarantine.objects.tree(merged.tree)
    assert merged.conflicted[0].left == left["z.txt"]


def test_trees_are_merged_once_where_no_file_is_united(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though other files may be: git names those whose contents it merged."""
    rules = {"": "*.svg merge=union"}
    asked: list[tuple[str, ...]] = []
    ask = merges.ask

    def counted(git: Git, pair: merges.Sides, *flags: str) -> merges.MergeOutput | None:
        asked.append(flags)
        return ask(git, pair, *flags)

    monkeypatch.setattr(merges, "ask", counted)
    for edited in (PATHS[2:], PATHS):
        base = tree({}, rules)
        ours, theirs = (tree(side, rules, edited) for side in NEAR)
        made = make(Case(base, (ours,), (theirs,)), tmp_path / str(len(edited)))
        with open_quarantine(made.git) as quarantine:
            trees = (quarantine.tree(commit) for commit in (made.base, made.onto, made.patches[0]))
            merged = merges.merge(quarantine, *trees)
        assert [file.path for file in merged.conflicted] == ["z.txt"]
    assert asked == [(), (), merges.BY_DEFAULT]


@pytest.mark.parametrize("later", [False, True], ids=["base", "patch"])
def test_the_attributes_of_the_tree_that_a_patch_lands_on_count(
    tmp_path: Path, *, later: bool
) -> None:
    """Not those of the tree that it was made for: upstream adds them, or an earlier patch does."""
    rules = {"": "*.svg binary"}
    theirs = tree({2: "theirs"}, {} if later else rules)
    patches = (tree({}, rules), tree({25: "mine"}, rules)) if later else (tree({25: "mine"}, {}),)
    made = make(Case(tree({}, {}), (theirs,), patches), tmp_path / "r")
    assert_as_git(made, tmp_path / "work")
    with open_quarantine(made.git) as quarantine:
        last = replay(quarantine, made.onto, made.patches).steps[-1]
    assert last.merged is not None
    assert [conflict.path for conflict in last.merged.conflicted] == ["a/b/x.svg", "a/y.svg"]


def assert_as_git(made: Made, work: Path) -> None:
    result, stops = git_rebase_skipping(made, work)
    ours = rebase_made(made, OnConflict.SKIP)
    assert ours.tree == result
    assert sum(patch.status.is_blocking for patch in ours.patches) == stops


def test_no_attribute_of_a_user_or_a_repository_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(Case(tree({}, {}), (tree(FAR[0], {}),), (tree(FAR[1], {}),)), tmp_path / "r")
    home = tmp_path / "home" / "git"
    home.mkdir(parents=True)
    for folder in (home, made.git.git_dir / "info"):
        folder.mkdir(exist_ok=True)
        (folder / "attributes").write_text("* binary\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    (tmp_path / ".gitattributes").write_text("* binary\n")
    monkeypatch.chdir(tmp_path)
    made.git.run("config", "merge.default", "binary")
    assert [patch.status for patch in rebase_made(made).patches] == [Status.CLEAN]


def test_a_merge_driver_is_not_run_and_is_said_to_be_off(tmp_path: Path) -> None:
    rules = {"": "*.svg merge=own\n*.none merge=other\nz.txt merge=union"}
    made = make(
        Case(tree({}, rules), (tree(FAR[0], rules),), (tree(FAR[1], rules),)), tmp_path / "r"
    )
    made.git.run("config", "merge.own.driver", f"touch {tmp_path / 'ran'}")
    result = rebase_made(made)
    assert result.drivers == ("own",)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["..", ".git", "." * 300])
def test_attributes_in_folders_that_no_work_tree_can_have_are_passed_over(
    tmp_path: Path, name: str
) -> None:
    rules = {"": "*.svg merge=union"}
    made = make(
        Case(tree({}, rules), (tree(FAR[0], rules),), (tree(FAR[1], rules),)), tmp_path / "r"
    )
    with open_quarantine(made.git) as quarantine:
        blob = quarantine.write("blob", b"* merge=union\n")
        folder = quarantine.write_tree({".gitattributes": TreeEntry(FILE, blob)})
        root = {
            **quarantine.objects.tree(quarantine.tree(made.onto)),
            name: TreeEntry("40000", folder),
        }
        work_tree = quarantine.git_on(quarantine.write_tree(root)).work_tree
        assert work_tree is not None
        assert sorted(path.name for path in work_tree.rglob("*")) == [".gitattributes"]
        assert not (work_tree.parent / ".gitattributes").exists()


LABELS = conflict_tree.SideLabels("upstream", "base", "patch")


def shown_in(folder: Path, quarantine: Quarantine, made: Made) -> MergeResult:
    """Show the conflict of the only patch in a work tree."""
    ((_, merged),) = whole_merges(quarantine, replay(quarantine, made.onto, made.patches))
    conflict_tree.make(
        folder, quarantine, merged, queue=folder, onto=made.onto, base=made.base, patch="p",
        labels=LABELS,
    )  # fmt: skip
    return merged


def test_attributes_deep_in_a_tree_are_bounded(tmp_path: Path) -> None:
    """Folders in folders without end, and names that together are longer than any path."""
    made = make(Case(tree({}, {}), (tree(FAR[0], {}),), (tree(FAR[1], {}),)), tmp_path / "r")
    with open_quarantine(made.git) as quarantine:
        rules = TreeEntry(FILE, quarantine.write("blob", b"* merge=union\n"))
        for name, depth in (("d", 1500), ("d" * 250, 40)):
            inside = quarantine.write_tree({".gitattributes": rules})
            for _ in range(depth):
                inside = quarantine.write_tree({name: TreeEntry("40000", inside)})
            assert quarantine.git_on(inside).work_tree is None


def test_a_binary_conflict_is_shown_as_git_leaves_it(tmp_path: Path) -> None:
    """Its lines are not merged behind the attribute's back."""
    rules = {"": "*.svg binary"}
    made = make(
        Case(tree({}, rules), (tree(FAR[0], rules),), (tree(FAR[1], rules),)), tmp_path / "r"
    )
    with open_quarantine(made.git) as quarantine:
        shown_in(tmp_path / "w", quarantine, made)
    shown = (tmp_path / "w" / PATHS[0]).read_bytes()
    assert shown == tree(FAR[0], {})[PATHS[0]][1]


def test_a_work_tree_changes_no_file_that_nobody_edits(tmp_path: Path) -> None:
    """Whatever line ends and encodings attributes ask for; git would make the contents so."""
    beside: Files = {"crlf": (FILE, b"a\r\nb\r\n"), "mixed": (FILE, b"a\nb\r\n")}
    rules = {"": "* text\nmixed text eol=crlf\n*.txt working-tree-encoding=UTF-16\nl ident"}
    beside["l"] = (FILE, b"$Id: 1 $\n")
    theirs, mine = ({**tree(changes, rules), **beside} for changes in SHARED)
    made = make(Case({**tree({}, rules), **beside}, (theirs,), (mine,)), tmp_path / "r")
    with open_quarantine(made.git) as quarantine:
        merged = shown_in(tmp_path / "w", quarantine, made)
    settled = dict.fromkeys(PATHS, b"settled\r\n")
    for path, content in settled.items():
        (tmp_path / "w" / path).write_bytes(content)
    for path in beside:
        (tmp_path / "w" / path).touch()
    taken = conflict_tree.take(tmp_path / "w", merged, LABELS)
    git = work_tree.git_of(tmp_path / "w")
    contents = {path: git.out("cat-file", "blob", f"{taken}:{path}") for path in (*PATHS, *beside)}
    assert contents == settled | {path: content for path, (_, content) in beside.items()}


def test_markers_have_the_size_that_an_attribute_asks_for(tmp_path: Path) -> None:
    rules = {"": "z.txt conflict-marker-size=11"}
    made = make(
        Case(tree({}, rules), (tree(NEAR[0], rules),), (tree(NEAR[1], rules),)), tmp_path / "r"
    )
    with open_quarantine(made.git) as quarantine:
        merged = shown_in(tmp_path / "w", quarantine, made)
        with pytest.raises(conflict_tree.Unresolved, match="markers"):
            conflict_tree.take(tmp_path / "w", merged, LABELS)
    for path, size in ((PATHS[0], 7), ("z.txt", 11)):
        assert f"\n{'<' * size} upstream\n".encode() in (tmp_path / "w" / path).read_bytes()


def test_markers_in_a_merge_that_git_calls_clean_are_a_conflict(tmp_path: Path) -> None:
    """git 2.39 commits them: both sides make `g`, one of them by a rename that conflicts."""
    edits = [lines("f").replace(b"line 0", words, 1) for words in (b"theirs", b"mine")]
    upstream = {"g": (FILE, edits[0])}
    patch = {"f": (FILE, edits[1]), "g": (FILE, edits[0])}
    made = make(Case({"f": (FILE, lines("f"))}, (upstream,), (patch,)), tmp_path / "r")
    for policy in OnConflict:
        (status,) = rebase_made(made, policy).patches
        assert status.status is Status.CONFLICT
        assert [report.path for report in status.evidence.conflicts] == ["g"]
    with open_quarantine(made.git) as quarantine:
        done = replay(quarantine, made.onto, made.patches)
        assert b"<<<<" not in quarantine.objects.blob(quarantine.objects.tree(done.tree)["g"].oid)


def test_modes_that_git_writes_no_more_end_as_git_rebase_leaves_them(tmp_path: Path) -> None:
    """100664 for a file, 040000 for a folder: trees of git's first years have them."""
    git = Git(tmp_path / "r.git")
    git.init()
    with open_quarantine(git) as quarantine:

        def commit(f: bytes, g: bytes, *parents: str) -> str:
            inside = quarantine.write_tree({"h": TreeEntry(FILE, quarantine.write("blob", b"h\n"))})
            rows = (
                (b"040000 d", inside),
                (b"100664 f", quarantine.write("blob", f)),
                (b"100644 g", quarantine.write("blob", g)),
            )
            content = b"".join(row + b"\0" + bytes.fromhex(oid) for row, oid in rows)
            return quarantine.write_commit(quarantine.write("tree", content), parents)

        base = commit(b"f\n", b"g\n")
        onto, patch = commit(b"f2\n", b"g\n", base), commit(b"f\n", b"g2\n", base)
        quarantine.keep([onto, patch], [])
        ours = replay(quarantine, onto, [patch]).tree
    made = Made(git, base, onto, (onto,), (patch,))
    assert (ours, 0) == git_rebase_skipping(made, tmp_path / "work")
