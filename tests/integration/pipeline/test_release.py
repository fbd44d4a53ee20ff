"""A built release, prepared as a release engineer does: gates, contents, the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.views.smoke import as_document
from tests import command_line
from tests.projects import ROOT, check_sums

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Project

UNTRIED = ("--waive", "smoked=there is no Mac here")


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return command_line.run(*words, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    date = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    env = {**os.environ, **date}
    subprocess.run(["git", "-C", folder, *who, *words], env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def committed(built_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project under git, as a checkout is."""
    folder = built_project.copy(tmp_path_factory.mktemp("release") / "one").folder
    (folder / ".gitignore").write_text("/build/\n/dist/\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_two_places_give_the_same_bytes_and_all_documents_agree(
    committed: Path, tmp_path: Path
) -> None:
    done = run(committed, "release.prepare", "--json", *UNTRIED)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    documents.check(manifest)
    made = committed / "dist/releases/v2.17.0"
    check_sums(made)
    sums = (made / "SHA256SUMS").read_text().split()
    assert sorted(sums[1::2]) == sorted(set(contents(made)) - {"SHA256SUMS"})
    wheel = next(file for file in manifest["files"] if file["kind"] == "wheel")
    statement = json.loads((made / "provenance.intoto.json").read_text())
    (subject,) = statement["subject"]
    assert (subject["name"], subject["digest"]["sha256"]) == (wheel["name"], wheel["sha256"])
    assert contents(made)[wheel["name"]] == wheel["sha256"]
    assert "there is no Mac here" in (made / "RELEASE_NOTES.md").read_text()
    assert str(committed) not in "".join(
        path.read_text() for path in made.iterdir() if path.suffix != ".whl"
    )
    elsewhere = tmp_path / "another place"
    shutil.copytree(committed, elsewhere, symlinks=True)
    assert run(elsewhere, "release.prepare", "--out", tmp_path / "out", *UNTRIED).returncode == 0
    assert contents(tmp_path / "out/v2.17.0") == contents(made)


def test_what_is_not_clean_or_not_what_was_built_is_not_released(
    built_project: Project, tmp_path: Path
) -> None:
    folder = built_project.copy(tmp_path / "one").folder
    git(folder, "init", "-q")
    git(folder, "commit", "--allow-empty", "-qm", "Begin")
    git(folder, "tag", "v2.17.0")
    wheel = next((folder / "dist/demo").glob("*.whl"))
    content = wheel.read_bytes()
    wheel.unlink()
    # a member's data, which RECORD and SHA256SUMS both have the hash of
    wheel.write_bytes(content[:2000] + bytes([content[2000] ^ 1]) + content[2001:])
    planned = run(folder, "release.prepare", "--plan", "--json")
    assert planned.returncode == 1
    failed = {gate["name"] for gate in json.loads(planned.stdout)["gates"]
              if gate["outcome"] == "failed"}  # fmt: skip
    assert {"clean-tree", "tag-free", "dist-whole", "verified", "smoked"} == failed
    done = run(folder, "release.prepare", *UNTRIED)
    assert done.returncode == 1
    assert "4 gates speak against this release" in done.stderr
    assert not (folder / "dist/releases").exists()


def test_a_smoke_report_counts_for_its_own_wheel_only(committed: Path, tmp_path: Path) -> None:
    report = json.loads((committed / "dist/demo/report.json").read_text())
    subject, digest = report["wheel"]["name"], report["wheel"]["sha256"]
    check = SmokeCheck("arm64", "train", CheckOutcome.PASSED)
    tried = SmokeReport(subject, "GPU:0", "CPU:0", "quick", False, (check,), digest)
    mac = tmp_path / "mac.json"
    mac.write_text(json.dumps(as_document(tried)))
    out = ("--out", tmp_path / "out", "--smoke", mac)
    done = run(committed, "release.prepare", *out)
    assert done.returncode == 0, done.stderr
    assert "arm64: passed train" in (tmp_path / "out/v2.17.0/RELEASE_NOTES.md").read_text()
    mac.write_text(mac.read_text().replace(digest, "0" * 64))
    other = run(committed, "release.prepare", *out)
    assert (other.returncode, "of another wheel" in other.stderr) == (2, True)
    mac.write_text(json.dumps({"schema": {"name": "smoke", "version": 2}, "sha256": []}))
    none = run(committed, "release.prepare", *out)
    assert (none.returncode, "no report of a smoke test" in none.stderr) == (2, True)
