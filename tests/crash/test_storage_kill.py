"""Law 8 for a queue: a kill at any step of saving leaves the old queue or the new one, whole.

Every call of the standard library that touches the file system raises an audit event; a child ends
itself at the n-th of them, for every n in turn, as a kill would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import files
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueuePatch
from tests import chains
from tests.chains import Chain, Written
from tests.kills import ended_at

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep


def _tree(number: int) -> Written:
    files = {b"f": ("100644", b"".join(b"line %d\n" % n for n in range(number)))}
    return Written(files, f"Patch {number}", ("A", "a@b"), 86400, "+0000")


@pytest.fixture
def queue(tmp_path: Path) -> tuple[Git, QueueBase, tuple[PatchStep, ...], Path]:
    chain = Chain({b"f": ("100644", b"")}, tuple(_tree(number) for number in range(3, 7)))
    git, base, tip = chains.build(tmp_path / "repository", chain)
    return (
        git,
        QueueBase("embedded:", "v1", base),
        commit_range.read(git, base, tip).steps,
        tmp_path / "p",
    )


@pytest.mark.parametrize("exchanged", [True, False], ids=["exchanged", "renamed"])
def test_a_kill_at_any_step_of_saving_leaves_a_whole_queue(
    queue: tuple[Git, QueueBase, tuple[PatchStep, ...], Path],
    monkeypatch: pytest.MonkeyPatch,
    exchanged: bool,
) -> None:
    git, base, steps, patches = queue
    folder = patches / "q"
    if not exchanged:
        monkeypatch.setattr(files, "exchange", lambda first, second: False)
    old = storage.save(folder, base, steps[:3], git).queue
    (folder / "README").write_text("kept\n")
    (folder / "resolutions").mkdir()
    (folder / "resolutions" / "one").write_text("kept\n")
    changed = [replace(step, name=p.name) for step, p in zip(steps[:2], old.patches, strict=False)]

    def save() -> object:
        return storage.save(folder, base, changed, git, resolutions={"two": b"new\n"})

    states = set()
    step = 1
    while ended_at(step, patches, save):
        loaded = storage.load(folder)
        states.add(len(loaded.patches))
        assert len(loaded.patches) in (2, 3)
        assert [p.content for p in loaded.patches] == [
            p.content for p in old.patches[: len(loaded.patches)]
        ]
        there = folder if folder.exists() else files.displaced(folder)
        assert (there / "README").read_text() == "kept\n"
        one, two = (there / "resolutions" / name for name in ("one", "two"))
        assert (one.exists(), two.exists()) == (
            (True, False) if len(loaded.patches) == 3 else (False, True)
        )
        storage.save(
            folder, base, _named(steps[:3], old.patches), git, resolutions={"one": b"kept\n"}
        )
        step += 1
    assert step > 15
    assert states == {2, 3}
    assert [path.name for path in patches.iterdir()] == ["q"]


def _named(steps: tuple[PatchStep, ...], patches: tuple[QueuePatch, ...]) -> list[PatchStep]:
    return [replace(step, name=patch.name) for step, patch in zip(steps, patches, strict=True)]
