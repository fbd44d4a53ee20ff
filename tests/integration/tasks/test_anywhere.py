"""The tasks from a folder outside of the checkout: paths count from there, and hints hold there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import command_line
from tests.wheelmaker import Thin

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Desk:
    """A person's folder, and a checkout elsewhere whose program is called by a link.

    Attributes:
        here: the folder that the person is in.
        checkout: the checkout, with configs and patches alone.
    """

    here: Path
    checkout: Path

    @property
    def program(self) -> str:
        return str(self.here.parent / "my bin/inv")

    def inv(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the program as scripts/inv starts it."""
        env = {**os.environ, "INV_CHECKOUT": str(self.checkout), "INV_PROGRAM": self.program}
        ended = command_line.run(*words, cwd=self.here, env=env, anew=True)
        assert "Traceback" not in ended.stderr
        return ended

    def typed(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line that was printed."""
        program, *words = shlex.split(line)
        assert program == self.program
        return self.inv(*words)

    def made(self) -> set[str]:
        """Return what lies in the person's folder."""
        return {path.name for path in self.here.iterdir()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    here, checkout = tmp_path / "my work", tmp_path / "check out"
    here.mkdir()
    for part in ("build_configs", "patches"):
        shutil.copytree(ROOT / part, checkout / part)
    return Desk(here, checkout)


def test_wheels_and_folders_count_from_the_callers_folder(desk: Desk) -> None:
    files = {"demo/__init__.py": b"", "demo/size.h": b"int a;"}
    first, second = (Thin(arch, files).write(desk.here).name for arch in ("arm64", "x86_64"))
    fused = desk.inv("fuse", first, second, "--out", "out")
    assert fused.returncode == 0, fused.stderr
    wheel = fused.stdout.splitlines()[0]
    assert (desk.here / wheel).parent == desk.here / "out"
    assert desk.inv("verify", wheel).returncode == 0
    assert desk.inv("thin", f"./{wheel}", "--arch", "arm64", "--out", "thin").returncode == 0
    assert desk.inv("retag", wheel, "--build-tag", "7", "--out", "../my work/re").returncode == 0
    assert desk.made() == {first, second, "out", "re", "thin"}
    assert {path.name for path in desk.checkout.iterdir()} == {"build_configs", "patches"}


def test_without_a_flag_a_result_goes_to_the_checkout_and_its_path_is_whole(desk: Desk) -> None:
    files = {"demo/__init__.py": b""}
    first, second = (Thin(arch, files).write(desk.here).name for arch in ("arm64", "x86_64"))
    fused = desk.inv("fuse", first, second)
    assert Path(fused.stdout.splitlines()[0]).parent == desk.checkout / "dist"
    assert desk.made() == {first, second}


def test_configs_are_names_in_the_checkout_or_paths_from_here(desk: Desk) -> None:
    shutil.copytree(desk.checkout / "build_configs", desk.here / "own")
    assert desk.inv("config.show", "demo").returncode == 0
    assert desk.inv("config.show", "own/demo.yaml").returncode == 0
    (desk.here / "demo.yaml").write_text("wrong: yes\n")
    assert desk.inv("config.show", "demo").returncode == 0
    assert desk.inv("config.show", "demo.yaml").returncode == 2


def test_a_queue_is_a_name_in_the_checkout_or_a_path_from_here(desk: Desk) -> None:
    shutil.copytree(desk.checkout / "patches/demo", desk.here / "my queue")
    named = desk.inv("rebase", "--queue", "demo", "--onto", "v2.17.0")
    assert named.returncode == 0, named.stderr
    assert (desk.checkout / "build/mirrors").is_dir()
    pathed = desk.inv("rebase", "--queue", "./my queue", "--onto", "v2.17.0", "--cache", "cache")
    assert pathed.returncode == 0, pathed.stderr
    assert desk.made() == {"my queue", "cache"}
    before = (desk.here / "my queue/series").read_text()
    written = desk.typed(pathed.stdout.splitlines()[-1].partition("next: ")[2])
    assert written.returncode == 0, written.stderr
    assert (desk.here / "my queue/series").read_text() != before
    assert (desk.checkout / "patches/demo/series").read_text() == before


def test_the_steps_of_a_rebase_are_lines_that_can_be_typed(desk: Desk) -> None:
    conflict = desk.inv("rebase", "--queue", "demo", "--onto", "v2.18.0")
    assert conflict.returncode == 1
    begun = desk.typed(conflict.stdout.splitlines()[-1].partition("next: ")[2])
    assert begun.returncode == 1
    lines = [line for line in begun.stdout.splitlines() if line.startswith("  '")]
    commands = {shlex.split(line)[1]: line for line in lines}
    assert set(commands) == {"rebase.continue", "rebase.skip", "rebase.abort"}
    assert "markers left" in desk.typed(commands["rebase.continue"]).stderr
    assert desk.typed(commands["rebase.abort"]).returncode == 0
    again = desk.inv("rebase.continue", "--queue", "demo")
    assert again.returncode == 2
    assert desk.program in again.stderr


def test_an_upstream_named_from_here_is_found_from_everywhere(desk: Desk) -> None:
    fork = desk.here / "fork"
    git = ["git", "-C", str(fork), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", str(fork)], check=True)
    for number in range(2):
        (fork / "file").write_text(f"{number}\n")
        subprocess.run([*git, "add", "file"], check=True)
        subprocess.run([*git, "commit", "-qm", f"Change {number}"], check=True)
    flags = ("--queue", "own", "--upstream", "fork", "--range", "HEAD~1..HEAD")
    made = desk.inv("patches.import", *flags)
    assert made.returncode == 0, made.stderr
    elsewhere = Desk(desk.here.parent, desk.checkout)
    moved = elsewhere.inv("rebase", "--queue", "own", "--onto", "HEAD")
    assert moved.returncode == 0, moved.stderr


def test_results_are_on_stdout_in_whole_lines(desk: Desk) -> None:
    for title, *words in (
        ("doctor", "doctor"),
        ("lint", "patches.lint", "--queue", "demo"),
        ("forecast", "patches.forecast", "--queue", "demo", "--onto", "v2.18.0"),
        ("rebase", "rebase", "--queue", "demo", "--onto", "v2.18.0"),
        ("upstream", "upstream.status", "--queue", "demo"),
    ):
        ended = desk.inv(*words)
        assert ended.stdout, words
        assert command_line.messages(ended, title) == [], words
    names = [path.name for path in (desk.checkout / "patches/demo").glob("*.patch")]
    forecast = desk.inv("patches.forecast", "--queue", "demo", "--onto", "v2.18.0").stdout
    shown = [name for name in names if f"\n{name} " in forecast]
    assert len(shown) > 2
