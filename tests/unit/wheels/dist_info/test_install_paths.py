"""Where an installed file lies decides which package of site-packages it counts for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.dist_info import install_paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("member", "owner"),
    [
        ("pkg/sub/module.so", "pkg"),
        ("module.py", "module.py"),
        ("pkg-1.data/platlib/pkg/module.so", "pkg"),
        ("pkg-1.data/platlib/", None),
        ("pkg-1.data/scripts/tool", None),
        ("pkg-1.data/data/lib/python/site-packages/pkg/x", "pkg"),
    ],
)
def test_a_member_counts_for_the_top_of_site_packages(member: str, owner: str | None) -> None:
    assert install_paths.owner(install_paths.installed(member)) == owner


@pytest.mark.parametrize("path", ["lib/python/site-packages-2/x", "lib/python", "../x"])
def test_what_lies_elsewhere_has_no_owner(path: str) -> None:
    assert install_paths.owner(path) is None


def test_a_path_outside_of_the_environment_has_no_owner_wherever_this_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert install_paths.owner(str(tmp_path / install_paths.SITE_PACKAGES / "pkg" / "x")) is None
