"""What the machine refuses ends in one sentence, the exit code that it means, and no traceback.

The conditions are real ones that the kernel gives anybody, root too: a name that is too long, a
file or a pipe in a folder's place, a file system that takes no new names, a limit on a file's size
(a full disk's twin), a limit on open files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program
from tests.wheelmaker import Thin

ROOT = Path(__file__).parents[3]

TAKES_NO_NAMES = Path("/System" if sys.platform == "darwin" else "/sys")
"""A folder of a file system in which nobody, root included, can make a file."""


@dataclass(frozen=True)
class Paths:
    """What the tasks of these tests work on, and paths that the kernel refuses."""

    queue: Path
    wheel: Path
    cache: Path
    refused: dict[str, Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    folder = tmp_path_factory.mktemp("refused")
    shutil.copytree(ROOT / "patches/demo", folder / "queue")
    (folder / "file").write_text("x")
    os.mkfifo(folder / "pipe")
    wheel = Thin("arm64", {"demo/__init__.py": b"x = 1\n"}).write(folder)
    refused = {
        "long": folder / ("n" * 300),
        "below-a-file": folder / "file/x",
        "below-a-pipe": folder / "pipe/x",
        "file": folder / "file",
        "pipe": folder / "pipe",
        "no-names": TAKES_NO_NAMES / "x",
    }
    return Paths(folder / "queue", wheel, folder / "mirrors", refused)


READING = {
    "verify": ["verify", "{path}"],
    "thin": ["thin", "{path}", "--arch", "arm64"],
    "symbols": ["verify", "{wheel}", "--must-export", "{path}"],
    "config": ["config.show", "{path}.yaml"],
    "lint": ["patches.lint", "--queue", "{path}"],
    "rebase": ["rebase", "--queue", "{path}", "--onto", "v2.17.0"],
    "import": [
        *["patches.import", "--queue", "{cache}/new", "--upstream", "embedded:"],
        *["--against", "v2.16.0", "--diff", "{path}"],
    ],
}
WHAT_IS_NONE = ("verify", "thin", "symbols")
"""Tasks whose work fails when a file is read and is no wheel, or asks for too much."""

WRITING = {
    "retag": ["retag", "{wheel}", "--build-tag", "1", "--out", "{path}"],
    "report": ["patches.report", "--old", "{queue}", "--new", "{queue}", "--html", "{path}/x"],
    "mailbox": ["patches.export", "--queue", "{queue}", "--to", "mailbox", "--out", "{path}/x"],
    "cache": ["rebase", "--queue", "{queue}", "--onto", "v2.17.0", "--cache", "{path}"],
    "upstream": ["upstream.status", "--upstream=embedded:", "--base=v2.16.0", "--cache={path}"],
}


def _run(paths: Paths, argv: list[str], path: Path) -> int:
    values = {"queue": paths.queue, "wheel": paths.wheel, "cache": paths.cache, "path": path}
    try:
        Program(namespace=namespace, binary="inv").run(
            ["inv", *(word.format(**values) for word in argv)]
        )
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("path", ["long", "below-a-file", "below-a-pipe", "file", "pipe"])
@pytest.mark.parametrize("task", READING)
def test_what_cannot_be_read_is_wrong_usage(
    paths: Paths, task: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = _run(paths, READING[task], paths.refused[path])
    captured = capsys.readouterr()
    if path == "file" and task in WHAT_IS_NONE:  # it can be read
        assert status == 1
    else:
        assert (status, captured.out) == (2, "")
        assert _refusal(captured.err)


def _refusal(err: str) -> str:
    """Return the line that says what is wrong: on a slow machine others say how far the work is."""
    (line,) = (line for line in err.splitlines() if line.startswith("error: "))
    return line


@pytest.mark.parametrize("path", ["long", "below-a-file", "below-a-pipe", "file", "no-names"])
@pytest.mark.parametrize("task", WRITING)
def test_where_nothing_can_be_written_is_wrong_usage_and_named(
    paths: Paths, task: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(paths, WRITING[task], paths.refused[path]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(paths.refused[path])[:60] in _refusal(captured.err)


LIMITS = {
    "retag": ("ulimit -f 0", WRITING["retag"]),
    "cache": ("ulimit -f 0", WRITING["cache"]),
    "descriptors": ("ulimit -n 8", WRITING["cache"]),
}


@pytest.mark.parametrize("task", LIMITS)
def test_what_the_machine_runs_out_of_is_failed_work_and_a_document(
    paths: Paths, tmp_path: Path, task: str
) -> None:
    limit, argv = LIMITS[task]
    values = {"queue": paths.queue, "wheel": paths.wheel, "path": tmp_path / "out"}
    words = [word.format(**values) for word in argv]
    script = f'{limit}; exec "$0" -m tensorflow_macos_build "$@" --json'
    # Standard output is a pipe: a limit on the size of files does not hold for it.
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    documents.check(document)
    assert (document["schema"]["name"], document["exit_code"]) == ("error", 1)
    assert list(tmp_path.glob("out/*")) == [] or task != "retag"
