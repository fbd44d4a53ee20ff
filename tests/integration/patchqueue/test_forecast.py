"""Forecasts of the queues of every situation, checked against their stated truth."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
from tensorflow_macos_build.patchqueue.forecast.forecast import Forecaster, forecast, run
from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.tasks.command import print_parts
from tensorflow_macos_build.tasks.forecast import forecast_request
from tensorflow_macos_build.upstream import embedded
from tensorflow_macos_build.views import forecast as forecast_view
from tests import command_line, repositories, situations
from tests.fork import DEMO
from tests.repositories import commits_of
from tests.truth import Status as Truth

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.forecast.model import Forecast, PatchForecast
    from tests.repositories import Files

ROOT = Path(__file__).parents[3]
RELEASES = ("v2.17.0", "v2.18.0")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirrors")


@pytest.fixture(scope="module")
def situations_forecast(tmp_path_factory: pytest.TempPathFactory) -> Forecast:
    folder = tmp_path_factory.mktemp("situations")
    git = embedded.create(folder / "up.git")
    queue = storage.load(situations.write(git, folder / "queue"))
    before = git.out("count-objects", "-v")
    result = forecast(queue, git, RELEASES)
    assert git.out("count-objects", "-v") == before
    return result


@pytest.mark.parametrize("release", RELEASES)
def test_every_breaking_commit_of_the_situations_is_the_true_one(
    situations_forecast: Forecast, release: str
) -> None:
    (column,) = (item for item in situations_forecast.columns if item.ref == release)
    breaking = {
        subject: fate.breaking and fate.breaking.commit.subject
        for (_, subject), fate in zip(situations_forecast.patches, column.cells, strict=True)
    }
    expected = {
        item.subject: item.onto[release].because[0]
        if item.onto[release].status is Truth.CONFLICT
        else None
        for item in situations.SITUATIONS
    }
    assert breaking == expected
    assert not column.ok


def test_what_breaks_patches_on_several_revisions_is_named_once(
    situations_forecast: Forecast,
) -> None:
    blamed = [blame.breaking.commit.subject for blame in situations_forecast.breaking_commits]
    assert len(blamed) == len(set(blamed))
    (moved,) = (
        b
        for b in situations_forecast.breaking_commits
        if b.breaking.commit.subject.startswith("Move the delegat")
    )
    assert [patch.refs for patch in moved.patches] == [RELEASES, RELEASES]


def test_what_two_revisions_share_of_the_way_is_tried_once(tmp_path: Path) -> None:
    git = embedded.create(tmp_path / "up.git")
    queue = storage.load(situations.write(git, tmp_path / "queue"))
    tip = git.line("rev-parse", "v2.18.0")
    assert (
        forecast(queue, git, ["v2.18.0", tip]).replays == forecast(queue, git, ["v2.18.0"]).replays
    )


def test_the_document_and_page_of_the_demo_tell_its_truth(tmp_path: Path, cache: Path) -> None:
    argv = ["patches.forecast", "--queue", str(DEMO), "--latest", "--json"]
    more = ["--cache", str(cache), "--html", str(tmp_path / "page.html")]
    done = command_line.run(*argv, *more, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    documents.check(document)
    assert [revision["ref"] for revision in document["revisions"]] == list(RELEASES)
    for patch in document["patches"]:
        for release, fate in zip(RELEASES, patch["fates"], strict=True):
            truth = situations.DEMO[patch["name"]][release]
            breaking = fate["breaking"] and fate["breaking"]["commit"]["subject"]
            expected = truth.because[0] if truth.status is Truth.CONFLICT else None
            assert breaking == expected, (patch["name"], release)
            if truth.status is Truth.IDENTICAL:
                assert [commit["subject"] for commit in fate["upstream"]] == list(truth.because)
            if truth.status is Truth.CLEAN_AFTER:
                assert len(fate["clean_after"]) == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(patch["subject"] in page for patch in document["patches"])


def _run(onto: str, latest: str | None, cache: Path) -> Forecast:
    return run(forecast_request(str(DEMO), onto, latest, str(cache)))


def test_people_get_the_matrix_and_the_breaking_commits(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = _run("v2.18.0", None, cache)
    print_parts(forecast_view.as_lines(result))
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    name = "00500-place-ops-on-the-device-mlc-where-it-has-a-kernel.patch"
    assert f"{name}         conflict" in "\n".join(lines)
    assert f"  breaks {name} on v2.18.0" in lines
    assert "3 of 8 patches are clean on all of them" in lines


@pytest.mark.parametrize(
    ("onto", "latest", "refs"),
    [
        ("", None, ["v2.17.0", "v2.18.0"]),
        ("", "1", ["v2.18.0"]),
        ("main, v2.18.0,", "1", ["v2.18.0", "main"]),
    ],
)
def test_revisions_are_named_or_the_newest_and_each_comes_once(
    cache: Path, onto: str, latest: str | None, refs: list[str]
) -> None:
    result = _run(onto, latest, cache)
    assert [column.ref for column in result.columns] == refs


@pytest.mark.parametrize(("onto", "latest"), [("v9", None), ("", "0"), ("", "-1"), ("", "all")])
def test_what_names_no_revision_is_refused(cache: Path, onto: str, latest: str | None) -> None:
    with pytest.raises(UsageError):
        _run(onto, latest, cache)


def _file(*rows: str) -> Files:
    return {"f": (repositories.FILE, "".join(f"{row}\n" for row in rows).encode())}


def _forecast(made: repositories.Made, base: str) -> tuple[Forecaster, PatchForecast]:
    """Return what becomes of the only patch."""
    patches = commits_of(made.git, f"{base}..queue")
    with open_quarantine(made.git) as quarantine:
        forecaster = Forecaster(quarantine, QueueBase("", "base", base), patches, Decisions())
        (column,) = forecaster.columns({"upstream": made.onto})
    (fate,) = column.cells
    return forecaster, fate


def _words(fate: PatchForecast) -> tuple[str, ...]:
    """Return a patch's status, how it breaks, by which commit."""
    assert fate.breaking is not None
    return fate.status.value, fate.breaking.kind.value, fate.breaking.commit.subject


def test_of_a_patch_that_breaks_heals_and_breaks_again_each_commit_is_told(tmp_path: Path) -> None:
    base, patched = _file("a", "b", "c"), _file("a", "B", "c")
    other, last = _file("a", "x", "c"), _file("a", "y", "c")
    upstream = (other, base, base | {"g": base["f"]}, last, last | {"g": base["f"]})
    made = repositories.make(repositories.Case(base, upstream, (patched,)), tmp_path / "r")
    forecaster, fate = _forecast(made, made.base)
    assert _words(fate) == (Status.CONFLICT.value, BreakKind.PRESENT.value, "upstream 4")
    earlier = [(turn.heals, turn.kind, turn.commit.subject) for turn in fate.earlier]
    assert earlier == [
        (False, BreakKind.PRESENT, "upstream 1"),
        (True, BreakKind.PRESENT, "upstream 2"),
    ]
    assert fate.all_tried
    assert forecaster.replays == 4  # not on the commit that touches another file alone


def test_a_patch_that_needs_what_only_its_bases_branch_has_names_that_commit(
    tmp_path: Path,
) -> None:
    """The queue is on a release branch; its first commit there is the branch's own."""
    root, own = _file("a", "b", "c"), _file("a", "fixed", "c")
    patched = _file("a", "fixed better", "c")
    ahead = root | {"g": root["f"]}
    case = repositories.Case(root, (ahead, ahead | {"h": root["f"]}), (own, patched))
    made = repositories.make(case, tmp_path / "r")
    _, fate = _forecast(made, made.patches[0])
    assert _words(fate) == (Status.CONFLICT.value, BreakKind.MISSING.value, "queue 1")
