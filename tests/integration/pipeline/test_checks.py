"""Where the files are that the tests of a checkout make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tensorflow_macos_build.pipeline import checks, memory_folder

PROGRAM = """
import json, pathlib, tempfile

def test_place(tmp_path):
    folders = [str(tmp_path), tempfile.gettempdir()]
    pathlib.Path("places.json").write_text(json.dumps(folders))
    assert {passes}
"""


@pytest.mark.parametrize("passes", [True, False])
def test_files_of_tests_are_in_the_folder_that_is_told_and_go_with_it(
    passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, project = tmp_path / "memory", tmp_path / "project"
    memory.mkdir()
    project.mkdir()
    monkeypatch.setattr(memory_folder, "SHARED_MEMORY", memory)
    monkeypatch.setattr(memory_folder, "has_room", lambda *_: True)
    (project / "test_it.py").write_text(PROGRAM.format(passes=passes), encoding="utf-8")
    lines: list[str] = []
    assert checks.tests_pass(project, [], jobs=1, announce=lines.append) is passes
    (line,) = lines
    for place in json.loads((project / "places.json").read_text(encoding="utf-8")):
        folder = Path(place).relative_to(memory).parts[0]
        assert str(memory / folder) in line
    assert list(memory.iterdir()) == []


def test_files_of_tests_are_where_the_system_has_them_when_memory_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_folder, "has_room", lambda *_: False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "disk"))
    (tmp_path / "disk").mkdir()
    (tmp_path / "test_it.py").write_text(PROGRAM.format(passes=True), encoding="utf-8")
    assert checks.tests_pass(tmp_path, [], jobs=1, announce=pytest.fail)
    places = json.loads((tmp_path / "places.json").read_text(encoding="utf-8"))
    assert all(Path(place).is_relative_to(tmp_path / "disk") for place in places)
