"""A queue may be left out where only one can be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.queue.model import work_name
from tensorflow_macos_build.tasks import implied

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of queues, with one in it; work on them is below `rebases`."""
    monkeypatch.setattr(locate, "QUEUES", tmp_path / "patches")
    monkeypatch.setattr(implied, "_WORKS", {"rebase": str(tmp_path / "rebases")})
    _add(tmp_path / "patches", "demo")
    return tmp_path / "patches"


def _add(patches: Path, name: str) -> None:
    (patches / name).mkdir(parents=True)
    (patches / name / "queue.yaml").touch()


def test_the_only_queue_is_meant_until_there_is_another(patches: Path) -> None:
    assert implied.value("patches.drop", "queue") == "demo"
    _add(patches, "tf-2.21")
    assert implied.value("patches.drop", "queue") == ""


def test_a_step_of_work_is_of_the_only_work_there_is(patches: Path) -> None:
    _add(patches, "tf-2.21")
    rebases = patches.with_name("rebases")
    assert implied.value("rebase.continue", "queue") == ""
    (rebases / work_name(patches / "tf-2.21")).mkdir(parents=True)
    assert implied.value("rebase.continue", "queue") == "tf-2.21"
    assert implied.value("rebase.start", "queue") == ""
    (rebases / "demo").mkdir()
    assert implied.value("rebase.continue", "queue") == ""


def test_nothing_is_implied_of_what_is_to_be_made_or_chosen() -> None:
    assert implied.value("patches.import", "queue") == ""
    assert implied.value("rebase", "onto") == ""
