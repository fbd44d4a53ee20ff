"""The folders that bear the wheel's name: what is taken for right, pip and uv install."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import folders, tags
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tensorflow_macos_build.wheels.verify import Code, Severity, verify
from tests.wheel_files import record_of

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = "cp311-cp311-macosx_12_0_arm64"
PIP = """
import sys
from pip._internal.cli.main import main
for number, wheel in enumerate(sys.argv[2:]):
    target = f"{sys.argv[1]}/{number}"
    code = main(["install", "-qqq", "--isolated", "--no-index", "--no-deps", "--no-compile",
                 "--disable-pip-version-check", "--target", target, wheel])
    print("code", code)
"""
"""Installs wheels one after another in one process, which takes a tenth of a process each."""


def pip_installs(wheels: list[Path], folder: Path) -> list[bool]:
    """Return whether pip installs each of the wheels."""
    argv = [sys.executable, "-c", PIP, str(folder / "pip"), *map(str, wheels)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return [line == "code 0" for line in done.stdout.splitlines() if line.startswith("code ")]


def wheel_of(
    folder: Path,
    name: str,
    info: str,
    tag: str = "py3-none-any",
    *,
    data: str = "",
    about: bytes = b"",
) -> Path:
    project, version = name.split("-")[:2]
    made = {"demo.py": b"", **({data: b""} if data else {})}
    usual = f"Metadata-Version: 2.1\nName: {canonicalize_name(project)}\nVersion: {version}\n"
    made[f"{info}/METADATA"] = about or usual.encode()
    made[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    made[f"{info}/RECORD"] = record_of(made, info)
    path = folder / f"{name}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in made.items():
            archive.writestr(member, content)
    return path


def drawn(number: int) -> list[tuple[str, str]]:
    """Draw names of wheels and of dist-info folders that mean the same, more or less."""
    choice = random.Random(7)
    projects = ["my_pkg", "My.Pkg", "my-pkg", "mypkg", "my_pkg_", "x", "my__pkg", "a-b_c"]
    versions = ["1.0", "1", "1.0.0", "1.0-1", "1.0.post1", "1.0_1", "1.0+a_b", "1.0+a.b", "v1.0"]
    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < number:
        project, version = choice.choice(projects), choice.choice(versions)
        other = choice.choice([project, *(one for one in projects if choice.random() < 0.3)])
        name = f"{project.replace('-', '_')}-{version.replace('-', '_')}"
        pairs[name, f"{other}-{choice.choice([version, *versions[:3]])}.dist-info"] = None
    return list(pairs)


def test_what_is_taken_for_right_pip_and_uv_install(tmp_path: Path) -> None:
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
    tried = right[:8]
    assert all(pip_installs(tried, tmp_path))
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-cache", "--no-config"]
    for number, wheel in enumerate(tried):
        target = ("--target", str(tmp_path / f"uv{number}"))
        argv = [*uv, "--no-index", "--no-deps", *target, str(wheel)]
        assert subprocess.run(argv, check=False).returncode == 0, wheel.name


def test_a_folder_that_pip_cannot_read_is_refused_by_every_reader(tmp_path: Path) -> None:
    infos = ["my-pkg-1.0", "my-pkg-1.0.0", "my_pkg_1.0", "my_pkg"]
    pure = []
    for info in infos:
        folder = tmp_path / info
        folder.mkdir()
        pure.append(wheel_of(folder, "my_pkg-1.0", f"{info}.dist-info"))
        wheel = wheel_of(folder, "my_pkg-1.0", f"{info}.dist-info", PLATFORM)
        assert Code.DIST_INFO in {one.code for one in verify(wheel).findings}
        with pytest.raises(BrokenWheel, match="dist-info"), open_wheel(wheel):
            pass
    # pip takes the last one: it looks for no version there, which the specification wants.
    assert pip_installs(pure, tmp_path) == [False, False, False, True]


@pytest.mark.parametrize(
    "name",
    ["a-1.0-py3-none-any.whl", "a-1_0-py3-none-any.whl", "a__b-1-py3-none-any.whl",
     "a-1-x-py3-none-any.whl", "a-1-1x-py3-none-any.whl", "-1-py3-none-any.whl",
     "a-1-py3..py2-none-any.whl", "a-1-py3-none-any.zip", "a-1-2-3-py3-none-any.whl"],
)  # fmt: skip
def test_a_file_name_is_one_just_when_packaging_says_so(name: str) -> None:
    try:
        parse_wheel_filename(name)
        named = True
    except InvalidWheelFilename:
        named = False
    try:
        assert tags.parse_name(name).expanded == parse_wheel_filename(name)[3]
        assert named
    except tags.BadName:
        assert not named


@pytest.mark.parametrize("name", ["a_-1.0", "_a-1.0", "a.-1.0", ".a-1.0"])
def test_a_project_s_name_begins_and_ends_with_a_letter_or_a_digit(
    tmp_path: Path, name: str
) -> None:
    wheel = wheel_of(tmp_path, name, f"{name}.dist-info")
    assert [one.code for one in verify(wheel).findings] == [Code.FILENAME]


def test_what_pip_refuses_in_a_data_folder_is_an_error(tmp_path: Path) -> None:
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
        assert [one.severity for one in verification if one.code is Code.DATA_FOLDER] == severities
    assert pip_installs(wheels, tmp_path) == [
        Severity.ERROR not in severities for severities in expected.values()
    ]


def uv_installs(wheel: Path, folder: Path) -> bool:
    argv = [
        *(sys.executable, "-m", "uv", "pip", "install", "-q", "--no-cache", "--no-config"),
        *("--no-index", "--no-deps", "--target", str(folder / "uv"), str(wheel)),
    ]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def test_a_folder_of_scripts_is_an_error_as_uv_refuses_it(tmp_path: Path) -> None:
    data = "my_pkg-1.0.data/scripts/tool/main"
    wheel = wheel_of(tmp_path, "my_pkg-1.0", "my_pkg-1.0.dist-info", data=data)
    (finding,) = (one for one in verify(wheel).findings if one.code is Code.DATA_FOLDER)
    assert (finding.severity, finding.file) == (Severity.ERROR, data.rpartition("/")[0])
    assert not uv_installs(wheel, tmp_path)


def test_two_files_that_are_installed_at_one_path_are_warned_of(tmp_path: Path) -> None:
    data = "my_pkg-1.0.data/purelib/demo.py"
    wheel = wheel_of(tmp_path, "my_pkg-1.0", "my_pkg-1.0.dist-info", data=data)
    (finding,) = (one for one in verify(wheel).findings if one.code is Code.DATA_FOLDER)
    assert finding.severity is Severity.WARNING
    assert {finding.file, "demo.py"} == {data, finding.message.rpartition(" ")[2]}


ABOUT = b"Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"
ABOUTS = {
    "folded": (ABOUT.replace(b"Name: ", b"Name:\n "), True),
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


def test_metadata_that_pip_cannot_read_is_an_error_and_never_taken(tmp_path: Path) -> None:
    wheels = []
    for kind, (about, is_right) in ABOUTS.items():
        folder = tmp_path / kind
        folder.mkdir()
        wheels.append(wheel_of(folder, "my_pkg-1.0", "my_pkg-1.0.dist-info", about=about))
        assert verify(wheels[-1]).ok is is_right, kind
        assert is_taken(wheels[-1]) is is_right, kind
    assert pip_installs(wheels, tmp_path) == [is_right for _, is_right in ABOUTS.values()]


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
    assert uv_installs(wheel, tmp_path) is is_right


def test_a_version_may_be_spelled_in_several_ways() -> None:
    name = tags.parse_name("my_pkg-1.0.post1-py3-none-any.whl")
    for folder in ("my_pkg-1.0.post1", "My.Pkg-1.0_1", "my_pkg-1.post1"):
        assert folders.fault(f"{folder}.dist-info", name) is None
