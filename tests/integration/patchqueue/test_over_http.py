"""A queue whose upstream is a web server's: what is asked for, how often, and what comes out.

The judge is the same queue with its upstream on the disk.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import invoke
import pytest

from tensorflow_macos_build.patchqueue.queue import prefetch
from tensorflow_macos_build.pipeline.stages import worktree
from tensorflow_macos_build.tasks import edit, forecast, patches, rebase
from tensorflow_macos_build.upstream import mirror
from tests.fork import DEMO
from tests.git_servers import Faults, http_server
from tests.projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

C = invoke.Context()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    local = mirror.open("embedded:", folder / "cache")
    root = folder / "root"
    subprocess.run(["git", "clone", "-q", "--mirror", local.git_dir, root / "up.git"], check=True)
    for key in ("allowFilter", "allowAnySHA1InWant"):
        flags = ["--git-dir", str(root / "up.git"), "config", f"uploadpack.{key}", "true"]
        subprocess.run(["git", *flags], check=True)
    return root


@pytest.fixture
def server(served: Path) -> Iterator[tuple[str, Faults]]:
    with http_server(served) as (base, faults):
        yield f"{base}/up.git", faults


@dataclass(frozen=True)
class Desk:
    """A folder with the queue, its upstream at some address, and a cache of its own."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, task: Callable[[], object]) -> tuple[int, object]:
        """Run a task in the folder; return its exit status and what it prints."""
        self.monkeypatch.chdir(self.folder)
        status = 0
        try:
            task()
        except invoke.Exit as ended:
            status = int(ended.code)
        out, err = self.capsys.readouterr()
        assert status != 2, err
        out = out.replace(str(self.folder), "HERE")
        return status, json.loads(out) if out.startswith("{") else out

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for top in ("patches", "build/rebase", "build/edit/demo/tree", "out")
            for path in (self.folder / top).rglob("*")
            if path.is_file() and path.name != "queue.yaml" and ".git" not in str(path)
        }


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str | Path], Desk]:
    """Make a desk whose queue has its upstream at an address."""

    def make(upstream: str | Path) -> Desk:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        queue = shutil.copytree(DEMO, folder / "patches" / "demo")
        config = queue / "queue.yaml"
        config.write_text(config.read_text().replace("embedded:", str(upstream)))
        return Desk(folder, monkeypatch, capsys)

    return make


def _after_start(*more: Callable[[], object]) -> None:
    with contextlib.suppress(invoke.Exit):
        rebase.start(C, queue="demo", onto="v2.18.0")
    for task in more:
        task()


def _take_theirs() -> None:
    work = ["git", "-C", "build/rebase/demo"]
    subprocess.run([*work, "checkout", "-q", "--theirs", "--", "."], check=True)


TASKS: dict[str, Callable[[], object]] = {
    # an audit would see on the disk of the one what is at the server of the other
    "rebase": lambda: rebase.rebase(C, queue="demo", onto="v2.18.0", audit="never", json=True),
    "audit": lambda: rebase.rebase(C, queue="demo", onto="v2.18.0", audit="always", json=True),
    "write": lambda: rebase.rebase(
        C, queue="demo", onto="v2.17.0", write=True, audit="never", json=True
    ),
    "start": lambda: rebase.start(C, queue="demo", onto="v2.18.0"),
    "settle": lambda: _after_start(
        _take_theirs, lambda: rebase.continue_(C, queue="demo", json=True)
    ),
    "forecast": lambda: forecast.forecast(
        C, queue="demo", onto="v2.17.0,v2.18.0", audit="never", json=True
    ),
    "edit": lambda: edit.edit(C, "00300", queue="demo"),
    "quilt": lambda: patches.export(C, queue="demo", to="quilt", out="out", json=True),
}
REQUESTS = {"start": 2, "settle": 2, "audit": 2}
"""Requests for contents after the clone's: one, and one for a work tree's neighbouring files, or
for all that an audit reads."""


@pytest.mark.parametrize("task", TASKS)
def test_a_task_asks_the_server_once_for_all_that_it_needs(
    task: str, desk: Callable[[str | Path], Desk], server: tuple[str, Faults], served: Path
) -> None:
    url, faults = server
    near, far = desk(served / "up.git"), desk(url)
    assert far.run(TASKS[task]) == near.run(TASKS[task])
    assert far.files() == near.files()
    assert faults.requests[:4] == ["info/refs", "info/refs", "ls-refs", "fetch"]
    assert faults.requests[4:] == ["info/refs", "fetch"] * REQUESTS.get(task, 1)


def test_contents_are_asked_for_again_where_the_network_breaks(
    desk: Callable[[str | Path], Desk], server: tuple[str, Faults], served: Path
) -> None:
    url, faults = server
    near, far = desk(served / "up.git"), desk(url)
    mirror.open(url, far.folder / "build" / "mirrors")
    faults.cut, faults.cut_at = 1, 50
    assert far.run(TASKS["rebase"]) == near.run(TASKS["rebase"])
    assert faults.wants[1:] == [faults.wants[1]] * 2


def test_what_nobody_foresaw_is_fetched_all_the_same(
    desk: Callable[[str | Path], Desk],
    server: tuple[str, Faults],
    served: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, faults = server
    near, far = desk(served / "up.git"), desk(url)
    expected = near.run(TASKS["rebase"])
    monkeypatch.setattr(prefetch, "for_queue", lambda *_args, **_more: None)
    assert far.run(TASKS["rebase"]) == expected
    assert len(faults.wants) > 2


def test_a_build_has_all_files_before_it_checks_them_out(
    server: tuple[str, Faults], tmp_path: Path
) -> None:
    url, faults = server
    project = Project(tmp_path)
    done = project.build("--until", "patch", "--set", f"upstream.url={url}")
    assert faults.requests[4:] == ["info/refs", "fetch"] * 2
    patched = done["stages"][-1]["result"]
    faults.requests.clear()
    worktree.check_out(tmp_path / patched["git_dir"], patched["tree"], tmp_path / "source")
    assert (tmp_path / "source" / "configure.py").is_file()
    assert faults.requests == []
