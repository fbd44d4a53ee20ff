"""`scripts/inv rebase` as a person types it, on patches/demo."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests import command_line, situations
from tests.fork import DEMO, names
from tests.integration.patchqueue.test_rebase_situations import SAME

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


def invoke(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return command_line.run(*args, module="invoke")


def contents(queue: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in queue.iterdir() if path.is_file()}


@pytest.mark.parametrize(("release", "code"), [("v2.17.0", 0), ("v2.18.0", 1)])
def test_the_document_tells_the_demos_truth(
    queue: Path, cache: Path, release: str, code: int
) -> None:
    before = contents(queue)
    done = invoke("rebase", "--queue", queue, "--onto", release, "--cache", cache, "--json")
    assert done.returncode == code
    document = json.loads(done.stdout)
    documents.check(document)
    statuses = {patch["name"]: Status(patch["status"]) for patch in document["patches"]}
    truth = {name: SAME[onto[release].status] for name, onto in situations.DEMO.items()}
    assert statuses == truth
    assert contents(queue) == before


def test_people_read_the_hunk_the_culprit_and_the_next_command(queue: Path, cache: Path) -> None:
    done = invoke("rebase", "--queue", queue, "--onto", "v2.18.0", "--cache", cache)
    assert "> makes       if (!TF_MlcMayRun(device->type)) continue;" in done.stdout
    assert "Look at a device's kernels only when its name fits" in done.stdout
    assert (
        f"next: scripts/inv rebase.start --queue {queue} --cache {cache} --onto v2.18.0"
        in done.stdout
    )
    assert command_line.messages(done, "rebase") == []


def test_writing_back_touches_only_patches_that_changed(queue: Path, cache: Path) -> None:
    """Law 4; and a second run has nothing to do."""
    before = contents(queue)
    arguments = ("rebase", "--queue", queue, "--onto", "v2.17.0", "--cache", cache, "--write")
    first = json.loads(invoke(*arguments, "--json").stdout)
    after = contents(queue)
    adapted = {patch["name"] for patch in first["patches"] if patch["status"] == "adapted"}
    assert set(first["saved"]["written"]) == adapted
    assert all(after[name] == before[name] for name in first["saved"]["kept"])
    assert len(first["saved"]["removed"]) == 1
    second = json.loads(invoke(*arguments, "--json").stdout)
    assert second["saved"]["written"] == second["saved"]["removed"] == []
    assert second["tree"] == first["tree"]
    assert contents(queue) == after


def test_a_plan_says_what_would_be_done_and_does_nothing(queue: Path, tmp_path: Path) -> None:
    done = invoke(
        "rebase", "--queue", queue, "--onto", "v2.18.0", "--cache", tmp_path / "none", "--plan"
    )
    assert done.returncode == 0
    assert "replay 8 patches of demo from v2.16.0" in done.stdout
    assert not (tmp_path / "none").exists()


def test_a_plan_is_one_document_where_that_is_asked_for(queue: Path, tmp_path: Path) -> None:
    flags = ("--queue", queue, "--onto", "v2.18.0", "--cache", tmp_path / "none", "--plan")
    for more in ((), ("--write",)):
        done = invoke("rebase", *flags, *more, "--json")
        document = json.loads(done.stdout)
        documents.check(document)
        assert (done.returncode, document["write"]) == (0, bool(more))
        assert [patch["name"] for patch in document["patches"]] == names(queue)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("--queue", "nowhere", "--onto", "v2.17.0"), "there is no such queue"),
        (("--queue", "demo", "--onto", "v9.9.9"), "no commit, branch or tag"),
        (("--queue", "demo", "--onto", "v2.17.0", "--on-conflict", "pray"), "provisional, skip"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    arguments: tuple[str, ...], output: str, cache: Path
) -> None:
    done = invoke("rebase", *arguments, "--cache", cache)
    assert done.returncode == 2
    assert output in done.stderr
    assert "Traceback" not in done.stderr


def test_conflicts_are_settled_by_the_commands_that_are_told(
    queue: Path, cache: Path, tmp_path: Path
) -> None:
    where = ("--queue", queue, "--cache", cache, "--work", tmp_path / "work")
    begun = invoke("rebase.start", *where, "--onto", "v2.18.0", "--json")
    assert begun.returncode == 1
    progress = json.loads(begun.stdout)
    documents.check(progress)
    assert (tmp_path / "work" / progress["paths"][0]).is_file()
    output = invoke("rebase.status", *where)
    assert f"rebase.continue --queue {queue} --work {tmp_path / 'work'}" in output.stdout
    early = invoke("rebase.continue", *where)
    assert (early.returncode, "markers left" in early.stderr) == (1, True)
    ended = json.loads(invoke("rebase.skip", *where, "--json").stdout)
    documents.check(ended)
    if not ended["done"]:
        assert invoke("rebase.abort", *where).returncode == 0
    assert invoke("rebase.status", *where).returncode == 2


@pytest.mark.parametrize(
    ("begin", "area"),
    [
        (("rebase.start", "--onto", "v2.18.0"), "rebase"),
        (("patches.edit", "00300"), "patches"),
    ],
)
def test_what_is_under_way_can_be_given_up_whatever_base_the_queue_names(
    begin: tuple[str, ...], area: str, queue: Path, cache: Path, tmp_path: Path
) -> None:
    work = ("--work", tmp_path / "work") if area == "rebase" else ()
    where = ("--queue", queue, "--cache", cache, *work)
    assert invoke(begin[0], *begin[1:], *where).returncode in (0, 1)
    metadata = (queue / "queue.yaml").read_text()
    (queue / "queue.yaml").write_text(re.sub("[0-9a-f]{40}", "d" * 40, metadata))
    refused = invoke(f"{area}.status", *where)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert invoke(f"{area}.abort", *where).returncode == 0
    (queue / "queue.yaml").write_text(metadata)
    assert "under way" in invoke(f"{area}.status", *where).stderr
