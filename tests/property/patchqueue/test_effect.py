"""What the lines of a file say of a patch's effect, beside what a comparison says."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.git.markers import split_lines
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


texts = st.lists(st.sampled_from(LINES), max_size=6).map(b"".join).map(split_lines)


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
        assert effect.lines_may_hold(*map(b"".join, files))
    assert effect.lines_may_hold(*map(b"".join, (base, patched, patched)))


def of_all_lines(base: bytes, patched: bytes, now: bytes) -> bool:
    """Return what `lines_may_hold` does, by the counts of all lines."""
    olds, news, nows = (Counter(split_lines(text)) for text in (base, patched, now))
    if any(news[line] > nows[line] for line in news.keys() - olds.keys()):
        return False
    gone = (line for line in olds.keys() - news.keys() if len(line.strip()) > 2)
    return not any(nows[line] for line in gone)


@pytest.mark.parametrize("few", [0, 30])
@example([b"a third\n"] * 3, [b"another\n"] * 2, [b"another\n", b"one another\n"])
@given(texts, texts, texts)
@settings(max_examples=1500, derandomize=True, deadline=None)
def test_lines_that_differ_rule_out_what_all_lines_do(
    few: int, base: list[bytes], patched: list[bytes], now: list[bytes]
) -> None:
    asked = [b"".join(lines) for lines in (base, patched, now)]
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(effect, "_FEW", few)
        assert effect.lines_may_hold(*asked) is of_all_lines(*asked)
