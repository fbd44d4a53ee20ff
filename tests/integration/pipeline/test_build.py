"""The main job as a user runs it: one command, a universal2 wheel, real git, real Bazel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tensorflow_macos_build import config, documents, locks
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline import run as running
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.views import build
from tests import command_line, processes
from tests.projects import ROOT, STAGES, Project, check_sums, wait_for_line, wait_until

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.fixture
def project(built_project: Project) -> Project:
    """A project that is built."""
    return built_project


def states(project: Project, *args: str) -> dict[str, str]:
    document = json.loads(project.run("--plan", "--json", *args).stdout)
    documents.check(document)
    return {row["stage"]: row["state"] for row in document["stages"]}


def test_dist_holds_the_wheel_and_documents_that_agree_with_it(project: Project) -> None:
    wheel = project.wheel()
    assert wheel.name == "tensorflow-2.17.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl"
    names = sorted(path.name for path in project.dist.iterdir())
    beside = ["SHA256SUMS", "provenance.json", "report.html", "report.json"]
    bill = "tensorflow-macos-build.cdx.json"
    assert names == sorted([*beside, bill, wheel.name])
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.read(f"tensorflow-2.17.0.dist-info/sboms/{bill}")
    assert inside == (project.dist / bill).read_bytes()
    # Bazel has told of each library's link that nothing from elsewhere is in it.
    assert b'"tensorflow-macos-build:unknown"' not in inside
    assert json.loads(inside)["components"] == []
    check_sums(project.dist)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for name in ("report.json", "provenance.json"):
        document = json.loads((project.dist / name).read_text())
        documents.check(document)
        assert document["wheel"]["sha256"] == digest
    assert digest in (project.dist / "report.html").read_text()


def test_the_report_tells_patches_stages_and_what_the_smoke_test_saw(project: Project) -> None:
    report = json.loads((project.dist / "report.json").read_text())
    series = (project.folder / "patches" / "demo" / "series").read_text().split()
    assert [patch["name"] for patch in report["patches"]] == series
    assert [stage["name"] for stage in report["stages"]] == list(STAGES[:-1])
    outcomes = {(row["leg"], row["outcome"]) for row in report["smoke"]}
    if sys.platform != "darwin":
        assert ("arm64", "not_run") in outcomes
    (compute,) = (row for row in report["smoke"] if row["name"] == "compute" and not row["why"])
    assert all("device:" in device for device in compute["evidence"]["ran_on"].values())


def test_a_second_build_does_nothing_and_starts_no_program(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*args: object, **kwargs: object) -> None:
        pytest.fail(f"a program was started: {args}")

    before = {path: path.stat().st_mtime_ns for path in project.dist.iterdir()}
    (flags,) = (project.argv()[5:],)
    loaded = config.load("demo", {"bazel.flags": flags[0].partition("=")[2]}, root=project.folder)
    monkeypatch.setattr(subprocess, "Popen", explode)
    done = running.build(Workspace(loaded), planning.BuildRequest(), Silent())
    assert [finished.stage.name for finished in done if finished.up_to_date] == list(STAGES)
    assert {path: path.stat().st_mtime_ns for path in project.dist.iterdir()} == before
    documents.check(build.as_document(Workspace(loaded), done))


class Silent:
    """Nobody follows the build."""

    def waiting_for(self, holder: locks.LockHolder | None) -> None:
        pytest.fail("nobody else builds here")

    def plan_made(self, plan: planning.BuildPlan) -> None:
        pass

    def looked_at(self, findings: object) -> None:
        pytest.fail("nothing has to be looked at for a build that does nothing")

    def stage_started(self, stage: planning.PlannedStage) -> Any:
        pytest.fail(f"{stage.stage.name} was run: {stage.why}")

    def note(self, text: str) -> None:
        pytest.fail(text)

    def round_ended(self, *what: object) -> None:
        pytest.fail(f"a round has ended: {what}")

    def stage_done(self, finished: object) -> None:
        pass


def test_the_plan_of_a_fresh_project_is_the_pinned_one_and_has_no_effect(tmp_path: Path) -> None:
    fresh = Project(tmp_path / "fresh")
    before = sorted(tmp_path.rglob("*"))
    plan = fresh.run("--plan")
    pinned = (GOLDEN / "plans/demo.txt").read_text()
    assert plan.stdout.partition("\n\n")[0] == pinned.partition("\n\n")[0]
    assert _without_machine(plan.stdout, fresh) == _without_machine(pinned, fresh)
    assert sorted(tmp_path.rglob("*")) == before


def _without_machine(plan: str, project: Project) -> list[str]:
    """Return a plan's lines without what only this machine decides: paths and their programs."""
    of_machine = (
        r"\S*PYTHON_BIN_PATH=\S+ |USE_BAZEL_VERSION=latest |'<path of bazel>' |\S+/bazel (?=-)|"
        r'"\w+=\$\w+" '
    )
    # which processors can be tried here, and by what, is compared where that is run
    parts = plan.replace(str(project.folder), "/checkout").split("\n\n")
    lines = [line for part in parts if not part.startswith("smoke\n") for line in part.splitlines()]
    shown = [line for line in lines if not line.startswith(("  python:", "  by:"))]
    return [re.sub(of_machine, "", line) for line in shown]


def test_the_second_architecture_does_not_build_the_host_s_tools_again(project: Project) -> None:
    efforts = [row["result"]["effort"] for row in project.build()["stages"][2:4]]
    first, second = (effort["actions"] for effort in efforts)
    host_tools = 2  # op_gen and config_gen, a compilation and a link each
    assert first - second >= 2 * host_tools
    # How many were needed is read from lines that Bazel prints twice a second: a lower bound.
    assert all(effort["needed"] >= effort["actions"] for effort in efforts)


def test_what_a_plan_prints_is_what_was_run(project: Project) -> None:
    plan = json.loads(project.run("--plan", "--json").stdout)
    for stage in plan["stages"][2:5]:
        typed = {command["for"]: command["typed"] for command in stage["commands"]}
        name = stage["stage"].removeprefix("build:")
        log = project.folder / "build" / "demo" / f"bazel-{name}.log"
        assert log.read_text().splitlines()[0] == typed["build"]
        assert (log.parent / f"bazel-{name}.events.json").is_file()


def test_a_plan_of_tensorflow_needs_no_tool_and_no_network(tmp_path: Path) -> None:
    nothing = tmp_path / "empty"
    nothing.mkdir()
    fresh = Project(tmp_path / "fresh", PATH=str(nothing))
    before = sorted(tmp_path.rglob("*"))
    plan = json.loads(fresh.run("--config", "tf-2.21", "--plan", "--json").stdout)
    assert plan["release"] == "tf-2.21"
    assert plan["unverified"]["bazel.version"]
    assert sorted(tmp_path.rglob("*")) == before


def test_what_speaks_against_a_build_is_told_at_once_before_anything_is_done(
    tmp_path: Path,
) -> None:
    fresh = Project(tmp_path / "fresh")
    hostile = ("--set", "limits.disk_gb=1e6", "--set", "queue=none")
    refused = fresh.run(*hostile)
    assert refused.returncode == 2
    assert "error: 2 findings speak against this build" in refused.stderr
    assert "disk too little: free disk; " in refused.stderr
    assert "queue missing: patches/none; there is no such queue; " in refused.stderr
    assert "hint: `--ignore disk --ignore queue` goes on in spite of them" in refused.stderr
    made = [path for path in (fresh.folder / "build").rglob("*") if path.is_file()]
    assert sorted(path.name for path in made) == [".dist.lock", ".lock"]
    planned = fresh.run(*hostile, "--ignore", "disk", "--plan", "--json")
    assert planned.returncode == 2
    findings = {row["code"]: row for row in json.loads(planned.stdout)["findings"]}
    assert findings["disk"]["ignored"]
    assert findings["queue"]["verdict"] == "missing"
    assert fresh.run(*hostile, "--until", "source").returncode == 0  # Bazel has nothing to do


def test_only_what_a_change_reaches_is_done_again(project: Project, tmp_path: Path) -> None:
    made = project.copy(tmp_path / "copy")
    assert set(states(made).values()) == {"up to date"}
    forced = states(made, "--force", "fuse")
    assert [name for name, state in forced.items() if state != "up to date"] == [
        "fuse",
        "relocate",
        "sbom",
        "verify",
        "smoke",
        "dist",
    ]
    done = made.build("--force", "fuse")
    assert [row["stage"] for row in done["stages"] if not row["up_to_date"]] == ["fuse"]
    done = made.build("--set", "smoke.timeout_s=99")
    assert [row["stage"] for row in done["stages"] if not row["up_to_date"]] == ["smoke", "dist"]
    shutil.rmtree(made.dist)
    done = made.build()
    assert [row["stage"] for row in done["stages"] if not row["up_to_date"]] == ["dist"]


def test_until_and_arch_stop_early(project: Project) -> None:
    assert list(states(project, "--until", "patch")) == ["source", "patch"]
    assert list(states(project, "--arch", "x86_64")) == ["source", "patch", "build:x86_64"]
    for flag, hint in (("--until=fusion", "there are: source"), ("--arch=ppc", "there are: arm64")):
        ended = project.run(flag)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert hint in ended.stderr


def test_a_second_build_of_a_release_waits_and_says_so(project: Project) -> None:
    def unseen(holder: locks.LockHolder | None) -> None:
        pytest.fail(f"{holder} has the lock")

    lock = project.folder / "build" / "demo" / ".lock"
    lock.write_text('{"pid": 4194305, "since": 1, "command": "a build that was killed"}')
    with locks.held_openly(lock, "inv build --force fuse", unseen):
        child = project.start()
        line = wait_for_line(child, "another build of this release is at work")
        assert f": process {os.getpid()}, since 20" in line
        assert line.endswith(", `inv build --force fuse`; waiting for it\n")
        assert child.poll() is None
    assert child.wait(60) == 0
    assert child.stderr is not None
    child.stderr.close()


def test_a_cache_that_is_down_is_told_and_the_wheel_is_built_all_the_same(
    project: Project, tmp_path: Path
) -> None:
    made = project.copy(tmp_path / "copy")
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        cache = ("--set", f"cache.address={address}")
        assert set(states(made, *cache).values()) == {"up to date"}
        ended = made.run(*cache, "--arch", "arm64", "--force", "build:arm64")
    assert ended.returncode == 0, ended.stderr
    assert f"warning: the cache {address} does not answer (Connection refused)" in ended.stderr
    assert " of them from caches" in ended.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that shares nothing with the built one, in a place that is unlike it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    return Project(
        folder / "a folder with spaces, é",
        TZ="Pacific/Kiritimati",
        LC_ALL="C",
        PYTHONHASHSEED="7",
        HOME="",
        XDG_CACHE_HOME=str(folder / "cache"),
    )


FOLLOWED = """
import contextlib, json, sys, types
from pathlib import Path
from tensorflow_macos_build import closure, config
from tensorflow_macos_build.pipeline import plan, run
from tensorflow_macos_build.pipeline.workspace import Workspace

opened, at_work = {}, [None]
package = str(Path(closure.__file__).parent)

def note(event, args):
    if event == "open" and at_work[0] and str(args[0]).startswith(package):
        opened.setdefault(at_work[0], set()).add(str(args[0]))

class Observer:
    waiting_for = plan_made = looked_at = note = stage_done = lambda *_: None

    @contextlib.contextmanager
    def stage_started(self, stage):
        at_work[0] = stage.stage.name
        yield lambda *_, **__: None
        at_work[0] = None

# What is looked at before a build reads what a stage would then find in memory.
nothing = types.SimpleNamespace(
    examine=lambda *_, **__: (), refuse=lambda _: None, awaits_patched_tree=lambda _: False
)
sys.modules["tensorflow_macos_build.pipeline.preflight"] = nothing
sys.addaudithook(note)
workspace = Workspace(config.load("demo"))
forced = tuple(json.loads(sys.argv[1]))
run.build(workspace, plan.BuildRequest(force=forced), Observer())
planned = plan.make(workspace, plan.BuildRequest()).stages
code = {stage.stage.name: stage.stage.code_files() for stage in planned}
for stage, paths in sorted(opened.items()):
    sources = {path for path in paths if "__pycache__" not in path}
    print(stage, len(sources), *sorted(sources - {str(path) for path in code[stage]}))
"""


def test_what_a_stage_reads_of_the_package_while_it_works_is_in_its_key(
    project: Project, tmp_path: Path
) -> None:
    """The interpreter's own events say what is read: code as it is imported, templates, schemas."""
    copy = project.copy(tmp_path / "copy")
    forced = [stage for stage in STAGES if not stage.startswith("build:")]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path / "no-cache")  # so that sources are opened
    argv = [sys.executable, "-c", FOLLOWED, json.dumps(forced)]
    ended = subprocess.run(
        argv, cwd=copy.folder, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert {stage for stage, *_ in lines} >= {"source", "patch", "fuse", "smoke", "dist"}
    assert not [line for line in lines if len(line) > 2]
    assert all(int(count) > 0 for _, count in lines)


def test_two_machines_build_an_architecture_each_and_fuse_joins_them(
    project: Project, tmp_path: Path
) -> None:
    """They share nothing but a cache, which is there for this test's speed."""
    wheels: list[Path] = []
    for architecture in ("arm64", "x86_64"):
        machine = Project(tmp_path / architecture, disk_cache=project.cache)
        done = machine.build("--arch", architecture)
        assert [row["stage"] for row in done["stages"]][2:] == [f"build:{architecture}"]
        assert not machine.dist.exists()
        wheels += (machine.folder / f"build/demo/build-{architecture}").glob("*/*.whl")
    fused = command_line.run("fuse", *wheels, "--out", tmp_path / "out", cwd=tmp_path)
    assert fused.returncode == 0, fused.stderr
    (joined,) = (tmp_path / "out").glob("*.whl")
    (here,) = (project.folder / "build/demo/fuse").glob("*/*.whl")
    assert joined.name == here.name
    assert joined.read_bytes() == here.read_bytes()


@pytest.mark.parametrize("distance", [None, 0.0, 0.05])
def test_an_interrupt_ends_with_130_and_nothing_lingers(
    elsewhere: Project, distance: float | None
) -> None:
    """Once, and a second time so many seconds later, without Bazel's sandbox as on a Mac."""
    cache = elsewhere.folder.parent / "cache"
    # Other outputs than before, so that there is something to build each time.
    fresh = f"--action_env=DISTANCE={distance}"
    child = elsewhere.start("--set", f"bazel.flags=[--spawn_strategy=local, {fresh}]")
    wait_until(lambda: processes.actions_of_bazel(cache))
    child.send_signal(signal.SIGINT)
    if distance is not None:
        time.sleep(distance)
        child.send_signal(signal.SIGINT)  # sends none when it has ended (Popen.send_signal)
    assert child.wait(60) == 130
    assert child.stderr is not None
    assert "Traceback" not in child.stderr.read()
    child.stderr.close()
    assert not list(cache.rglob("at-work"))
    assert not [line for line in processes.command_lines() if str(cache) in line]


def test_another_folder_time_zone_and_umask_give_the_same_bytes(
    project: Project, elsewhere: Project
) -> None:
    ended = elsewhere.run(preexec_fn=lambda: os.umask(0o077))
    assert ended.returncode == 0, ended.stderr
    assert elsewhere.wheel().read_bytes() == project.wheel().read_bytes()
    reports = [json.loads((made.dist / "report.json").read_text()) for made in (project, elsewhere)]
    for report in reports:
        del report["config"]["bazel"]["flags"]
        for row in (*report["stages"], *report["thin_wheels"]):
            for measured in (
                "seconds",
                "actions",
                "cache_hits",
                "key",
                "up_to_date",
                "caches",
                "time",
            ):
                row.pop(measured, None)
    assert reports[0] == reports[1]
