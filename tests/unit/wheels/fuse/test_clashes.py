"""What a fused wheel would hold twice is refused, with a rule that settles it."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided
from tensorflow_macos_build.wheels.fuse.rules import parse_rule
from tests.fused_wheels import INFO, fused_wheel
from tests.wheelmaker import Thin, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.wheels.fuse.verdicts import UndecidedPath
    from tests.fused_wheels import Halves

DATA = "demo-1.0.data"

INSTALLED_TWICE = {
    "root-and-scheme": ("pkg/a.py", f"{DATA}/purelib/pkg/a.py"),
    "two-schemes": (f"{DATA}/platlib/pkg/a.py", f"{DATA}/purelib/pkg/A.py"),
    "file-and-folder": ("pkg", f"{DATA}/platlib/pkg/a.py"),
    "scripts-and-bin": (f"{DATA}/scripts/tool", f"{DATA}/data/bin/tool"),
}
"""Names that the arm64 and the x86_64 wheel may have each alone, for one path when installed."""


def refused(folder: Path, pair: Halves) -> UndecidedPath:
    with pytest.raises(Undecided) as error:
        fused_wheel(folder, pair)
    (undecided,) = error.value.paths
    return undecided


def settled(folder: Path, pair: Halves, *rules: str) -> Path:
    """Return the wheel that two are fused to by rules."""
    options = FuseOptions(rules=[parse_rule(rule) for rule in rules])
    return fused_wheel(folder, pair, options)


@pytest.mark.parametrize("kind", INSTALLED_TWICE)
def test_files_that_are_installed_at_one_path_are_refused(tmp_path: Path, kind: str) -> None:
    arm, intel = INSTALLED_TWICE[kind]
    pair = Thin("arm64", {arm: b"arm"}), Thin("x86_64", {intel: b"intel"})
    undecided = refused(tmp_path, pair)
    assert "would be installed at the same path as" in undecided.reason
    content = unpacked(settled(tmp_path, pair, str(undecided.rule)))
    assert len({arm, intel} & content.keys()) == 1


def test_a_file_that_one_half_alone_installs_over_another_is_refused(tmp_path: Path) -> None:
    """Fused, it would replace the file of the other half, too."""
    over = f"{DATA}/purelib/a"
    pair = Thin("arm64", {"a": b"1", over: b"2"}), Thin("x86_64", {"a": b"1"})
    undecided = refused(tmp_path, pair)
    assert str(undecided.rule) == f"{over}=drop"
    assert over not in unpacked(settled(tmp_path, pair, str(undecided.rule)))


def test_halves_that_install_a_file_over_another_alike_are_fused_so(tmp_path: Path) -> None:
    files = {"a": b"1", f"{DATA}/purelib/a": b"2"}
    content = unpacked(settled(tmp_path, (Thin("arm64", files), Thin("x86_64", files))))
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
    undecided = refused(tmp_path, pair)
    content = unpacked(settled(tmp_path, pair, str(undecided.rule)))
    assert third.items() <= content.items()
    assert content[sbom] == b"1"


COLLISIONS = {
    "case": ("Foo.txt", "foo.txt"),
    "case-of-a-folder": ("Pkg/a.txt", "pkg/A.txt"),
    "file-and-folder": ("pkg", "pkg/a.txt"),
    "folder-and-file": ("pkg/a.txt", "PKG"),
    "normalisation": ("caf\u00e9.txt", "cafe\u0301.txt"),
    "sharp-s": ("stra\u00dfe.txt", "STRASSE.txt"),
    "long-s": ("\u017f.txt", "s.txt"),
    "the-record": ("a.txt", "demo-1.0.dist-info/fused.JSON"),
    "folder-of-the-record": ("a.txt", "demo-1.0.dist-info/fused.json/a"),
    "kept-beside": ("a.txt", "demo-1.0.dist-info/sboms/arm64-a.json"),
}
"""Names that the arm64 and the x86_64 wheel may have each alone."""


@pytest.mark.parametrize("kind", COLLISIONS)
def test_files_that_a_mac_takes_for_one_are_refused_with_the_halves_named(
    tmp_path: Path, kind: str
) -> None:
    """APFS and HFS+ ignore case and normalisation as they are delivered."""
    sbom = f"{INFO}/sboms/a.json"
    arm, intel = COLLISIONS[kind]
    pair = (
        Thin("arm64", {arm: b"arm", sbom: b'{"a": 1}', "same": b""}),
        Thin("x86_64", {intel: b"intel", sbom: b'{"a": 2}', "same": b""}),
    )
    undecided = refused(tmp_path, pair)
    assert "cannot be unpacked on a Mac beside" in undecided.reason
    assert "x86_64 wheel" in undecided.reason
    assert not list((tmp_path / "out").glob("*"))
    wheel = settled(tmp_path, pair, str(undecided.rule))
    keys = {unicodedata.normalize("NFD", name.casefold()) for name in unpacked(wheel)}
    assert len(keys) == len(unpacked(wheel))
    argv = [sys.executable, "-m", "zipfile", "-e", str(wheel), str(tmp_path / "unpacked")]
    subprocess.run(argv, check=True, capture_output=True)
