"""Law 4: a file is written anew only when what it makes of its parent changed."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tests import chains
from tests.chains import Chain, Written

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.storage import Saved

LINES = [b"line %d\n" % number for number in range(40)]


def _history(folder: Path, before: list[bytes], after: list[bytes]) -> tuple[Git, PatchStep, str]:
    """A repository with one commit that turns one text into another; the step, and its base."""

    def tree(lines: list[bytes]) -> chains.Tree:
        return {b"f": ("100644", b"".join(lines))}

    chain = Chain(tree(before), (Written(tree(after), "Change", ("A", "a@b"), 1, "+0000"),))
    git, base, tip = chains.build(folder, chain)
    return git, commit_range.read(git, base, tip).steps[0], base


def _saved_on_both(
    tmp_path: Path, old: list[bytes], edit: slice, new: list[bytes]
) -> tuple[Saved, bytes]:
    """Save the patch that puts `xx` at `edit` on `old`, then the same change on `new`."""

    def edited(lines: list[bytes]) -> list[bytes]:
        offset = len(new) - len(old) if lines is new else 0
        changed = list(lines)
        changed[edit.start + offset : edit.stop + offset] = [b"xx\n"]
        return changed

    git, step, base = _history(tmp_path / "1.git", old, edited(old))
    first = storage.save(tmp_path / "q", QueueBase("embedded:", "v1", base), [step], git)
    git, step, base = _history(tmp_path / "2.git", new, edited(new))
    named = replace(step, name=first.queue.patches[0].name)
    second = storage.save(tmp_path / "q", QueueBase("embedded:", "v2", base), [named], git)
    clone = tmp_path / "clone"
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "clone", "-q", git.git_dir, clone], check=True)
    subprocess.run(["git", "-C", clone, "checkout", "-q", base], check=True)
    file = tmp_path / "q" / second.queue.patches[0].name
    subprocess.run(["git", "-C", clone, *who, "am", "-q", file], check=True)
    assert Git(clone / ".git").line("rev-parse", "HEAD^{tree}") == named.after
    return second, first.queue.patches[0].content


def test_lines_that_moved_touch_no_file(tmp_path: Path) -> None:
    saved, before = _saved_on_both(tmp_path, LINES, slice(20, 21), [b"new\n"] * 7 + LINES)
    assert saved.kept == ("00100-change.patch",)
    assert saved.queue.patches[0].content == before
    assert saved.queue.base.ref == "v2"


def test_lines_that_moved_onto_their_likeness_do(tmp_path: Path) -> None:
    block = [b"{\n", b"a\n", b"b\n", b"c\n", b"}\n", b"\n", b"d\n"]
    saved, before = _saved_on_both(tmp_path, LINES + block, slice(43, 44), block + LINES + block)
    assert saved.kept == ("00100-change.patch",)
    other = tmp_path / "other"
    other.mkdir()
    saved, before = _saved_on_both(other, block * 3, slice(10, 11), block * 2 + block * 3)
    assert saved.written == ("00100-change.patch",)
    assert saved.queue.patches[0].content != before


def test_context_that_changed_does(tmp_path: Path) -> None:
    new = [b"other\n" if line == b"line 19\n" else line for line in LINES]
    saved, _ = _saved_on_both(tmp_path, LINES, slice(20, 21), new)
    assert saved.written == ("00100-change.patch",)
    assert b" other\n" in saved.queue.patches[0].content


def test_a_new_message_does(tmp_path: Path) -> None:
    git, step, base = _history(tmp_path / "1.git", LINES, LINES[:-1])
    where = QueueBase("embedded:", "v1", base)
    saved = storage.save(tmp_path / "q", where, [step], git)
    reworded = replace(
        step, header=replace(step.header, body="Because."), name=saved.queue.patches[0].name
    )
    assert storage.save(tmp_path / "q", where, [reworded], git).written == ("00100-change.patch",)


@pytest.mark.parametrize("inserted", [True, False])
@pytest.mark.parametrize("bare", [True, False])
def test_a_patch_without_context_stays_so(tmp_path: Path, bare: bool, inserted: bool) -> None:
    changed = [*LINES[:20], b"xx\n", *LINES[20 if inserted else 21 :]]
    git, step, base = _history(tmp_path / "1.git", LINES, changed)
    first = storage.save(
        tmp_path / "q", QueueBase("e", "v1", base), [replace(step, zero_context=bare)], git
    )
    assert (b"line 19\n" in first.queue.patches[0].content) is not bare
    git, step, base = _history(tmp_path / "2.git", [b"n\n", *LINES], [b"n\n", *changed])
    named = replace(step, name=first.queue.patches[0].name)
    second = storage.save(tmp_path / "q", QueueBase("e", "v2", base), [named], git)
    # Only its number tells the place of a line that is added without context.
    assert bool(second.written) is (bare and inserted)
    assert (b"line 19\n" in second.queue.patches[0].content) is not bare
