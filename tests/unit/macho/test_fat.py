import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tensorflow_macos_build.macho import fat, fat_faults, lipo
from tensorflow_macos_build.macho.constants import CPU_TYPE_ARM64, CPU_TYPE_X86_64
from tensorflow_macos_build.macho.fat_faults import LayoutFaultKind
from tensorflow_macos_build.macho.lipo import NewSlice
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tests.machos import Toolchain, llvm

SOURCE = "int answer(void) { return 42; }"


def new_slice(path: Path, archive: bool = False) -> NewSlice:
    content = path.read_bytes()
    start = 0 if not archive else content.index(b"\xcf\xfa\xed\xfe")
    cputype, cpusubtype = struct.unpack_from("<II", content, start + 4)
    align = lipo.archive_align(cputype) if archive else lipo.page_align(cputype)
    assert align is not None
    return NewSlice(cputype, cpusubtype, len(content), align)


def joined(paths: list[Path], laid: lipo.FatLayout) -> bytes:
    content = laid.header
    for arch, index in zip(laid.arches, laid.order, strict=True):
        content += bytes(arch.offset - len(content)) + paths[index].read_bytes()
    assert len(content) == laid.size
    return content


@pytest.mark.parametrize("fat64", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["dylib", "object", "archive"])
def test_layout_gives_the_bytes_that_llvm_lipo_gives(
    toolchain: Toolchain, kind: str, reverse: bool, fat64: bool
) -> None:
    def make(arch: str) -> Path:
        if kind == "dylib":
            return toolchain.dylib("liba.dylib", SOURCE, arch)
        thin = toolchain.object(SOURCE, arch)
        return thin if kind == "object" else toolchain.archive("liba.a", thin)

    thin = [make(arch) for arch in ("x86_64", "arm64")]
    ordered = thin[::-1] if reverse else thin
    laid = lipo.layout([new_slice(path, kind == "archive") for path in ordered], fat64=fat64)
    assert joined(ordered, laid) == toolchain.universal(*ordered, fat64=fat64).read_bytes()


@pytest.mark.parametrize("fat64", [False, True])
def test_parse_reads_what_llvm_otool_reads(toolchain: Toolchain, fat64: bool) -> None:
    thin = [toolchain.dylib("libb.dylib", SOURCE, arch) for arch in ("x86_64", "arm64")]
    universal = toolchain.universal(*thin, fat64=fat64)
    parsed = fat.parse(Window.whole(universal.read_bytes()))
    words = llvm("llvm-otool", "-f", universal).split()
    for name in ("offset", "size", "cputype", "cpusubtype"):
        listed = [int(words[at + 1]) for at, word in enumerate(words) if word == name]
        assert listed == [getattr(arch, name) for arch in parsed.arches]
    assert parsed.is_64 == fat64
    assert [arch.name for arch in parsed.arches] == ["x86_64", "arm64"]
    assert fat_faults.faults(parsed, Window.whole(universal.read_bytes())) == ()


def sample(toolchain: Toolchain) -> bytearray:
    thin = [toolchain.dylib("libc.dylib", SOURCE, arch) for arch in ("x86_64", "arm64")]
    return bytearray(toolchain.universal(*thin).read_bytes())


def put(position: int, value: int) -> Callable[[bytearray], None]:
    return lambda content: struct.pack_into(">I", content, position, value)


# fat_header is 8 bytes; in each fat_arch of 20: cputype, cpusubtype, offset, size, align.
@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (put(8 + 8, 0x1001), LayoutFaultKind.ALIGNMENT),
        (put(8 + 16, 15), LayoutFaultKind.ALIGN_VALUE),
        (put(8 + 16, 200), LayoutFaultKind.ALIGN_VALUE),
        (put(28 + 0, CPU_TYPE_X86_64), LayoutFaultKind.ORDER),
        (put(28 + 8, 0), LayoutFaultKind.OVERLAP),
        (put(8 + 8, 0x2000), LayoutFaultKind.WIDE_GAP),
        (put(100, 1), LayoutFaultKind.DIRTY_GAP),
        (lambda content: content.extend(b"x"), LayoutFaultKind.TAIL),
        (put(4, 0), LayoutFaultKind.EMPTY),
    ],
)
def test_each_fault_of_a_layout_is_named(
    toolchain: Toolchain, edit: Callable[[bytearray], None], kind: LayoutFaultKind
) -> None:
    content = sample(toolchain)
    if kind is LayoutFaultKind.ORDER:
        put(8, CPU_TYPE_ARM64)(content)
    if kind is LayoutFaultKind.WIDE_GAP:
        put(8 + 12, 64)(content)
    edit(content)
    file = Window.whole(bytes(content))
    assert kind in {fault.kind for fault in fat_faults.faults(fat.parse(file), file)}


def test_two_slices_of_one_architecture_are_a_fault(toolchain: Toolchain) -> None:
    content = sample(toolchain)
    struct.pack_into(">II", content, 28, CPU_TYPE_X86_64, 3)
    file = Window.whole(bytes(content))
    assert LayoutFaultKind.TWICE in {
        fault.kind for fault in fat_faults.faults(fat.parse(file), file)
    }


def test_a_slice_outside_the_file_is_refused_by_name(toolchain: Toolchain) -> None:
    content = sample(toolchain)
    put(28 + 12, 0xFFFFFFFF)(content)
    with pytest.raises(MalformedMachO, match="reaches outside") as caught:
        fat.parse(Window.whole(bytes(content)))
    assert caught.value.slice == "arm64"
    assert caught.value.within(member="a/b.so").where == "a/b.so, arm64, fat_arch"


def test_a_cut_header_is_refused() -> None:
    with pytest.raises(MalformedMachO, match="fat_arch"):
        fat.parse(Window.whole(struct.pack(">II", 0xCAFEBABE, 2) + bytes(20)))


def test_a_java_class_is_no_universal_file() -> None:
    assert not fat.is_fat(struct.pack(">II", 0xCAFEBABE, 52) + bytes(100))


def test_layout_refuses_what_32_bit_offsets_cannot_hold() -> None:
    first = NewSlice(CPU_TYPE_X86_64, 3, 1 << 32, 12)
    second = NewSlice(CPU_TYPE_ARM64, 0, 10, 14)
    with pytest.raises(ValueError, match="fat64"):
        lipo.layout([first, second])
    assert lipo.layout([first, second], fat64=True).arches[1].offset == (1 << 32) + 0x4000


@pytest.mark.parametrize("count", [0, 2])
def test_layout_refuses_no_slices_and_equal_ones(count: int) -> None:
    with pytest.raises(ValueError, match="distinct"):
        lipo.layout([NewSlice(CPU_TYPE_X86_64, 3, 10, 12)] * count)
