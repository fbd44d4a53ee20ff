"""Whatever the bytes: an error that names the place, or an answer; soon, and with little memory."""

from __future__ import annotations

import contextlib
import itertools
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.macho import fat, lipo
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.verify import binaries, binding, sieve, spool
from tensorflow_macos_build.wheels.verify.spool import Content, ExportStore, Spool
from tests.machos import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.machos import Toolchain

BASE = "int base(void) { return 1; } __attribute__((weak)) int weakly(void) { return 2; }"
USER = "extern int base(void), weakly(void); int use(void) { return base() + weakly(); }"


@pytest.fixture(scope="module")
def samples(toolchain: Toolchain) -> list[bytes]:
    """Real files of every kind: universal, chained and classic, archives."""
    contents: list[bytes] = []
    for flag in ("-fixup_chains", "-no_fixup_chains"):
        thin = []
        for arch in TARGETS:
            base = toolchain.dylib("libbase.dylib", BASE, arch, flag)
            thin.append(toolchain.dylib("libuse.dylib", USER, arch, flag, base))
        contents += [toolchain.universal(*thin).read_bytes(), thin[0].read_bytes()]
    contents.append(toolchain.archive("lib.a", toolchain.object(BASE, "arm64")).read_bytes())
    return contents


@pytest.fixture(scope="module", autouse=True)
def small_is_large() -> Iterator[None]:
    """Let binaries of some kilobytes be kept as those of megabytes are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "IN_MEMORY", 0)
        patch.setattr(sieve, "_LEAST", 1)
        yield


def inspect(content: bytes, *pieces: bytes) -> None:
    """Read everything that the verifier reads of a binary; malformed parts become findings.

    With `pieces`, its bytes as they come, the same is read of what is kept of them.
    """
    with contextlib.closing(ExportStore()) as store:
        inspected = binaries.inspect("x", Content(Window.whole(content), None), store)
        with store.reading() as tries:
            linked = binding.link([inspected[0]], tries, frozenset(), frozenset({"base", "use"}))
    if not pieces:
        return
    kept = Spool(len(content), lambda: iter(pieces))
    with contextlib.closing(ExportStore()) as store, contextlib.closing(kept):
        for piece in pieces:
            kept.write(piece)
        with kept.reading() as left:
            assert binaries.inspect("x", left, store) == inspected
        with store.reading() as tries:
            again = binding.link([inspected[0]], tries, frozenset(), frozenset({"base", "use"}))
    assert again == linked


@settings(derandomize=True, max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 12), which=st.integers(0, 4))
def test_flipped_bits_of_real_files_are_survived_and_code_is_not_needed(
    samples: list[bytes], seed: int, flips: int, which: int
) -> None:
    chosen = random.Random(seed)
    content = bytearray(samples[which])
    for _ in range(flips):
        # Headers and tables lie at the ends; most flips in between change code, which is not read.
        limit = chosen.choice([0x400, 0x1400, len(content)])
        content[chosen.randrange(min(limit, len(content)))] ^= 1 << chosen.randrange(8)
    first, size = chosen.choice([8, 0x60, 0x1100, len(content)]), chosen.choice([999, 1 << 14])
    cuts = [0, *range(first, len(content), size), len(content)]
    inspect(bytes(content), *(bytes(content[a:b]) for a, b in itertools.pairwise(cuts)))


@pytest.mark.parametrize("which", range(4))
def test_of_a_real_file_the_code_is_left_out(samples: list[bytes], which: int) -> None:
    kept = Spool(len(samples[which]), lambda: iter([samples[which]]))
    with contextlib.closing(kept):
        kept.write(samples[which])
        with kept.reading() as left:
            window = left.window
            zeros = sum(block.count(0) for block in window.blocks())
            assert len(window) == len(samples[which])
            assert zeros > samples[which].count(0)
            assert b"".join(left.blocks(window, 1000)) == samples[which]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(cut=st.floats(0, 1), which=st.integers(0, 4))
def test_cut_files_are_survived(samples: list[bytes], cut: float, which: int) -> None:
    content = samples[which]
    inspect(content[: int(len(content) * cut)])


@settings(derandomize=True, max_examples=200, deadline=None)
@given(head=st.sampled_from([b"", b"\xca\xfe\xba\xbe\0\0\0\2", b"\xcf\xfa\xed\xfe", b"!<arch>\n"]),
       rest=st.binary(max_size=400))  # fmt: skip
def test_any_bytes_after_a_magic_number_are_survived(head: bytes, rest: bytes) -> None:
    inspect(head + rest)


SLICES = st.builds(
    lipo.NewSlice,
    cputype=st.sampled_from([7, 12, 18, 0x01000007, 0x0100000C, 0x0200000C]),
    cpusubtype=st.integers(0, 9),
    size=st.integers(0, 1 << 33),
    align=st.integers(0, 15),
)


@settings(derandomize=True, max_examples=200)
@given(slices=st.lists(SLICES, min_size=1, max_size=6, unique_by=lambda new: new.name))
def test_a_layout_reads_back_without_fault_in_any_order(slices: list[lipo.NewSlice]) -> None:
    laid = lipo.layout(slices, fat64=True)
    assert lipo.layout(slices[::-1], fat64=True).header == laid.header
    assert sorted(laid.order) == list(range(len(slices)))
    end = len(laid.header)
    for arch in laid.arches:
        assert arch.offset % (1 << arch.align) == 0
        assert 0 <= arch.offset - end < 1 << arch.align
        end = arch.end
    assert end == laid.size
    if laid.size < 1 << 16:
        file = Window.whole(laid.header.ljust(laid.size, b"\0"))
        assert fat.parse(file).arches == laid.arches


def test_a_window_never_reads_outside() -> None:
    window = Window(b"0123456789", 2, 6)
    assert window.part(1, 3, "x").copy() == b"345"
    for offset, length in ((-1, 1), (0, 5), (4, 1), (0, -1)):
        with pytest.raises(MalformedMachO):
            window.part(offset, length, "x")
    with pytest.raises(MalformedMachO):
        Window(b"ab\0", 0, 2).text(0, "x")
