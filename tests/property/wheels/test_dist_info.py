"""Dist-info as installers read it, for any bytes.

What is right is said by pip, packaging and the standard library, or is known because the test
itself put the faults in.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version
from pip._internal.exceptions import UnsupportedWheel
from pip._internal.utils import wheel as pip_wheel

from tensorflow_macos_build.wheels.dist_info import tags, wheel_file
from tensorflow_macos_build.wheels.verify import Code, metadata, record
from tensorflow_macos_build.wheels.verify.record import MemberContents
from tests.wheel_files import FUSED_TAG, record_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

NAMED = tags.parse_name(f"tiny-1.0-{FUSED_TAG}.whl")
OWN_TAGS = [str(tag) for tag in sorted(NAMED.expanded, key=str)]

VALUES = {
    "Wheel-Version": ["1.0", "1.9", " 1.0 ", "2.0", "1", "1.x", "", "é"],
    "Root-Is-Purelib": ["true", "false", "FALSE", " True", "yes", ""],
    "Tag": [
        *OWN_TAGS,
        FUSED_TAG,
        "py3-none-any",
        "py2.py3-none-any",
        "é-none-any",
        "cp311-any",
        "a-b-c-d",
    ],
    "Build": ["1", " 2 ", ""],
    "Name": ["tiny", "Tiny", "tiny ", "tiny.", "other", ""],
    "Version": ["1.0", "1.0.0", " 1", "1.0+local", "2", "x", "9" * 5000],
    "Summary": ["one\n Tag: py3-none-any", "é", "a: b"],
}
"""Fields of WHEEL and METADATA, and what a sound, an odd or a broken file says in them."""

NAME_ODDITIES = (str.lower, str.upper, lambda name: f"{name} ", lambda name: f" {name}")


def _lines(names: list[str]) -> st.SearchStrategy[str]:
    """A field's line, spelled right mostly; an empty line ends the fields."""
    return st.one_of(
        *(
            st.builds("{}{}{}".format, spelled, st.sampled_from([": ", ":", ":\t"]), value)
            for name in names
            for spelled, value in [
                (
                    st.sampled_from([name] * 5 + [odd(name) for odd in NAME_ODDITIES]),
                    st.sampled_from(VALUES[name]),
                )
            ]
        ),
        st.sampled_from(["", " continued", "no field", "\0", "é: é"]),
    )


def _texts(*required: str) -> st.SearchStrategy[bytes]:
    """A file of dist-info with the required fields, other lines around them, or any bytes."""
    chosen = [st.sampled_from(VALUES[name]).map(f"{name}: {{}}".format) for name in required]
    others = st.lists(_lines([*required, "Tag", "Build", "Summary"]), max_size=5)
    body = st.tuples(st.tuples(*chosen).flatmap(st.permutations), others).map(
        lambda parts: [*parts[0], *parts[1]]
    )
    joined = st.builds(
        lambda lines, end, tail: (end.join(lines) + end).encode() + tail,
        st.one_of(body, body.flatmap(st.permutations)),
        st.sampled_from(["\n", "\n", "\r\n", "\r"]),
        st.sampled_from([b"", b"", b"\nTag: py3-none-any\n", b"\n\xff"]),
    )
    return st.one_of(joined, joined, joined, st.binary(max_size=100))


def as_pip_reads(text: bytes) -> Message:
    """Return WHEEL's fields as pip has them, which reads them in a wheel.

    Raises:
        UnsupportedWheel: pip does not install such a wheel.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("tiny-1.0.dist-info/WHEEL", text)
        return pip_wheel.wheel_metadata(wheel, "tiny-1.0.dist-info")


@settings(max_examples=400)
@given(text=_texts("Wheel-Version", "Root-Is-Purelib", "Tag"))
def test_wheel_says_what_pip_reads_in_it(text: bytes) -> None:
    """pip also takes a Root-Is-Purelib that is neither, and versions of one or three numbers."""
    codes = {finding.code for finding in metadata.check_wheel(NAMED, "WHEEL", text)}
    try:
        fields = as_pip_reads(text)
        version = pip_wheel.wheel_version(fields)
    except UnsupportedWheel:
        assert codes == {Code.WHEEL_FILE}
        return
    purelib = {"true": True, "false": False}.get(fields.get("Root-Is-Purelib", "").strip().lower())
    if len(version) != 2 or version[0] != 1 or purelib is None:
        assert codes == {Code.WHEEL_FILE}
        return
    file = wheel_file.parse_wheel(text)
    assert tuple(map(int, file.version.split("."))) == version
    assert file.purelib == purelib
    assert file.tags == tuple(tag.strip() for tag in fields.get_all("Tag", []))
    assert (file.build or "") == fields.get("Build", "").strip()


@settings(max_examples=400)
@given(lines=st.lists(st.sampled_from(VALUES["Tag"]), max_size=4), build=st.sampled_from(["", "1"]))
def test_wheels_tags_are_compared_with_the_names_one_by_one(lines: list[str], build: str) -> None:
    fields = "".join(f"Tag: {line}\n" for line in lines) + (f"Build: {build}\n" if build else "")
    text = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{fields}".encode()
    codes = {finding.code for finding in metadata.check_wheel(NAMED, "WHEEL", text)}
    parts = [[part.split(".") for part in line.split("-")] for line in lines]
    if not parts or any(len(part) != 3 for part in parts):
        assert codes == {Code.WHEEL_FILE}
        return
    stated = {Tag(p, a, s) for pythons, abis, systems in parts for p in pythons for a in abis
              for s in systems}  # fmt: skip
    own = {Tag("cp311", "cp311", system) for system in FUSED_TAG.split("-")[2].split(".")}
    expected = {Code.WHEEL_TAGS} if stated != own else set()
    assert codes == expected | ({Code.WHEEL_BUILD} if build else set())


class Written(importlib.metadata.Distribution):
    """A distribution with these files, as the standard library reads them."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def read_text(self, filename: str) -> str | None:
        return self.texts.get(filename)

    def locate_file(self, path: object) -> None:  # type: ignore[override]
        raise NotImplementedError


@settings(max_examples=400)
@given(text=_texts("Name", "Version"))
@example(text=b"Name: tiny\nVersion: 1.0\n Name: tiny\n")
@example(text=b"Name:\n tiny\nVersion: 1.0\n")
def test_metadata_names_what_the_standard_library_reads_in_it(text: bytes) -> None:
    findings = list(metadata.check_metadata(NAMED, "METADATA", text))
    assert {finding.code for finding in findings} <= {Code.METADATA_MISMATCH}
    try:
        fields = Written(METADATA=text.decode()).metadata
    except UnicodeDecodeError:
        assert len(findings) == 1
        return
    name, version = (fields.get_all(field, [""])[0] for field in ("Name", "Version"))
    agrees = {
        "Name": canonicalize_name(name.strip()) == "tiny" and "\n" not in name,
        "Version": _is_version_1(version.strip()) and "\n" not in version,
    }
    faults = [finding.message.split()[0] for finding in findings]
    assert faults == [field for field, as_named in agrees.items() if not as_named]


def _is_version_1(text: str) -> bool:
    try:
        return Version(text) == Version("1.0")
    except (InvalidVersion, ValueError):
        return False


_PARTS: list[st.SearchStrategy[str]] = [
    st.sampled_from(["tiny", "Tiny.x", "a_b", "tiny", "a_", "", "é"]) | st.text("a_.", max_size=4),
    st.sampled_from(["1.0", "1!2", "1.0+l", "1.0rc1", "x", ""]),
    st.sampled_from(["", "", "1-", "2a_-", "1.2-", "x-"]),
    st.sampled_from(["cp311", "py2.py3", "py2.py3", "py3.py3", "", "p y"]),
    st.sampled_from(["none", "cp311.abi3", "cp311", "none", "a-b", ""]),
    st.sampled_from(["any", FUSED_TAG.split("-")[2], "MACOSX_11_0_ARM64", "any", "é", ""]),
    st.sampled_from([".whl"] * 6 + [".WHL", ".zip", ""]),
]
FILE_NAMES = st.tuples(*_PARTS).map(lambda parts: "{}-{}-{}{}-{}-{}{}".format(*parts))
"""Names in which any part may be one that no wheel's has."""


@settings(max_examples=600)
@given(name=st.one_of(FILE_NAMES, FILE_NAMES, FILE_NAMES, st.text(max_size=60)))
def test_a_file_name_is_a_wheels_when_packaging_says_so(name: str) -> None:
    """This tool takes no name with a project that no requirement can name, or an empty tag."""
    try:
        project, version, build, expanded = parse_wheel_filename(name)
        parts = name.removesuffix(".whl").split("-")
        Requirement(f"{project}==1")
    except (ValueError, InvalidRequirement):
        with pytest.raises(tags.BadName):
            tags.parse_name(name)
        return
    if not all(re.fullmatch(r"[A-Za-z0-9_.+!]+", part) for part in parts):
        with pytest.raises(tags.BadName):
            tags.parse_name(name)
        return
    named = tags.parse_name(name)
    assert (str(named), named.project, named.parsed_version) == (name, project, version)
    assert named.expanded == expanded
    assert {Tag(*tag.split("-")) for tag in named.tags} == expanded
    assert (named.build or "") == "".join(map(str, build))


FAULTS = {
    "hash": Code.RECORD_HASH,
    "weak hash": Code.RECORD_HASH,
    "size": Code.RECORD_SIZE,
    "no size": Code.RECORD_SIZE,
    "missing": Code.RECORD_MISSING,
    "stray": Code.RECORD_STRAY,
    "twice": Code.RECORD_MALFORMED,
    "two fields": Code.RECORD_MALFORMED,
}
"""What the test does to a member's row, and what that is called."""

MEMBERS = st.dictionaries(
    st.text("abc/_-é,\"' .", min_size=1, max_size=12),
    st.tuples(st.binary(max_size=20), st.sampled_from(["", *FAULTS])),
    max_size=6,
)


def _rows(name: str, content: bytes, fault: str) -> Iterator[list[str]]:
    """Return a member's rows with a fault in them."""
    stated, size = f"sha256={record_hash(content)}", str(len(content))
    match fault:
        case "hash":
            yield [name, f"sha256={record_hash(content + b'x')}", size]
        case "weak hash":
            yield [name, "md5=1B2M2Y8AsgTpgAmY7PhCfg", size]
        case "size":
            yield [name, stated, f"{size}0" if content else "1"]
        case "no size":
            yield [name, stated, ""]
        case "two fields":
            yield from ([name, stated, size], [name, stated])
        case "stray":
            yield from ([name, stated, size], [f"{name}/stray", stated, size])
        case "twice":
            yield from [[name, stated, size]] * 2
        case "":
            yield [name, stated, size]


@settings(max_examples=400)
@given(members=MEMBERS, own=st.sampled_from(["", "unlisted", "hashed"]))
def test_a_record_has_the_faults_that_were_put_in_and_no_other(
    members: dict[str, tuple[bytes, str]], own: str
) -> None:
    rows = [
        row for name, (content, fault) in members.items() for row in _rows(name, content, fault)
    ]
    rows += {"": [["d/RECORD", "", ""]], "hashed": [["d/RECORD", "sha256=x", ""]]}.get(own, [])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    contents = {
        name: MemberContents(len(content), {"sha256": hashlib.sha256(content).digest()})
        for name, (content, _) in members.items()
    }
    listed = record.read_record(text.getvalue().encode(), [*contents, "d/RECORD"])
    findings = record.check_record("d/RECORD", listed, {**contents, "d/RECORD": None})
    expected = [FAULTS[fault] for _, fault in members.values() if fault]
    assert sorted(finding.code.slug for finding in findings) == sorted(
        code.slug for code in [*expected, *[Code.RECORD_SELF] * bool(own)]
    )


RECORD_PARTS = st.lists(
    st.sampled_from(["a,,\n", "b,,1\r\n", '"a\r",,\n', '"', ",", "ab", "\n", "\r", "é", "\0"]),
    max_size=12,
)


@settings(max_examples=300)
@given(
    text=st.one_of(st.binary(max_size=100), RECORD_PARTS.map(lambda parts: "".join(parts).encode()))
)
def test_any_record_lists_what_the_standard_librarys_reader_lists(text: bytes) -> None:
    listed = record.read_record(text, {"a", "b", "ab", "é"})
    codes = {finding.code for finding in record.check_record("d/RECORD", listed, {})}
    assert codes & {Code.RECORD_SELF, Code.RECORD_MALFORMED}
    try:
        rows = list(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        assert listed.unreadable
        return
    paths = [row[0] for row in rows if len(row) == 3]
    assert set(paths) == {*listed.rows, *listed.stray}
    assert listed.malformations == len(rows) - len(set(paths))
    assert listed.rows.keys() <= {"a", "b", "ab", "é"}


def test_a_tag_that_stands_for_endless_many_is_refused_at_once() -> None:
    parts = ".".join(f"a{number}" for number in range(5000))
    text = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {parts}-{parts}-{parts}\n"
    codes = {finding.code for finding in metadata.check_wheel(NAMED, "WHEEL", text.encode())}
    assert codes == {Code.WHEEL_FILE}
