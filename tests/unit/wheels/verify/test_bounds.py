"""What a wheel says of itself may be endless; what is kept and shown of it is not."""

from __future__ import annotations

import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.tasks.command import print_parts
from tensorflow_macos_build.views import verify as verify_view
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import metadata as fields
from tensorflow_macos_build.wheels.dist_info.wheel_file import expanded_tags
from tensorflow_macos_build.wheels.open_wheel import open_wheel
from tensorflow_macos_build.wheels.verify import Code, record, verify
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEGABYTE = 1 << 20
TAG = "cp311-cp311-macosx_12_0_arm64"


def peak(action: Callable[[], object]) -> int:
    """Return the most bytes that are held at once while something is done."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def longer(folder: Path, file: str, more: bytes) -> Path:
    """Make a sound wheel, but for what is added to one file of dist-info."""
    wheel = WheelFiles({"tiny/__init__.py": b""}, tag=TAG)
    contents = wheel.contents()
    contents[f"{wheel.dist_info}/{file}"] += more
    return wheel.write(folder, contents)


def test_rows_for_what_is_not_in_the_wheel_are_counted_and_not_kept(tmp_path: Path) -> None:
    rows = "".join(f"a/{number},,\n" for number in range(100_000)).encode()
    assert peak(lambda: record.read_record(rows, {"b"})) < 4 * MEGABYTE
    listing = record.read_record(rows, {"b", "a/7"})
    assert (len(listing.rows), len(listing.stray), listing.strays) == (1, 1000, 99_999)
    wheel = longer(tmp_path, "RECORD", rows)
    stray = [finding for finding in verify(wheel).findings if finding.code is Code.RECORD_STRAY]
    assert len(stray) == 1001
    assert "99000 more rows" in "".join(finding.message for finding in stray)
    with pytest.raises(BrokenWheel, match="larger than the"), open_wheel(wheel):
        pass


def test_malformed_rows_are_counted_and_not_kept() -> None:
    rows = b"a\n" * 50_000 + b"b,,\n" * 50_000
    assert peak(lambda: record.read_record(rows, {"b"})) < 4 * MEGABYTE
    listing = record.read_record(rows, {"b"})
    assert (len(listing.malformed), listing.malformations) == (1000, 99_999)


@pytest.mark.parametrize(
    ("file", "line", "code"),
    [
        ("WHEEL", b"Tag: py3-none-any\n", Code.WHEEL_FILE),
        ("METADATA", b"Requires-Dist: a\n", Code.METADATA_MISMATCH),
    ],
)
def test_endless_fields_are_refused_unread(
    tmp_path: Path, file: str, line: bytes, code: Code
) -> None:
    text = line * (fields.FIELDS_LIMIT // len(line) + 1)
    with pytest.raises(fields.BadMetadata, match="bytes"):
        fields.parse_fields(text)
    findings = [
        finding for finding in verify(longer(tmp_path, file, text)).findings if finding.code is code
    ]
    assert "bytes that are read" in findings[0].message


def test_a_long_description_is_not_counted_among_the_fields(tmp_path: Path) -> None:
    text = b"\n" + b"Text.\n" * (fields.FIELDS_LIMIT // 5)
    findings = verify(longer(tmp_path, "METADATA", text)).findings
    assert {finding.code for finding in findings} == {Code.RECORD_HASH, Code.RECORD_SIZE}


def test_tags_that_stand_for_many_are_refused_before_they_are_expanded() -> None:
    tags = [f"a.b.c.d.e.f.g-a.b.c.d.e.f.g-x{number}" for number in range(1000)]
    with pytest.raises(fields.BadMetadata, match="more than 10000"):
        expanded_tags(tags)


def test_people_are_shown_a_few_of_many_alike_and_json_has_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = WheelFiles({"tiny/__init__.py": b""}, tag="py3-none-any")
    path = wheel.write(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(1200):
            archive.writestr(f"tiny/{number}", b"")
    verification = verify(path)
    assert sum(finding.code is Code.RECORD_MISSING for finding in verification.findings) == 1200
    print_parts(verify_view.as_lines(verification))
    shown = capsys.readouterr().out
    assert shown.count("RECORD does not list it") == 200
    assert "1000 more of them; --json lists them" in shown
    document = verify_view.as_document(verification)
    listed = document["findings"]
    assert isinstance(listed, list)
    assert len(listed) == len(verification.findings)
