"""What the lines of a file say of a patch's effect, beside what a comparison says."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.patchqueue.verdict import effect
from tensorflow_macos_build.patchqueue.verdict.effect import FileTexts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.diffs import LineMap

LINES = (b"one line\n", b"another\n", b"a third\n", b"}\n", b"\n", b"another")


def compared(old: Sequence[bytes], new: Sequence[bytes]) -> LineMap:
    """Compare as Python's difflib does, which is neither git nor minimal."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        (LineRange(a, b - a), LineRange(c, d - c))
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    )


texts = st.lists(st.sampled_from(LINES), max_size=6)


# what says nothing anywhere, a brace, was moved
@example([b"}\n", *LINES[:2]], [*LINES[:2]], [*LINES[:2], b"}\n"])
@given(texts, texts, texts)
@settings(max_examples=1500, derandomize=True, deadline=None)
def test_no_comparison_finds_an_effect_that_the_lines_rule_out(
    base: list[bytes], patched: list[bytes], now: list[bytes]
) -> None:
    """Law: so git need not compare where they do; and they leave a file that is the patched one."""
    files = FileTexts(base, patched, now)
    comparisons = compared(base, patched), compared(patched, now), compared(base, now)
    if effect.lines_hold(files, comparisons):
        assert effect.lines_may_hold(files)
    assert effect.lines_may_hold(FileTexts(base, patched, patched))
