"""Recorded resolutions are files that come with a queue, from anybody."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.resolutions import (
    ConflictKey,
    RecordedResolution,
    ResolvedPath,
)
from tensorflow_macos_build.patchqueue.replay.steps import Resolved, StepOutcome

if TYPE_CHECKING:
    from pathlib import Path

BLOB = "2" * 40


def content(**changes: Any) -> bytes:
    document = {
        "schema": {"name": "resolution", "version": 1},
        "patch": "00100-a.patch",
        "met": [{"path": "a", "base": BLOB, "upstream": BLOB, "patched": ""}],
        "results": [{"path": "a", "mode": "100644", "lines": ["x", ""]}],
        **changes,
    }
    return json.dumps(document).encode()


def result(**changes: Any) -> bytes:
    return content(results=[{"path": "a", "mode": "100644", "lines": [], **changes}])


def test_a_resolution_is_written_and_read_as_it_is() -> None:
    """Paths and contents may be no UTF-8; a path's bytes are surrogate escapes in text."""
    met = (ConflictKey("caf\udce9", BLOB, "", BLOB),)
    results = (
        ResolvedPath("caf\udce9", "100755", b"\xff\0"),
        ResolvedPath("text", "120000", "ä\r\n".encode()),
        ResolvedPath("gone", "", None),
    )
    made = RecordedResolution("00100-a.patch", met, results)
    assert resolutions.parse(resolutions.emit(made), "x") == made


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a//b",
        "./a",
        ".git/hooks/post-checkout",
        "a/.GIT/config",
        "git~1/config",
        ".git /config",
        ".g\u200cit/config",
        "..\\x",
        "C:\\x",
        "a\0b",
        "x" * 5000,
    ],
)
def test_no_path_leaves_the_tree_or_reaches_into_a_repository(path: str) -> None:
    """The laws are those of a patch's paths (git's verify_path)."""
    for wrong in (result(path=path), content(patch=path)):
        with pytest.raises(UsageError, match=r"^here: it is no recorded resolution"):
            resolutions.parse(wrong, "here")


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[" * 100_000,
        b"9" * 5000,
        content(schema={"name": "../../evil", "version": 1}),
        content(schema={"name": "rebase-state", "version": 1}),
        content(schema={"name": "resolution", "version": 2}),
        content(patch="folder/00100-a.patch"),
        content(patch=["a"]),
        content(results=None),
        result(lines=["\ud800"]),
        result(path="\ud800"),
        result(mode="160000"),
        result(mode=""),
        content(results=[{"path": "a", "mode": "100644", "base64": "!"}]),
        content(results=[{"path": "a", "mode": "100644", "base64": "YQ"}]),
        content(results=[{"path": "a", "mode": "100644", "base64": "Yä=="}]),
        content(results=[{"path": ".gitmodules", "mode": "120000", "lines": ["x"]}]),
    ],
)
def test_what_is_no_resolution_is_refused_in_a_sentence(wrong: bytes) -> None:
    with pytest.raises(UsageError, match=r"^here: it is no recorded resolution") as caught:
        resolutions.parse(wrong, "here")
    assert len(str(caught.value)) < 600


def test_a_resolution_may_hold_any_bytes() -> None:
    every = bytes(range(256))
    body = {"path": "a", "mode": "100644", "base64": base64.b64encode(every).decode()}
    assert resolutions.parse(content(results=[body]), "x").results[0].content == every


def test_a_folder_of_resolutions_is_read_in_order_and_within_bounds(tmp_path: Path) -> None:
    folder = tmp_path / resolutions.FOLDER
    folder.mkdir()
    (folder / "b.json").write_bytes(content())
    assert len(resolutions.load(tmp_path)) == 1
    with (folder / "a.json").open("wb") as stream:
        stream.truncate(800 << 20)
    with pytest.raises(UsageError, match=r"a\.json: it has more than"):
        resolutions.load(tmp_path)


def test_a_resolution_is_refused_in_the_name_of_its_own_patch_alone(tmp_path: Path) -> None:
    """Subjects without a letter of ASCII make files that differ by their numbers only."""
    patches = {"1": "00100-patch.patch", "2": "00200-patch.patch", "3": "00300-a.patch"}
    first, moved = (
        RecordedResolution(name, (ConflictKey("a", BLOB, BLOB, ""),), ())
        for name in ("00100-patch.patch", "00900-a.patch")
    )
    git = Git(tmp_path)
    git.init()
    with open_quarantine(git) as quarantine:
        recorded = resolutions.RecordedResolver(quarantine, patches, [first, moved])
        refused = {commit: recorded.refused(commit) for commit in patches}
    assert refused == {"1": (first.file_name,), "2": (), "3": (moved.file_name,)}


def test_a_patch_of_another_subject_keeps_its_resolution(tmp_path: Path) -> None:
    """What met tells whose it is, where no patch of the queue has the name any more."""
    sides = [TreeEntry("100644", digit * 40) for digit in "1234"]
    met = (ConflictKey("a", *(side.oid for side in sides[:3])),)
    former = RecordedResolution("00100-former-subject.patch", met, ())
    git = Git(tmp_path)
    git.init()
    with open_quarantine(git) as quarantine:
        merged = MergeOutcome((ConflictedPath("a", *sides),), ())
        queues = ({"1": "00100-new-subject.patch"}, {"1": "00100-new.patch", "2": former.patch})
        settled = [
            resolutions.RecordedResolver(quarantine, names, [former])("1", merged)
            for names in queues
        ]
    assert settled == [Resolved(StepOutcome.RESOLVED, {}), None]
