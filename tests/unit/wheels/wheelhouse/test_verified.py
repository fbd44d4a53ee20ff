"""What the verification said of a wheel is remembered for that wheel under that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.wheels.verify import Code
from tensorflow_macos_build.wheels.wheelhouse.verified import errors_of
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_bytes_under_another_name_are_verified_again(tmp_path: Path) -> None:
    """An index may offer one wheel under two names, of which WHEEL contradicts one."""
    wheel = Thin("arm64", {"demo.py": b"pass\n"}, platform="macosx_13_0_arm64").write(tmp_path)
    digest, cache = files.sha256(wheel), tmp_path / "cache"
    assert errors_of(wheel, digest, (), cache) == ()
    renamed = wheel.rename(tmp_path / wheel.name.replace("_13_0_", "_14_0_"))
    (error,) = errors_of(renamed, digest, (), cache)
    assert error.code == Code.WHEEL_TAGS.slug
