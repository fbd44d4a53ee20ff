"""What can be proven of one conflicting region, from its lines on the three sides."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.patchqueue.audit import languages
from tensorflow_macos_build.patchqueue.audit.languages import Language
from tensorflow_macos_build.patchqueue.proof import sorted_lists
from tensorflow_macos_build.patchqueue.proof.model import HunkProof, ProofClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.markers import ConflictHunk

_TELLING = 3
"""Letters and digits from which on a line says something: a change of brackets alone proves
nothing."""

_ALIKE = 0.6
"""From which likeness on (difflib's ratio) a line that upstream brought may be one that the patch
takes away, in another form. What SequenceMatcher's documentation calls a close match."""

_LARGEST = 400
"""Lines of the largest side that is compared line by line with another: beyond it nobody could look
over the proof either."""

_COMMENTS = {
    Language.C: re.compile(rb"\s*(//|/\*|\*/|\*\s)"),
    Language.PYTHON: re.compile(rb"\s*#"),
    Language.BAZEL: re.compile(rb"\s*#"),
}
# A line that is no statement, but a part of one that brackets hold together: there, as in C, what
# stands before it means nothing, and to Starlark a list's last comma neither.
_IN_BRACKETS = re.compile(rb"""\s*(?:["'\])}].*|.*[,\[({])\s*""")


_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))


class _Form(NamedTuple):
    """In which form lines are compared.

    Attributes:
        language: the file's language, by which white space and comments are told; None: neither.
        comments: whether comments count, and white space with them.
    """

    language: Language | None
    comments: bool

    def significant(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the lines that count, blank ones aside, without what means nothing in them."""
        return [
            self._bare(line)
            for line in lines
            if line.strip() and (self.comments or not self._is_comment(line))
        ]

    def _is_comment(self, line: bytes) -> bool:
        return self.language is not None and _COMMENTS[self.language].match(line) is not None

    def says_nothing(self, line: bytes) -> bool:
        """Whether a line is a comment, or of brackets alone."""
        return self._is_comment(line) or len(re.findall(rb"\w", line)) < _TELLING

    def _bare(self, line: bytes) -> bytes:
        if self.comments:
            return line.rstrip()
        if self.language is Language.C:
            return line.strip()
        if self.language is Language.BAZEL and _IN_BRACKETS.fullmatch(line.rstrip(b"\r\n")):
            return line.strip().removesuffix(b",")
        return line.rstrip()


def prove(
    path: str, hunk: ConflictHunk, before: Sequence[bytes], after: Sequence[bytes]
) -> HunkProof | None:
    """Return the answer to a conflicting region; None where none is proven.

    Args:
        path: the file's path.
        hunk: the region.
        before: the lines above it, of upstream's file.
        after: the lines below it, likewise.
    """
    if max(map(len, (hunk.base, hunk.ours, hunk.theirs))) > _LARGEST:
        return None
    # Sides that leave other brackets open go on differently below, where git found them alike.
    if _open_brackets(hunk.ours) != _open_brackets(hunk.theirs):
        return None
    language = languages.of(path)
    if _holds(hunk.base, hunk.theirs, hunk.ours, _Form(language, comments=False)):
        return HunkProof(ProofClass.UPSTREAM_HAS_IT, hunk.ours)
    # The patch's side would bring back a comment that upstream took away: none is set aside here.
    if _holds(hunk.base, hunk.ours, hunk.theirs, _Form(language, comments=True)):
        return HunkProof(ProofClass.PATCH_HAS_MORE, hunk.theirs)
    if language is Language.BAZEL and (both := sorted_lists.union(path, hunk, before, after)):
        return HunkProof(ProofClass.LIST_OF_BOTH, both)
    return None


def comes_back(proof: ProofClass, hunk: ConflictHunk, whole: ConflictHunk) -> bool:
    """Whether the side that stands has elsewhere in the file what the other side takes away here.

    It moved the lines that are to go, and with it they would stay. White space and commas aside,
    and lines that say nothing.

    Args:
        proof: which side stands.
        hunk: the region.
        whole: the three sides' whole files.
    """
    upstream_stands = proof is ProofClass.UPSTREAM_HAS_IT
    changed = hunk.theirs if upstream_stands else hunk.ours
    standing = whole.ours if upstream_stands else whole.theirs
    taken = _telling(hunk.base) - _telling(changed)
    before, now = _telling(whole.base), _telling(standing)
    return any(now[line] > before[line] - count for line, count in taken.items())


def _telling(lines: Sequence[bytes]) -> Counter[bytes]:
    return Counter(
        line.strip().rstrip(b",") for line in lines if len(re.findall(rb"\w", line)) >= _TELLING
    )


def _open_brackets(lines: Sequence[bytes]) -> list[int]:
    """Return how many more brackets of each kind lines open than they close."""
    text = b"".join(lines)
    return [text.count(first) - text.count(last) for first, last in _BRACKETS]


def _holds(
    base: Sequence[bytes], changed: Sequence[bytes], holder: Sequence[bytes], form: _Form
) -> bool:
    """Whether a side holds the change that another one made of the base."""
    old, new, held = (form.significant(lines) for lines in (base, changed, holder))
    counts, then, now = Counter(old), Counter(new), Counter(held)
    # Counted, not only looked for: a line that stands twice and is taken away once stands once.
    added = {line for line in then if then[line] > counts[line]}
    removed = {line for line in counts if counts[line] > then[line]}
    if all(form.says_nothing(line) for line in added | removed):
        return False
    if any(now[line] < then[line] for line in added):
        return False
    if any(now[line] > then[line] for line in removed):
        return False
    if not _is_in_order([line for line in new if line in added], held):
        return False
    others = [line for line in now if now[line] > counts[line] and line not in added]
    return not any(_are_alike(gone, come) for gone in removed for come in others)


def _is_in_order(wanted: Sequence[bytes], lines: Sequence[bytes]) -> bool:
    """Whether lines stand among others in their order."""
    rest = iter(lines)
    return all(any(line == other for other in rest) for line in wanted)


def _are_alike(gone: bytes, come: bytes) -> bool:
    """Whether a line that came may be one that is to go, in another form."""
    words = [re.findall(rb"\w+", line) for line in (gone, come)]
    if words[0][:1] == words[1][:1]:
        return True
    first, second = (line.strip().decode("latin-1") for line in (gone, come))
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio() > _ALIKE
