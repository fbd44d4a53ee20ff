"""The folders that bear the wheel's name: what is taken for right, pip and uv install."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tensorflow_macos_build.wheels.verify import Code, Severity, verify
from tests.installers import Pip, uv_installs
from tests.named_wheels import wheel_of

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = "cp311-cp311-macosx_12_0_arm64"


def drawn(number: int) -> list[tuple[str, str]]:
    """Draw names of wheels and of dist-info folders that mean the same, more or less."""
    choice = random.Random(7)
    projects = ["my_pkg", "My.Pkg", "my-pkg", "mypkg", "my_pkg_", "x", "my__pkg", "a-b_c"]
    versions = ["1.0", "1", "1.0.0", "1.0-1", "1.0.post1", "1.0_1", "1.0+a_b", "1.0+a.b", "v1.0"]
    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < number:
        project, version = choice.choice(projects), choice.choice(versions)
        other = choice.choice(
            [project, *(spelling for spelling in projects if choice.random() < 0.3)]
        )
        name = f"{project.replace('-', '_')}-{version.replace('-', '_')}"
        pairs[name, f"{other}-{choice.choice([version, *versions[:3]])}.dist-info"] = None
    return list(pairs)


def test_what_is_taken_for_right_pip_and_uv_install(tmp_path: Path, pip: Pip) -> None:
    right, wrong = [], 0
    for number, (name, info) in enumerate(drawn(110)):
        folder = tmp_path / str(number)
        folder.mkdir()
        wheel = wheel_of(folder, name, info)
        if verify(wheel).ok:
            right.append(wheel)
        else:
            wrong += 1
    assert len(right) > 15
    assert wrong > 15
    for wheel in right[:8]:
        assert pip.installs(wheel, wheel.parent / "pip")
        assert uv_installs(wheel, wheel.parent / "uv"), wheel.name


def test_a_folder_that_pip_cannot_read_is_refused_by_every_reader(tmp_path: Path, pip: Pip) -> None:
    infos = ["my-pkg-1.0", "my-pkg-1.0.0", "my_pkg_1.0", "my_pkg"]
    pure = []
    for info in infos:
        folder = tmp_path / info
        folder.mkdir()
        pure.append(wheel_of(folder, "my_pkg-1.0", f"{info}.dist-info"))
        wheel = wheel_of(folder, "my_pkg-1.0", f"{info}.dist-info", PLATFORM)
        assert Code.DIST_INFO in {finding.code for finding in verify(wheel).findings}
        with pytest.raises(BrokenWheel, match="dist-info"), open_wheel(wheel):
            pass
    # pip takes the last two: it looks for no version there, which the specification wants.
    assert [pip.installs(wheel, wheel.parent / "pip") for wheel in pure] == [
        False,
        False,
        True,
        True,
    ]


def test_what_pip_refuses_in_a_data_folder_is_an_error(tmp_path: Path, pip: Pip) -> None:
    expected = {
        "my_pkg-1.0.data/purelib/x.py": [],
        "my_pkg-1.0.data/platlib/x.py": [],
        "My_Pkg-1.0.data/purelib/x.py": [Severity.WARNING],
        "my_pkg-1.0.data/other/x.py": [Severity.ERROR],
        "my_pkg-1.0.data/x.py": [Severity.ERROR],
    }
    wheels = []
    for number, (data, severities) in enumerate(expected.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        wheels.append(wheel_of(folder, "my_pkg-1.0", "my_pkg-1.0.dist-info", data=data))
        verification = verify(wheels[-1]).findings
        assert [
            finding.severity for finding in verification if finding.code is Code.DATA_FOLDER
        ] == severities
    assert [pip.installs(wheel, wheel.parent / "pip") for wheel in wheels] == [
        Severity.ERROR not in severities for severities in expected.values()
    ]


def test_a_folder_of_scripts_is_an_error_as_uv_refuses_it(tmp_path: Path) -> None:
    data = "my_pkg-1.0.data/scripts/tool/main"
    wheel = wheel_of(tmp_path, "my_pkg-1.0", "my_pkg-1.0.dist-info", data=data)
    (finding,) = (entry for entry in verify(wheel).findings if entry.code is Code.DATA_FOLDER)
    assert (finding.severity, finding.file) == (Severity.ERROR, data.rpartition("/")[0])
    assert not uv_installs(wheel, tmp_path / "uv")


ABOUT = b"Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"
ABOUTS = {
    "folded": (ABOUT.replace(b"Name: ", b"Name:\n "), False),
    "crlf": (ABOUT.replace(b"\n", b"\r\n"), True),
    "utf-8": (ABOUT + b"\nna\xc3\xafve\n", True),
    "latin-1-description": (ABOUT + b"\nna\xefve\n", False),
    "latin-1-summary": (ABOUT + b"Summary: na\xefve\n", False),
    "half-a-letter": (ABOUT + b"\nna\xc3", False),
    "mark": (b"\xef\xbb\xbf" + ABOUT, False),
    "empty-line-first": (b"\n" + ABOUT, False),
}
"""METADATA files, and whether pip installs their wheel."""


def is_taken(wheel: Path) -> bool:
    """Whether what makes wheels of a wheel takes it."""
    try:
        with open_wheel(wheel, any_platform=True):
            return True
    except BrokenWheel:
        return False


def test_metadata_that_pip_cannot_read_is_an_error_and_never_taken(
    tmp_path: Path, pip: Pip
) -> None:
    wheels = []
    for kind, (about, is_right) in ABOUTS.items():
        folder = tmp_path / kind
        folder.mkdir()
        wheels.append(wheel_of(folder, "my_pkg-1.0", "my_pkg-1.0.dist-info", about=about))
        assert verify(wheels[-1]).ok is is_right, kind
        assert is_taken(wheels[-1]) is is_right, kind
    assert [pip.installs(wheel, wheel.parent / "pip") for wheel in wheels] == [
        is_right for _, is_right in ABOUTS.values()
    ]


@pytest.mark.parametrize(
    ("about", "is_right"),
    [
        (ABOUT.replace(b"my-pkg", b"other"), False),
        (ABOUT.replace(b": 1.0", b": 1.1"), False),
        (ABOUT.replace(b"my-pkg", b"My.Pkg").replace(b": 1.0", b": 1.0.0"), True),
    ],
)
def test_metadata_of_another_wheel_is_refused_as_uv_refuses_it(
    about: bytes, is_right: bool, tmp_path: Path
) -> None:
    """pip refuses it from an index only, where it looks for the name."""
    wheel = wheel_of(tmp_path, "my_pkg-1.0", "my_pkg-1.0.dist-info", about=about)
    assert verify(wheel).ok is is_right
    assert is_taken(wheel) is is_right
    assert uv_installs(wheel, tmp_path / "uv") is is_right
