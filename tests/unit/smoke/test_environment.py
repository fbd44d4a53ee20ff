"""The command lines that make an environment and start the program in it, pinned."""

from __future__ import annotations

from pathlib import Path

import pytest
import uv
from packaging.version import Version

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeTarget
from tensorflow_macos_build.smoke.environment import commands, pins_of
from tensorflow_macos_build.smoke.zygote import INSIDE, program_argv

ROSETTA = SmokeTarget("x86_64", ("arch", "-x86_64"))


def test_an_environment_for_rosetta_takes_the_wheels_of_that_processor(tmp_path: Path) -> None:
    wheel, plugin = tmp_path / "t-1-py3-none-any.whl", tmp_path / "p-1-py3-none-any.whl"
    limits = tmp_path / "limits.txt"
    for path in (wheel, plugin, limits):
        path.touch()
    request = EnvironmentRequest(wheel, "", plugin, tmp_path, limits)
    python, folder, pins = Path("/p/python3.11"), Path("/e"), Path("/e.pins")
    venv, install = commands(request, ROSETTA, python, folder, pins)
    own = uv.find_uv_bin()
    flags = "--no-config --quiet --no-python-downloads"
    assert " ".join(venv) == f"{own} venv {flags} --python /p/python3.11 /e"
    assert " ".join(install) == (
        f"{own} pip install {flags} --python /e/bin/python --compile-bytecode"
        f" --python-platform x86_64-apple-darwin --no-index --find-links {tmp_path}"
        f" --constraints /e.pins --constraints {limits} {wheel} {plugin}"
    )


def test_the_program_in_the_environment_is_isolated_and_started_by_arch() -> None:
    argv = program_argv(ROSETTA.prefix, Path("/e/bin/python"))
    assert argv == ["arch", "-x86_64", "/e/bin/python", "-I", "-X", "faulthandler", str(INSIDE)]


@pytest.mark.parametrize(
    ("release", "pins"),
    [
        ("2.4.4", ["protobuf<3.21", "numpy<2"]),
        ("2.11.1rc0", ["protobuf<3.21", "numpy<2"]),
        ("2.16.2", ["numpy<2"]),
        ("2.18.0", []),
    ],
)
def test_old_releases_are_held_to_what_they_were_made_with(release: str, pins: list[str]) -> None:
    assert list(pins_of(Version(release))) == pins


def test_a_requirement_that_leaves_its_release_open_has_no_pins() -> None:
    assert EnvironmentRequest(requirement="tensorflow-cpu>=2.4").release is None
    assert EnvironmentRequest(requirement="tensorflow-cpu==2.4.*").release is None
    assert str(EnvironmentRequest(requirement="tensorflow-cpu==2.4.4").release) == "2.4.4"


def test_what_is_not_there_or_no_requirement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such plugin's wheel"):
        EnvironmentRequest(requirement="a", plugin=tmp_path / "p.whl")
    with pytest.raises(UsageError, match="`a=1` is no requirement"):
        EnvironmentRequest(requirement="a=1")
