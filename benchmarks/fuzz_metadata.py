"""Feed broken METADATA, WHEEL and RECORD files, and names, to their readers for a given time.

    python -m benchmarks.fuzz_metadata --seconds N [--seed S] [--target NAME] [WHEEL…]

The dist-info files of the WHEELs are the seeds, beside a few that are built in. Cases are changed
as in `fuzz_readers`, and reproduced, limited and kept as in `fuzzing`. A case also fails when a
RECORD or WHEEL that was read is not the same when it is written and read again.
"""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fuzzing
from benchmarks.fuzz_readers import mutate
from benchmarks.fuzzing import Target
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import folders, metadata, record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import (
    expanded_tags,
    format_wheel,
    parse_wheel,
)
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tensorflow_macos_build.wheels.retag import RetagOptions, retag
from tensorflow_macos_build.wheels.verify import metadata as checks
from tensorflow_macos_build.wheels.verify import record as record_checks
from tensorflow_macos_build.wheels.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

_TAG = "cp311-cp311-macosx_12_0_arm64"
_NAME = f"demo-1.0-{_TAG}.whl"
_INFO = "demo-1.0.dist-info"
_NAMED = tags.parse_name(_NAME)
_FILES = {
    "METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: a>1\n\nText\n",
    "WHEEL": b"Wheel-Version: 1.0\nGenerator: x (1)\nRoot-Is-Purelib: false\nTag: %b\nBuild: 1\n"
    % _TAG.encode(),
    "RECORD": b"demo.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
    b'"a,""b.py",sha256=x,1\ndemo-1.0.dist-info/RECORD,,\n',
}
_NAMES = (
    b"demo-1.0-1-py2.py3-none-any.whl",
    b"Demo.Pkg-1.0+a_b-cp311-abi3-macosx_10_9_universal2.macosx_11_0_arm64.whl",
    b"demo-1.0.dist-info/WHEEL",
    b"demo-1.0.data/purelib/a.py",
    b"a/../b",
)


def read_metadata(content: bytes) -> None:
    """Read METADATA's fields, and compare them with a file name."""
    with contextlib.suppress(metadata.BadMetadata):
        metadata.parse_fields(content)
    list(checks.check_metadata(_NAMED, "METADATA", content))


def read_wheel_file(content: bytes) -> None:
    """Read WHEEL; write what was read, and read it again."""
    list(checks.check_wheel(_NAMED, "WHEEL", content))
    with contextlib.suppress(metadata.BadMetadata, tags.BadName):
        file = parse_wheel(content)
        stated = expanded_tags(file.tags)
        assert expanded_tags(parse_wheel(format_wheel(file)).tags) == stated
        tags.named_after(stated, _NAMED)


def read_record(content: bytes) -> None:
    """Read RECORD both for verify and for fuse; write what was read, and read it again."""
    members = {"demo.py": record_checks.MemberContents(0, {"sha256": b""}), "a": None}
    listing = record_checks.read_record(content, members)
    list(record_checks.check_record(f"{_INFO}/RECORD", listing, members))
    with contextlib.suppress(metadata.BadMetadata):
        rows = record.parse_record(content)
        record.membership_faults(["demo.py", "a"], rows, _INFO)
        whole = {
            path: (row.digest.value, row.size or 0)
            for path, row in rows.items()
            if row.digest is not None and row.digest.algorithm == "sha256"
        }
        whole.pop("R", None)
        again = record.parse_record(record.format_record(whole, "R"))
        assert again.keys() == {*whole, "R"}


def read_names(content: bytes) -> None:
    """Judge the lines as file names, as members' names and as dist-info folders."""
    lines = content.decode("utf-8", "replace").splitlines()
    for line in lines:
        member_names.fault(line)
        with contextlib.suppress(tags.BadName):
            name = tags.parse_name(line)
            assert str(name) == line
            list(checks.check_platforms(name))
        tags.promises(line.split("."))
        folders.fault(f"{line}.dist-info", _NAMED)
    list(member_names.collisions(lines))
    list(checks.check_folder(_NAMED, _INFO, lines))


def read_whole(content: bytes) -> None:
    """Put the three files, cut from one text, into a wheel; verify, read and retag it."""
    parts = dict(zip(_FILES, [*content.split(b"\0\0\0"), b"", b"", b""], strict=False))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _NAME
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("demo.py", b"")
            for name, part in parts.items():
                wheel.writestr(f"{_INFO}/{name}", part)
        verify(path)
        for options in (RetagOptions(), RetagOptions(from_wheel=True, build="2")):
            with contextlib.suppress(BrokenWheel, UsageError):
                retag(path, Path(folder) / "out", options)
        with contextlib.suppress(BrokenWheel, UsageError), open_wheel(path):
            pass


TARGETS: dict[str, Callable[[bytes], None]] = {
    "metadata": read_metadata,
    "wheel": read_wheel_file,
    "record": read_record,
    "names": read_names,
    "whole": read_whole,
}


def seeds_of(wheels: list[Path], target: str) -> list[bytes]:
    """Return the seeds for a target: those built in, and what the wheels hold."""
    dist_infos = [dict(_FILES)]
    listed = [*_NAMES]
    for path in wheels:
        listed.append(path.name.encode())
        with zipfile.ZipFile(path) as archive:
            listed += [name.encode() for name in archive.namelist()[:50]]
            inside = {
                name.rpartition("/")[2]: name
                for name in archive.namelist()
                if ".dist-info/" in name
            }
            dist_infos.append(
                {name: archive.read(inside[name]) for name in _FILES if name in inside}
            )
    if target == "names":
        return [b"\n".join(listed), *listed]
    if target == "whole":
        return [b"\0\0\0".join(files.values()) for files in dist_infos]
    return [files[target.upper()] for files in dist_infos if target.upper() in files]


def main() -> int:
    """Run the chosen targets, sharing the time."""
    chosen = fuzzing.parser(__doc__, TARGETS).parse_args()
    return fuzzing.run(
        chosen,
        TARGETS,
        lambda name: Target(
            name, seeds_of(chosen.files, name), mutate, lambda case, _: TARGETS[name](case)
        ),
    )


if __name__ == "__main__":
    raise SystemExit(main())
