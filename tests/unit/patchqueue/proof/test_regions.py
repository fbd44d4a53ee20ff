from __future__ import annotations

import pytest

from tensorflow_macos_build.git.markers import ConflictHunk
from tensorflow_macos_build.patchqueue.proof import regions
from tensorflow_macos_build.patchqueue.proof.model import ProofClass

OPENING = [b"cc_library(\n", b"    deps = [\n"]
CLASSES = {"ours": ProofClass.UPSTREAM_HAS_IT, "theirs": ProofClass.PATCH_HAS_MORE}


def hunk(base: str, ours: str, theirs: str) -> ConflictHunk:
    sides = (text.encode().splitlines(keepends=True) for text in (base, ours, theirs))
    return ConflictHunk(*map(tuple, sides))


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs", "stands"),
    [
        # upstream made the very change, and another one beside it
        ("a.py", "size = 1\n", "size = 2\nother()\n", "size = 2\n", "ours"),
        # upstream's comment and blank line are no lines that the patch would have to hold
        ("a.cc", "int a;\n", "// why\n\nint b;\nrun();\n", "int b;\n", "ours"),
        # nor are the patch's own
        ("a.cc", "int a;\n", "int b;\nrun();\n", "// why\nint b;\n", "ours"),
        # in brackets and in C white space before a line says nothing
        ("BUILD", "", '    "//a:mac": [],\n    "z": 1,\n', '\t"//a:mac": []\n', "ours"),
        # the patch made upstream's change and more
        ("a.py", "size = 1\n", "size = 2\n", "size = 2\nmore()\n", "theirs"),
    ],
)
def test_a_side_that_holds_the_others_change_stands(
    path: str, base: str, ours: str, theirs: str, stands: str
) -> None:
    region = hunk(base, ours, theirs)
    proof = regions.prove(path, region, [], [])
    assert proof is not None
    assert (proof.proof, proof.lines) == (CLASSES[stands], getattr(region, stands))


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs"),
    [
        ("a.py", "numpy ~= 1.19.2\n", "numpy ~= 1.20\n", ""),  # it changed what the patch removes
        ("a.py", "size = 1\n", "size = 3\n", "size = 2\n"),
        ("a.py", "size = 1\n", "y()\nsize = 2\n", "size = 2\ny()\n"),  # in another order
        (
            "a.py",
            "size = 1\n",
            "    size = 2\nif y:\n",
            "size = 2\n",
        ),  # Python's blanks say something
        ("a.py", "a()\n", "a()\nb()\n", "a()\n\n"),  # the patch changes blank lines alone
        ("a.py", "a()\n", "b()\n", "a()\n# why\n"),
        ("a.cc", "f(1);\n", "f(1);\n{}\n", "f(1);\n{}\n{}\n"),  # brackets alone prove nothing
        ("a.py", "f()\n", "f()\n# why\n", "f()\n# why\n# and how\n"),  # nor do comments
        ("a.py", "x()\nx()\n", "x()\nx()\nz()\n", "x()\n"),  # twice, and taken away once
        ("a.md", "a\n", "b\n", "c\n"),
        ("BUILD", "", '    "//a:z",\n    "//a:y",\n', '    "//a:y",\n    "//a:z",\n'),
    ],
)
def test_where_neither_side_holds_the_other_nothing_is_proven(
    path: str, base: str, ours: str, theirs: str
) -> None:
    assert regions.prove(path, hunk(base, ours, theirs), [], []) is None


def test_a_comment_that_upstream_took_away_does_not_come_back() -> None:
    # the patch keeps the comment, so that its side is not upstream's change and more
    region = hunk("# old\nsize = 1\n", "size = 2\n", "# old\nsize = 2\ny = 3\n")
    assert regions.prove("a.py", region, [], []) is None


def test_items_that_both_add_to_a_list_without_an_order_stand_both_and_sorted() -> None:
    region = hunk("", '        ":b",\n        "//z:z",\n', '        ":a",\n        "//y:y",\n')
    proof = regions.prove("x/BUILD", region, OPENING, [])
    assert proof is not None
    assert proof.proof is ProofClass.LIST_OF_BOTH
    assert b"".join(proof.lines).split() == [b'":a",', b'":b",', b'"//y:y",', b'"//z:z",']


def test_where_upstream_did_not_sort_the_patchs_items_come_last() -> None:
    region = hunk(
        '        ":c",\n', '        ":c",\n        ":b",\n', '        ":a",\n        ":c",\n'
    )
    proof = regions.prove("x/BUILD", region, OPENING, [])
    assert proof is not None
    assert b"".join(proof.lines).split() == [b'":c",', b'":b",', b'":a",']


@pytest.mark.parametrize(
    ("path", "before", "theirs"),
    [
        ("x/BUILD", [b"    copts = [\n"], '        ":a",\n'),  # an order that counts
        ("x/BUILD", [b"    deps = [\n", b"        f(\n"], '        ":a",\n'),
        ("x/BUILD", [], '        ":a",\n'),
        ("x/a.py", OPENING, '        ":a",\n'),  # no list of Bazel's
        ("x/BUILD", OPENING, '        ":a" + x,\n'),
        ("x/BUILD", OPENING, '    ":a",\n'),  # of another list, by its indentation
    ],
)
def test_other_lists_are_left_to_people(path: str, before: list[bytes], theirs: str) -> None:
    assert regions.prove(path, hunk("", '        ":b",\n', theirs), before, []) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "after"),
    [
        ("//a/b", "//a/b:b", []),  # one label, written in two ways
        (":c", "//x:c", []),
        (":c", ":d", [b'        ":d",\n', b"    ],\n"]),  # it stands further down already
    ],
)
def test_a_list_holds_no_label_twice(ours: str, theirs: str, after: list[bytes]) -> None:
    region = hunk("", f'        "{ours}",\n', f'        "{theirs}",\n')
    assert regions.prove("x/BUILD", region, OPENING, after) is None
    assert regions.prove("y/BUILD", hunk("", '        ":c",\n', '        "//x:c",\n'), OPENING, [])


def test_sides_that_leave_other_brackets_open_prove_nothing() -> None:
    region = hunk("", "call();\n}\n", "call();\n}\nvoid more() {\n")
    assert regions.prove("a.cc", region, [], []) is None


def test_a_line_that_is_to_go_and_was_moved_instead_proves_nothing() -> None:
    """Graphcore's headers of jsoncpp, of which upstream took one away: they stand further up."""
    header, others = b'        "json/autolink.h",\n', b'        "json/config.h",\n'
    region = ConflictHunk((header, others), (others,), (b'        ":headers",\n',))
    moved = ConflictHunk((header, others), (others,), (header, others, b'        ":headers",\n'))
    gone = ConflictHunk((header, others), (others,), (others, b'        ":headers",\n'))
    assert regions.comes_back(ProofClass.PATCH_HAS_MORE, region, moved)
    assert not regions.comes_back(ProofClass.PATCH_HAS_MORE, region, gone)
    turned = ConflictHunk(region.base, region.theirs, region.ours)
    assert regions.comes_back(
        ProofClass.UPSTREAM_HAS_IT, turned, ConflictHunk(moved.base, moved.theirs, moved.ours)
    )
