"""Laws of fuse and thin on many small wheels, and of the reader on damaged ones."""

from __future__ import annotations

import struct
import tempfile
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.fuse import headers
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.thin.engine import thin
from tests.wheelmaker import Thin, unpacked

CPU = {"arm64": 0x0100000C, "x86_64": 0x01000007}

SBOMS = "demo-1.0.dist-info/sboms/"

names = st.sampled_from(
    [
        *("a.txt", "b/c.py", "b/d.h", "\u00e9.h", "e.so", "b/f.dylib", "g", "h.inc"),
        *(f"{SBOMS}a.json", f"{SBOMS}b/a.json", "Demo-1.0.data/scripts/t"),
    ]
)
methods = st.sampled_from([0, 8])


def image(arch: str, payload: bytes) -> bytes:
    """Make the least that is a Mach-O dylib: a header without load commands, and bytes."""
    subtype = 0 if arch == "arm64" else 3
    return struct.pack("<8I", 0xFEEDFACF, CPU[arch], subtype, 6, 0, 0, 0, 0) + payload


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Thin, Thin]:
    """Make halves that need no rule: what differs is a header or an image, or is one-sided."""
    sides: dict[str, dict[str, bytes]] = {"arm64": {}, "x86_64": {}}
    payloads = st.one_of(st.binary(max_size=40), st.binary(min_size=1, max_size=9).map(_long))
    for name in draw(st.sets(names, max_size=8)):
        code = name.endswith((".so", ".dylib"))
        header = headers.is_header(name) or name.startswith(SBOMS)
        shared = draw(payloads).replace(b"\0", b"0").removeprefix(b"\xef\xbb\xbf")
        both = ("arm64", "x86_64")
        for arch in both if code else draw(st.sampled_from([both[:1], both[1:], both])):
            own = draw(payloads).replace(b"\0", b"0").removeprefix(b"\xef\xbb\xbf")
            text = own if header else shared
            sides[arch][name] = image(arch, own) if code else b"t" + text
    arm, intel = (
        Thin(arch, files, method=draw(methods), level=draw(st.integers(1, 9)))
        for arch, files in sides.items()
    )
    return arm, intel


def _long(unit: bytes) -> bytes:
    return unit * 3000


@given(pairs(), st.booleans(), st.integers(1, 3))
@settings(max_examples=40)
def test_thin_after_fuse_is_the_identity(
    pair: tuple[Thin, Thin], swapped: bool, threads: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [half.write(folder) for half in pair]
        first, second = reversed(paths) if swapped else paths
        wheel = fuse(first, second, folder / "fused", FuseOptions(threads=threads)).wheel
        for half in pair:
            members = unpacked(thin(wheel, half.arch, folder / "thin").wheel)
            expected = half.content()
            record = f"{half.dist_info}/RECORD"
            assert sorted(members.pop(record).split()) == sorted(expected.pop(record).split())
            assert members == expected


confusable = st.sampled_from(
    [
        "a",
        "A",
        "a/b",
        "A/b",
        "a/B/c",
        "caf\u00e9",
        "cafe\u0301",
        "CAFE\u0301/x",
        "\u017f",
        "s",
        "\u00df/y",
        "SS",
    ]
)


@given(st.sets(confusable, max_size=5), st.sets(confusable, max_size=5))
@settings(max_examples=80)
def test_what_is_fused_can_be_unpacked_on_a_mac(arm: set[str], intel: set[str]) -> None:
    """The model of its file system: names are equal when their folded, decomposed forms are."""
    halves = Thin("arm64", dict.fromkeys(arm, b"")), Thin("x86_64", dict.fromkeys(intel, b""))
    fits = all(_fits(names) for names in (arm, intel, arm | intel))
    with tempfile.TemporaryDirectory() as name:
        first, second = (half.write(Path(name)) for half in halves)
        try:
            wheel = fuse(first, second, Path(name) / "out", FuseOptions()).wheel
        except MacosBuildError:
            assert not fits
            assert not list(Path(name).glob("out/*"))
        else:
            assert fits
            assert (arm | intel) < set(unpacked(wheel))


def _fits(paths: set[str]) -> bool:
    """Whether every path can be a file of its own beside the others."""
    folded = [tuple(map(_folded, path.split("/"))) for path in sorted(paths)]
    folders = {parts[:end] for parts in folded for end in range(1, len(parts))}
    return len(set(folded)) == len(folded) and folders.isdisjoint(folded)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_both_texts_stand_whole_in_a_merged_header(arm: bytes, intel: bytes) -> None:
    try:
        merged = headers.merge(arm, intel)
    except headers.Unmergeable:
        return
    for arch, text in (("arm64", arm), ("x86_64", intel)):
        start, length = merged.ranges[arch]
        assert merged.content[start : start + length] == text
    lines = merged.content.split(b"\n")
    directives = [b"#if defined(__arm64__) || defined(__aarch64__)", b"#elif defined(__x86_64__)"]
    for directive in (*directives, b"#endif"):
        at = [index for index, line in enumerate(lines) if line == directive]
        assert any(index == 0 or not lines[index - 1].endswith(b"\\") for index in at)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=6),
    st.integers(0, 10**6),
)
@settings(max_examples=150)
def test_a_damaged_wheel_reads_as_it_was_or_is_refused(
    flips: list[tuple[int, int]], cut: int
) -> None:
    """Bits of names, dates and modes may change unseen; contents never do."""
    thin_wheel = Thin("arm64", {"a.txt": b"text" * 50, "b.so": image("arm64", bytes(99))})
    contents = set(thin_wheel.content().values())
    with tempfile.TemporaryDirectory() as name:
        path = thin_wheel.write(Path(name))
        raw = bytearray(path.read_bytes())
        for at, change in flips:
            raw[at % len(raw)] ^= change
        if cut % 3 == 0:
            raw = raw[: cut % len(raw)]
        path.write_bytes(raw)
        members = read(path)
        if isinstance(members, BrokenWheel):
            assert members.where.startswith(path.name)
        else:
            assert set(members) <= contents


def read(path: Path) -> list[bytes] | BrokenWheel:
    try:
        with open_archive(path) as wheel:
            return [wheel.read(member) for member in wheel.members.values()]
    except BrokenWheel as error:
        return error
