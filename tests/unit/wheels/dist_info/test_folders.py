"""The folders that bear the wheel's name, and the name itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from tensorflow_macos_build.wheels.dist_info import folders, tags
from tensorflow_macos_build.wheels.verify import Code, Severity, verify
from tests.named_wheels import wheel_of

if TYPE_CHECKING:
    from pathlib import Path


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
    assert [finding.code for finding in verify(wheel).findings] == [Code.FILENAME]


def test_two_files_that_are_installed_at_one_path_are_warned_of(tmp_path: Path) -> None:
    data = "my_pkg-1.0.data/purelib/demo.py"
    wheel = wheel_of(tmp_path, "my_pkg-1.0", "my_pkg-1.0.dist-info", data=data)
    (finding,) = (entry for entry in verify(wheel).findings if entry.code is Code.DATA_FOLDER)
    assert finding.severity is Severity.WARNING
    assert {finding.file, "demo.py"} == {data, finding.message.rpartition(" ")[2]}


def test_a_version_may_be_spelled_in_several_ways() -> None:
    name = tags.parse_name("my_pkg-1.0.post1-py3-none-any.whl")
    for folder in ("my_pkg-1.0.post1", "My.Pkg-1.0_1", "my_pkg-1.post1"):
        assert folders.fault(f"{folder}.dist-info", name) is None
