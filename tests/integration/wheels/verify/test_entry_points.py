"""Entry points that pip or uv refuses are an error, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.verify import Code, verify
from tests.installers import Pip, uv_installs
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

PATH = "tiny-1.0.dist-info/entry_points.txt"
SCRIPTS = b"[console_scripts]\n"

RIGHT = {
    "plain": SCRIPTS + b"x = a:b\n",
    "attribute-of-attribute": SCRIPTS + b"x = a.b:c.d\n",
    "extras": SCRIPTS + b"x = a:b [c]\n",
    "two-cases": SCRIPTS + b"x = a:b\nX = a:c\n",
    "comments": b"; one\n# two\n" + SCRIPTS + b"x = a:b\n",
    "line-ends": SCRIPTS.replace(b"\n", b"\r\n") + b"x = a:b\r\n",
    "other-group": b"[of.others]\nx = anything at all\ny =\n",
    "empty": b"",
}
REFUSED = {
    "no-callable": SCRIPTS + b"x = a\n",
    "no-callable-for-windows": b"[gui_scripts]\nx = a\n",
    "no-value": SCRIPTS + b"x\n",
    "colon": SCRIPTS + b"x : a:b\n",
    "spaces": SCRIPTS + b"x = a : b\n",
    "hyphen": SCRIPTS + b"x = a-b:c\n",
    "comment-behind": SCRIPTS + b"x = a:b # c\n",
    "twice": SCRIPTS + b"x = a:b\nx = a:c\n",
    "section-twice": SCRIPTS + b"x = a:b\n" + SCRIPTS,
    "no-section": b"x = a:b\n",
    "default": b"[DEFAULT]\nx = a\n" + SCRIPTS + b"y = a:b\n",
    "outside": SCRIPTS + b"../../x = a:b\n",
    "mark": b"\xef\xbb\xbf" + SCRIPTS,
    "latin-1": SCRIPTS + b"# na\xefve\n",
}


def wheel_of(folder: Path, text: bytes) -> Path:
    folder.mkdir()
    return WheelFiles({"a.py": b"", PATH: text}, tag="py3-none-any").write(folder)


def test_what_pip_and_uv_take_has_no_finding(tmp_path: Path, pip: Pip) -> None:
    wheels = [wheel_of(tmp_path / kind, text) for kind, text in RIGHT.items()]
    for wheel in wheels:
        assert Code.ENTRY_POINTS not in {finding.code for finding in verify(wheel).findings}
        assert uv_installs(wheel, wheel.parent / "uv")
        assert pip.installs(wheel, wheel.parent / "pip")


def test_what_pip_or_uv_refuses_is_an_error(tmp_path: Path, pip: Pip) -> None:
    wheels = [wheel_of(tmp_path / kind, text) for kind, text in REFUSED.items()]
    for wheel in wheels:
        findings = [
            finding for finding in verify(wheel).findings if finding.code is Code.ENTRY_POINTS
        ]
        assert {finding.file for finding in findings} == {PATH}
        is_taken = pip.installs(wheel, wheel.parent / "pip")
        assert not (is_taken and uv_installs(wheel, wheel.parent / "uv")), wheel.parent.name


@pytest.mark.parametrize("size", [1 << 18, 1 << 22])
def test_an_endless_file_is_refused_in_one_sentence(tmp_path: Path, size: int) -> None:
    wheel = wheel_of(tmp_path / "made", b"a\n" * (size // 2))
    (finding,) = (item for item in verify(wheel).findings if item.code is Code.ENTRY_POINTS)
    assert len(finding.message) < 200
