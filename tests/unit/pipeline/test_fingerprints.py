"""What of files and programs changes a key, and what does not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tensorflow_macos_build import config
from tensorflow_macos_build.pipeline import fingerprints

ROOT = Path(__file__).resolve().parents[3]


def test_files_count_by_path_and_content_and_compiled_modules_do_not(tmp_path: Path) -> None:
    for path in ("a/b.patch", "series", "__pycache__/x.pyc", "a/__pycache__/y.pyc"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    assert fingerprints.file_digests(tmp_path) == {
        path: hashlib.sha256(path.encode()).hexdigest() for path in ("a/b.patch", "series")
    }


def test_a_program_is_another_when_its_file_is_written_anew(tmp_path: Path) -> None:
    program, link = tmp_path / "bazel-6", tmp_path / "bazel"
    program.write_text("6")
    link.symlink_to(program)
    before = fingerprints.program_identity(link)
    assert fingerprints.program_identity(program) == before
    os.utime(program, ns=(0, program.stat().st_mtime_ns + 1))
    assert fingerprints.program_identity(link) != before
    assert fingerprints.program_identity(None) == "missing"


def test_a_package_that_is_not_installed_has_a_version_of_its_own() -> None:
    assert fingerprints.package_version("pytest")[0].isdigit()
    assert fingerprints.package_version("no-such-package") == "missing"


def test_what_is_for_people_or_for_speed_changes_nothing_that_is_published() -> None:
    quiet = {
        "limits.hours": "8",
        "hazards": "[]",
        "unverified.x": "not known",
        "bazel.jobs": "2",
        "wheelhouse": "[numpy]",
    }
    plain, quieted = (config.load("tf-2.19", flags, root=ROOT).release for flags in ({}, quiet))
    assert plain != quieted
    assert fingerprints.published(plain) == fingerprints.published(quieted)


def test_a_python_that_is_not_here_has_words_in_its_place(tmp_path: Path) -> None:
    assert fingerprints.shown(None, "python3.12") == "<path of python3.12>"
    assert fingerprints.shown(tmp_path, "python3.12") == str(tmp_path)
