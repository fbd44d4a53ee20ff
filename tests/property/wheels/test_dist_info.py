"""Whatever dist-info says: findings, soon, and never another error."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.verify import Code, metadata, record
from tensorflow_macos_build.wheels.verify.record import MemberContents
from tests.wheel_files import FUSED_TAG, WheelFiles, record_hash

SOUND = WheelFiles({"tiny/__init__.py": b"x\n"})
NAMED = tags.parse_name(f"tiny-1.0-{FUSED_TAG}.whl")
CONTENTS = {"tiny/__init__.py": MemberContents(1, {"sha256": b""})}
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            ["Tag: ", "cp311-cp311-any", "Wheel-Version: 1.0", "\n", ",", '"', "tiny/__init__.py",
             "sha256=", "Name: tiny", "Version: ", "1.0", "\r", "-", ".", "é", "\0", "a.b-c.d-e.f"]
        ),
        max_size=40,
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip


@settings(derandomize=True, max_examples=400)
@given(text=TEXTS)
def test_any_text_in_dist_info_gives_findings(text: bytes) -> None:
    found = [
        *metadata.check_wheel(NAMED, "WHEEL", text),
        *metadata.check_metadata(NAMED, "METADATA", text),
        *record.check_record("d/RECORD", record.read_record(text, CONTENTS), CONTENTS),
    ]
    told = {one.code for one in found}
    assert told & {Code.RECORD_SELF, Code.RECORD_MALFORMED}
    assert told & {Code.WHEEL_TAGS, Code.WHEEL_FILE}


@settings(derandomize=True, max_examples=200)
@given(name=st.text(max_size=60))
def test_any_file_name_is_judged(name: str) -> None:
    for spelled in (name, f"{name}.whl"):
        with contextlib.suppress(tags.BadName):
            tags.parse_name(spelled)


@settings(derandomize=True, max_examples=200)
@given(
    members=st.dictionaries(
        st.text("abc/_-é,\"' .", min_size=1, max_size=12), st.binary(max_size=20), max_size=6
    )
)
def test_a_record_written_of_the_members_is_always_right(members: dict[str, bytes]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, content in members.items():
        rows.writerow([name, f"sha256={record_hash(content)}", len(content)])
    rows.writerow(["d/RECORD", "", ""])
    contents: dict[str, MemberContents | None] = {
        name: MemberContents(len(content), {"sha256": hashlib.sha256(content).digest()})
        for name, content in members.items()
    }
    contents["d/RECORD"] = MemberContents(0, {})
    listing = record.read_record(text.getvalue().encode(), contents)
    assert not list(record.check_record("d/RECORD", listing, contents))


def test_a_tag_that_stands_for_endless_many_is_refused_at_once() -> None:
    parts = ".".join(f"a{number}" for number in range(5000))
    text = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {parts}-{parts}-{parts}\n"
    found = {one.code for one in metadata.check_wheel(NAMED, "WHEEL", text.encode())}
    assert found == {Code.WHEEL_FILE}
