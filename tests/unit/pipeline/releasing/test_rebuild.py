"""Where a wheel that was built again differs: which members, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.releasing import rebuild
from tensorflow_macos_build.release import provenance
from tensorflow_macos_build.release.model import PROVENANCE, FileKind, Manifest, ReleaseFile
from tensorflow_macos_build.release.provenance import BuildOrigin
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.pipeline.releasing.check import ReleaseCheck

TOOLS = "toolchain.gcc was 12, is 13"


def test_each_member_that_differs_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    same = {"demo/same.py": b"1", "demo/x.so": b"one", "demo/old.py": b"1"}
    released = Thin("arm64", same).write(tmp_path / "a")
    changed = {"demo/same.py": b"1", "demo/x.so": b"two", "demo/new.py": b"1"}
    made = Thin("arm64", changed).write(tmp_path / "b")
    rows: list[ReleaseCheck] = list(rebuild.differences(released, made, TOOLS))
    assert {row.file: row.words for row in rows} == {
        "demo/new.py": "the release has not got it",
        "demo/old.py": "the build does not give it",
        "demo/x.so": f"machine code differs: {TOOLS}",
        "demo-1.0.dist-info/RECORD": "it differs as the other members do",
    }


@pytest.mark.parametrize("hostile", [{"queue": "../../../../docs"}, {"name": "../x"}, {"name": ""}])
def test_a_recorded_name_leads_out_of_no_folder(hostile: dict[str, str], tmp_path: Path) -> None:
    file = ReleaseFile("demo-1.0-py3-none-any.whl", 1, "0" * 64, FileKind.WHEEL)
    upstream = {"url": "embedded:", "ref": "v1", "commit": "0" * 40}
    parameters = {"name": "demo", "queue": "demo", **hostile}
    origin = BuildOrigin(parameters, upstream, "", {}, "", {}, "", {}, [])
    recorded = provenance.statement([file], origin)
    (tmp_path / PROVENANCE).write_text(json.dumps(recorded), encoding="utf-8")
    manifest = Manifest("demo", "v0-of-a-test", "demo", "1", upstream, {}, (), (file,))
    observer: Any = None
    with pytest.raises(UsageError, match="is no name"):
        next(rebuild.rebuild(tmp_path, manifest, observer))
    assert not (checkout.root() / "build/rebuild/v0-of-a-test").exists()


def test_two_zip_files_around_the_same_members_differ_as_such(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = {"demo/same.py": b"1" * 1000}
    pair = [
        Thin("arm64", files, level=level).write(tmp_path / name)
        for name, level in (("a", 0), ("b", 9))
    ]
    (row,) = rebuild.differences(pair[0], pair[1], TOOLS)
    assert "the zip file around them is not" in row.words
