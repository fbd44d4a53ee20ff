"""What is installed for a user is put there once, replaces nothing, and goes without a trace."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import installation
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.installation import PlaceState
from tensorflow_macos_build.tasks import completion

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.installation import Placement

COMPLETIONS = {shell: completion.script(shell) for shell in completion.SHELLS}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "check out/scripts/inv"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\necho ran\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def wanted(script: Path, tmp_path: Path) -> tuple[Placement, ...]:
    return installation.placements(script, COMPLETIONS, {"HOME": str(tmp_path / "home")})


def _states(wanted: tuple[Placement, ...]) -> set[PlaceState]:
    return {item.state for item in wanted}


def test_it_is_installed_once_and_taken_away_again(
    wanted: tuple[Placement, ...], tmp_path: Path
) -> None:
    assert _states(wanted) == {PlaceState.MISSING}
    for _ in range(2):
        installation.install(wanted)
        assert _states(wanted) == {PlaceState.INSTALLED}
    home = tmp_path / "home"
    ran = subprocess.run([home / ".local/bin/inv"], check=True, capture_output=True)
    assert ran.stdout == b"ran\n"
    bash = home / ".local/share/bash-completion/completions/inv"
    assert bash.read_text() == COMPLETIONS["bash"]
    installation.uninstall(wanted)
    assert not [path for path in home.rglob("*") if not path.is_dir()]


def test_an_older_version_is_renewed_and_removed(wanted: tuple[Placement, ...]) -> None:
    installation.install(wanted)
    bash = wanted[1]
    bash.path.write_text("# Completion of scripts/inv for bash, long ago\n")
    assert bash.state is PlaceState.OUTDATED
    installation.install(wanted)
    assert bash.path.read_text() == bash.text


@pytest.mark.parametrize("number", range(4))
def test_what_is_anothers_is_kept_and_nothing_is_done(
    wanted: tuple[Placement, ...], number: int
) -> None:
    path = wanted[number].path
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(UsageError, match="something else stands there") as raised:
        installation.install(wanted)
    assert raised.value.where == str(path)
    installation.uninstall(wanted)
    assert path.read_text() == "mine"
    assert _states(wanted) == {PlaceState.FOREIGN, PlaceState.MISSING}


def test_another_checkouts_link_is_kept(wanted: tuple[Placement, ...], tmp_path: Path) -> None:
    link = wanted[0].path
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere/inv")
    assert wanted[0].state is PlaceState.FOREIGN
    installation.uninstall(wanted)
    assert link.is_symlink()


def test_folders_of_the_xdg_specification_are_used(script: Path, tmp_path: Path) -> None:
    variables = {"HOME": "/home/me", "XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c"}
    wanted = installation.placements(script, COMPLETIONS, variables)
    assert {str(item.path) for item in wanted} == {
        "/home/me/.local/bin/inv",
        "/d/bash-completion/completions/inv",
        "/d/zsh/site-functions/_inv",
        "/c/fish/completions/inv.fish",
    }
    with pytest.raises(UsageError, match="HOME"):
        installation.placements(script, COMPLETIONS, {})


def test_a_folder_that_is_not_on_path_is_told(wanted: tuple[Placement, ...]) -> None:
    folder = str(wanted[0].path.parent)
    assert installation.advice(wanted, "/bin")[0] == f'export PATH="{folder}:$PATH"'
    assert not any("PATH=" in line for line in installation.advice(wanted, f"/bin:{folder}"))
