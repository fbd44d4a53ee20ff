"""What a fused wheel would hold twice is refused, with a rule that settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided, fuse
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tests.wheelmaker import Thin, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.fuse.verdicts import UndecidedPath

INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"

INSTALLED_TWICE = {
    "root-and-scheme": ("pkg/a.py", f"{DATA}/purelib/pkg/a.py"),
    "two-schemes": (f"{DATA}/platlib/pkg/a.py", f"{DATA}/purelib/pkg/A.py"),
    "file-and-folder": ("pkg", f"{DATA}/platlib/pkg/a.py"),
    "scripts-and-bin": (f"{DATA}/scripts/tool", f"{DATA}/data/bin/tool"),
}
"""Names that the arm64 and the x86_64 wheel may have each alone, for one path when installed."""


def refused(folder: Path, pair: tuple[Thin, Thin]) -> UndecidedPath:
    with pytest.raises(Undecided) as error:
        fused(folder, pair)
    (fault,) = error.value.paths
    return fault


def fused(folder: Path, pair: tuple[Thin, Thin], *rules: str) -> dict[str, bytes]:
    """Return the content of the fused wheel."""
    options = FuseOptions(rules=[parse_rule(rule) for rule in rules])
    first, second = (half.write(folder) for half in pair)
    return unpacked(fuse(first, second, folder / "out", options).wheel)


@pytest.mark.parametrize("kind", INSTALLED_TWICE)
def test_files_that_are_installed_at_one_path_are_refused(tmp_path: Path, kind: str) -> None:
    arm, intel = INSTALLED_TWICE[kind]
    pair = Thin("arm64", {arm: b"arm"}), Thin("x86_64", {intel: b"intel"})
    fault = refused(tmp_path, pair)
    assert "would be installed at the same path as" in fault.reason
    assert len({arm, intel} & fused(tmp_path, pair, str(fault.rule)).keys()) == 1


def test_a_file_that_one_half_alone_installs_over_another_is_refused(tmp_path: Path) -> None:
    """Fused, it would replace the file of the other half, too."""
    over = f"{DATA}/purelib/a"
    pair = Thin("arm64", {"a": b"1", over: b"2"}), Thin("x86_64", {"a": b"1"})
    fault = refused(tmp_path, pair)
    assert str(fault.rule) == f"{over}=drop"
    assert over not in fused(tmp_path, pair, str(fault.rule))


def test_halves_that_install_a_file_over_another_alike_are_fused_so(tmp_path: Path) -> None:
    files = {"a": b"1", f"{DATA}/purelib/a": b"2"}
    content = fused(tmp_path, (Thin("arm64", files), Thin("x86_64", files)))
    assert files.items() <= content.items()


@pytest.mark.parametrize("own", ["", "equal"], ids=["of-one-side", "of-both-and-equal"])
def test_the_rule_that_is_offered_for_a_bill_of_materials_settles_it(
    tmp_path: Path, own: str
) -> None:
    """A third file has the name that one of the two would get; no rule drops equal ones."""
    third = {f"{INFO}/sboms/arm64-a.json": b"third"}
    sbom = f"{INFO}/sboms/a.json"
    pair = (
        Thin("arm64", {sbom: b"1", **third}),
        Thin("x86_64", {sbom: b"2", **(third if own else {})}),
    )
    fault = refused(tmp_path, pair)
    content = fused(tmp_path, pair, str(fault.rule))
    assert third.items() <= content.items()
    assert content[sbom] == b"1"
