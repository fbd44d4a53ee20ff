"""What is proven loses nothing that the patch adds, and brings back nothing that upstream removed.

The sides are lines of git's own merges; git merges each side, settled, with the other ones anew.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.proof import proving
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup

ITEMS = tuple(f'        "//pkg:{name}",' for name in "abcdef")
OTHERS = ("x = one(1)", "y = two(2)", "# a comment", "", "z = three(3)", "x = one(2)")
HEAD = ("cc_library(", '    name = "lib",', "    deps = [")
TAIL = ("    ],", ")", "")


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, tuple[str, str, str]]:
    """Draw a path, and a file there before, as upstream has it, and as the patch makes it."""
    path = draw(st.sampled_from(("BUILD", "a.py", "a.cc")))
    pool = ITEMS if path == "BUILD" else OTHERS
    base = draw(st.lists(st.sampled_from(pool), max_size=4, unique=path == "BUILD"))
    change = draw(st.lists(_edits(pool), min_size=1, max_size=3))
    ours = _edited(base, change)
    # mostly a part of the same change, or the change and more: what is proven is rare otherwise
    theirs = _edited(base, draw(st.sampled_from((change, change[:1], change[1:])))
                     + draw(st.lists(_edits(pool), max_size=2)))  # fmt: skip
    head, tail = (HEAD, TAIL) if path == "BUILD" else ((), ())
    whole = ("\n".join((*head, *body, *tail)) + "\n" for body in (base, ours, theirs))
    first, second, third = whole
    return path, (first, second, third)


def _edits(pool: tuple[str, ...]) -> st.SearchStrategy[tuple[str, int, str]]:
    kinds = st.sampled_from(("insert", "insert", "replace", "delete"))
    return st.tuples(kinds, st.integers(0, 4), st.sampled_from(pool))


def _edited(lines: list[str], edits: list[tuple[str, int, str]]) -> list[str]:
    result = list(lines)
    for kind, at, line in edits:
        start = min(at, len(result))
        result[start : start + (kind != "insert")] = [] if kind == "delete" else [line]
    return result


def _counted(text: str, *, comments: bool = True) -> Counter[str]:
    bare = (line.strip().rstrip(",") for line in text.split("\n"))
    return Counter(line for line in bare if line and (comments or not re.match(r"#|//", line)))


@settings(max_examples=12, deadline=None)
@given(st.lists(texts(), min_size=8, max_size=8))
def test_a_proven_answer_loses_nothing_and_brings_nothing_back(
    cases: list[tuple[str, tuple[str, str, str]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        git = Git(Path(folder) / "repository")
        git.init()
        with open_quarantine(git) as quarantine:
            for path, sides in cases:
                blobs = (quarantine.write("blob", side.encode()) for side in sides)
                files = ({path: TreeEntry("100644", blob)} for blob in blobs)
                base, ours, theirs = map(quarantine.write_tree, files)
                merged = merges.merge(quarantine, base, ours, theirs)
                proof = proving.prove(quarantine, "p.patch", merged)
                assert proof == proving.prove(quarantine, "p.patch", merged)
                if merged.clean or not proof.is_whole:
                    continue
                event(", ".join(proof_class.value for proof_class in proof.classes))
                made = proving.resolution(proof, merged)
                tree = resolutions.apply(quarantine, merged.tree, made.results)
                entry = TreeLookup(quarantine).at(tree, path)
                assert entry is not None
                _check(sides, quarantine.objects.blob(entry.oid).decode())
                assert resolutions.parse(resolutions.emit(made), "made") == made


def _check(sides: tuple[str, str, str], answer: str) -> None:
    base, ours, theirs = (_counted(side, comments=False) for side in sides)
    result = _counted(answer, comments=False)
    for line in theirs:
        if theirs[line] > base[line] and ours[line] < theirs[line]:
            assert result[line] >= theirs[line], f"the patch's `{line}` is lost"
    whole_base, whole_ours, _ = (_counted(side) for side in sides)
    whole = _counted(answer)
    for line in whole_base:
        if whole_ours[line] < whole_base[line] and theirs[line] <= base[line]:
            assert whole[line] <= whole_ours[line], f"`{line}` is back, which upstream removed"
    assert "<<<<" not in answer
