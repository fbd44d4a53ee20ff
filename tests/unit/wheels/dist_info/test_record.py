"""RECORD: what is written is read back, what is malformed is refused with a reason."""

from __future__ import annotations

import hashlib

import pytest

from tensorflow_macos_build.wheels.dist_info import record
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata


def test_a_record_reads_back_with_any_name_in_it() -> None:
    rows = {
        name: (hashlib.sha256(name.encode()).digest(), len(name))
        for name in ("a,b.py", 'quo"te', "\u00fc", "plain")
    }
    text = record.format_record(rows, "d/RECORD")
    assert text.endswith(b"d/RECORD,,\n")
    read_back = record.parse_record(text)
    assert list(read_back) == [*rows, "d/RECORD"]
    for name, (digest, size) in rows.items():
        assert read_back[name].size == size
        assert read_back[name].digest == record.Digest("sha256", digest)
    assert read_back["d/RECORD"] == record.RecordRow(None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a,,1\na,,\n", "listed twice"),
        (b"a,sha256=AAAA,1\n", "not as long as sha256"),
        (b"a,md5=AAAA,1\n", "of the kind `md5`"),
        (b"a,sha256=!!!!!,1\n", "base64"),
        (b"a,,x\n", "after 0 rows"),
        (b"a,,\nb,c\n", "after 1 rows"),
        (b"\xff,,\n", "after 0 rows"),
        (b'"a,,\n', "after 0 rows"),
    ],
)
def test_a_malformed_record_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(BadMetadata, match=reason):
        record.parse_record(text)
