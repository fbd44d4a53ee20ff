"""What temporary folders are left, by whom, and what is swept."""

import tempfile
from pathlib import Path

import pytest

from tensorflow_macos_build import files, temporary


def test_sweep_deletes_what_was_left_unfinished_and_nothing_else(tmp_path: Path) -> None:
    left = f"{temporary.PREFIX}x"
    (tmp_path / left / "deep").mkdir(parents=True)
    (tmp_path / ".tmp-of-somebody").mkdir()
    (tmp_path / f"{temporary.PREFIX}link").symlink_to(tmp_path / ".tmp-of-somebody")
    (tmp_path / "kept").touch()
    assert [path.name for path in temporary.sweep(tmp_path)] == [left]
    names = {".tmp-of-somebody", f"{temporary.PREFIX}link", "kept"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert temporary.sweep(tmp_path / "not there") == []


def test_sweep_leaves_what_is_in_use(tmp_path: Path) -> None:
    with files.atomic_folder(tmp_path / "out") as unfinished:
        (unfinished / "half").touch()
        assert temporary.sweep(tmp_path) == []
        with files.atomic_path(tmp_path / "other") as path:
            path.touch()
        assert (unfinished / "half").exists()
    assert (tmp_path / "out" / "half").exists()


def test_scratch_is_an_empty_folder_that_goes_with_its_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / f"{temporary.SCRATCH_PREFIX}killed-x"
    dead.mkdir()
    with temporary.scratch("first") as first, temporary.scratch("second") as second:
        assert not dead.exists()
        assert list(first.iterdir()) == list(second.iterdir()) == []
        assert {path.parent for path in (first, second)} == {tmp_path}
    assert list(tmp_path.iterdir()) == []


def test_the_folder_for_temporary_files_is_found_without_writing_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in-use").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "in-use"))
    chosen = tempfile.gettempdir()
    before = (tmp_path / "in-use").stat().st_mtime_ns
    monkeypatch.setattr(tempfile, "tempdir", None)
    temporary.sweep_scratch()
    assert tempfile.tempdir == chosen
    assert (tmp_path / "in-use").stat().st_mtime_ns == before
