"""Real pairs of wheels through fuse, verify, thin, pip and wheelhouse: what becomes of each.

    python -m benchmarks.real_wheels FOLDER [--rule PROJECT:GLOB=VERDICT …] [--index URL]

FOLDER holds both wheels of each release, which nothing here downloads:
`pip download --no-deps --only-binary=:all: --python-version 3.11 --platform macosx_14_0_arm64 -d
FOLDER NAME`, and again for macosx_14_0_x86_64.

Each pair is fused and verified; both halves are taken out again and compared with the wheels that
they came from, member by member; and pip is run for the 15 kinds of Mac of `tests.hosts` whether
it takes the fused wheel, which it must just where the later of tag and code allows. With
`--index URL`, the newest of each project also go through one wheelhouse, with what they need.
Ends with 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.fuse.engine import Fused, FuseOptions, Verdict, fuse
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import verify
from tensorflow_macos_build.wheels.wheelhouse import WheelhouseOptions, build
from tensorflow_macos_build.wheels.wheelhouse.rules import KnownRule, known, parse_known_rule
from tests.hosts import HOSTS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_PIPS = 2
"""How many pips run at once."""


@dataclass
class Row:
    """What became of a pair: a line of the table, and what is wrong."""

    release: str
    cells: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def pairs(folder: Path) -> dict[str, list[Path]]:
    """Return wheels by release, of releases that have two: an arm64 and an x86_64 wheel."""
    by_release: dict[str, list[Path]] = defaultdict(list)
    for wheel in sorted(folder.glob("*.whl")):
        name, version, *_ = parse_wheel_filename(wheel.name)
        by_release[f"{name}=={version}"].append(wheel)
    return {release: wheels for release, wheels in by_release.items() if len(wheels) == 2}


def examine(release: str, wheels: list[Path], rules: Sequence[KnownRule], scratch: Path) -> Row:
    """Take a pair through fuse, verify, thin and pip."""
    row = Row(release)
    project = release.partition("==")[0]
    about = tuple(known_rule.rule for known_rule in rules if known_rule.is_about(project))
    try:
        fused = fuse(wheels[0], wheels[1], scratch / "fused", FuseOptions(rules=about))
    except MacosBuildError as error:
        row.wrong.append(str(error))
        return row
    row.cells.append(fused.wheel.name)
    findings = verify(fused.wheel).findings
    counts = Counter(f"{finding.severity.value} {finding.code.slug}" for finding in findings)
    row.cells.append(", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "nothing")
    row.wrong += [
        f"{finding.code.slug} {finding.file}: {finding.message}"
        for finding in findings
        if finding.severity.value == "error"
    ]
    row.cells.append(halves(fused, wheels, scratch, row))
    row.cells.append(on_hosts(fused.wheel, release, row))
    return row


def halves(fused: Fused, wheels: list[Path], scratch: Path, row: Row) -> str:
    """Take both halves out again and compare them with what they came from."""
    free = {*fused.files[Verdict.RULE], *fused.files[Verdict.DROPPED]}
    for wheel in wheels:
        (arch,) = tags.lowest(tags.parse_name(wheel.name).platforms)
        thinned = thin(fused.wheel, arch, scratch / "thin").wheel
        if thinned.name != wheel.name:
            row.wrong.append(f"{thinned.name} is not called {wheel.name}")
        own, expected = contents(thinned, free), contents(wheel, free)
        differing = {
            path for path in own.keys() | expected.keys() if own.get(path) != expected.get(path)
        }
        row.wrong += [f"{wheel.name}: {path} is another" for path in sorted(differing)]
    return f"halves equal{f' but for {len(free)} by rules' if free else ''}"


def contents(wheel: Path, free: Collection[str]) -> dict[str, bytes | list[str]]:
    """Read a wheel by zipfile but for `free`, RECORD as sorted rows."""
    members: dict[str, bytes | list[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/RECORD"):
                rows = csv.reader(archive.read(name).decode("utf-8").splitlines())
                members[name] = sorted(str(row) for row in rows if row[0] not in free)
            elif name not in free and not name.endswith("/"):
                members[name] = archive.read(name)
    return members


def on_hosts(wheel: Path, release: str, row: Row) -> str:
    """Note whether pip on each kind of Mac takes a wheel, as it must just where that runs."""
    lowest = tags.lowest(tags.parse_name(wheel.name).platforms)
    with ThreadPoolExecutor(_PIPS) as pool:
        answers = list(pool.map(lambda host: pip_takes(wheel, release, *host), HOSTS))
    for (arch, version), takes in zip(HOSTS, answers, strict=True):
        if takes != (version >= lowest[arch]):
            row.wrong.append(f"pip on {arch} with macOS {version}: {takes}")
    return f"{sum(answers)} of {len(HOSTS)} Macs"


def pip_takes(wheel: Path, release: str, arch: str, version: tuple[int, int]) -> bool:
    """Whether pip on a Mac would install the release from the wheel's folder."""
    platform = f"macosx_{version[0]}_{version[1]}_{arch}"
    with tempfile.TemporaryDirectory() as target:
        argv = [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"),
            *("--isolated", "--no-index", "--find-links", str(wheel.parent), "--no-cache-dir"),
            *("--disable-pip-version-check", "--only-binary", ":all:", "--platform", platform),
            *("--python-version", "3.11", "--target", target, release),
        ]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def is_installable(
    index: str, releases: Sequence[str], rules: Sequence[KnownRule], scratch: Path
) -> bool:
    """Make one wheelhouse of all; whether that went well."""
    macos = {"x86_64": (14, 0), "arm64": (14, 0)}
    options = WheelhouseOptions(scratch / "cache", macos=macos, index=index, rules=rules)
    try:
        wheelhouse = build(releases, scratch / "wheelhouse", options)
    except MacosBuildError as error:
        print(error)
        return False
    for wheel in wheelhouse.wheels:
        print(f"  {wheel.kind.value:12} {wheel.file}")
    for note in wheelhouse.notes:
        print(f"  note: {note}")
    return True


def main() -> int:
    """Take every pair of a folder through all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rule", action="append", default=[], type=parse_known_rule)
    parser.add_argument("--index", default="")
    arguments = parser.parse_args()
    rules = [*arguments.rule, *known()]
    good = True
    with tempfile.TemporaryDirectory() as name:
        paired = pairs(arguments.folder)
        for release, wheels in paired.items():
            row = examine(release, wheels, rules, Path(name) / release)
            print(f"{row.release}\n  " + "\n  ".join(row.cells), flush=True)
            print("".join(f"  WRONG: {what}\n" for what in row.wrong), end="")
            good = good and not row.wrong
        if arguments.index:
            print("wheelhouse")
            newest = {release.partition("==")[0]: release for release in paired}
            good = (
                is_installable(arguments.index, list(newest.values()), rules, Path(name)) and good
            )
    return 0 if good and paired else 1


if __name__ == "__main__":
    raise SystemExit(main())
