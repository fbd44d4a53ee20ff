"""What stands on a terminal while the three long tasks work, at their end, and after Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests import terminals
from tests.package_index import package_index
from tests.projects import ROOT, Project
from tests.wheel_shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.machos import Toolchain
    from tests.terminals import Seen

PROGRAM = [sys.executable, "-m", "tensorflow_macos_build"]
CONFLICTING = "00500-place-ops-on-the-device-mlc-where-it-has-a-kernel.patch"


def environment() -> dict[str, str]:
    """Return the variables of a test, with its own home, and where the package is."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def project(built_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that is built, and may be changed."""
    return built_project.copy(tmp_path_factory.mktemp("transcripts") / "project")


def check(seen: Seen) -> None:
    """Hold what is true of every task: one live line below all others, and none left over."""
    assert seen.torn_frames == []
    assert seen.is_cursor_shown
    assert not [line for line in seen.lines if "\u2800" <= line[:1] <= "\u28ff"]


def test_a_build_has_a_line_a_stage_and_ends_with_the_wheel_and_the_next_step(
    project: Project,
) -> None:
    argv = project.argv("--force", "verify")
    seen = terminals.watch(argv, cwd=project.folder, env=environment(), columns=50)
    check(seen)
    assert seen.status == 0
    lines = seen.text.splitlines()
    for stage in ("source", "build:arm64", "fuse", "verify", "smoke", "dist"):
        assert len([line for line in lines if line.split()[:1] == [stage]]) == 1
    wheel = f"dist/demo/{project.wheel().name}"
    assert wheel in lines
    assert "report: dist/demo/report.html" in lines
    assert lines[-1].endswith(f"scripts/inv smoke {wheel}")


def test_a_rebase_with_a_conflict_cuts_no_name_and_counts_at_its_end(project: Project) -> None:
    argv = [*PROGRAM, "rebase", "--queue", "demo", "--onto", "v2.18.0", "--audit", "never"]
    seen = terminals.watch(argv, cwd=project.folder, env=environment(), columns=50)
    check(seen)
    assert seen.status == 1
    lines = seen.text.splitlines()
    assert [line for line in lines if line.split()[:1] == [CONFLICTING]]
    assert [line for line in lines if line.startswith("8 patches: 3 clean, 2 adapted, 1 upstream")]
    assert lines[-1].endswith("rebase.start --queue demo --onto v2.18.0")


@contextlib.contextmanager
def wheelhouse(toolchain: Toolchain, folder: Path) -> Iterator[list[str]]:
    """Yield the command of a wheelhouse of two packages, from an index on this machine."""
    (folder / "index").mkdir()
    shop = Shop(folder / "index", toolchain)
    shop.pair("a_package_with_a_name_that_fills_a_narrow_terminal_alone", "1.0")
    shop.pure("noise", "2.0", size=1 << 21)
    requirements = "a-package-with-a-name-that-fills-a-narrow-terminal-alone==1.0"
    with package_index(shop.folder) as index:
        out = ["--out", str(folder / "wheels"), "--cache", str(folder / "cache")]
        yield [*PROGRAM, "wheelhouse", requirements, "--index", index.url, *out]


def test_a_wheelhouse_shows_its_passes_on_one_line_and_its_wheels_whole(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    with wheelhouse(toolchain, tmp_path) as argv:
        seen = terminals.watch(argv, cwd=tmp_path, env=environment(), columns=60)
    check(seen)
    assert seen.status == 0, seen.text
    (made,) = (tmp_path / "wheels").glob("a_package*.whl")
    assert [line for line in seen.text.splitlines() if line.split()[:1] == [made.name]]
    assert b"1/4 resolving" in seen.raw


AT_WORK: dict[str, Callable[[str], bool]] = {
    "the plan is made": lambda screen: "stages are up to date" in screen,
    "upstream is opened": lambda screen: "opening embedded:" in screen,
    # from its first frame on: its few checks here are soon over
    "the wheel is tried": lambda screen: " smoke ━" in screen,
}


@pytest.mark.parametrize("moment", AT_WORK)
def test_control_c_ends_a_build_in_a_sentence_at_any_moment(project: Project, moment: str) -> None:
    argv = project.argv("--force", "source", "--force", "patch", "--force", "smoke")
    seen = terminals.watch(
        argv, cwd=project.folder, env=environment(), columns=80, press_at=AT_WORK[moment]
    )
    check(seen)
    assert seen.status == 130
    assert "error: interrupted" in seen.text
    assert "hint: run the same command again to go on" in seen.text
    assert "Traceback" not in seen.text
