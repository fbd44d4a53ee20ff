"""Wheels that are broken in one way each, with the finding that must name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import lipo
from tensorflow_macos_build.macho.constants import CPU_TYPE_ARM64, CPU_TYPE_X86_64, LC
from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.verify import Code
from tests.broken_images import (
    FAT_FIRST,
    FAT_SECOND,
    command_at,
    flip_code,
    hide,
    hide_all,
    in_directory,
    in_segment,
    linkedit_overlap,
    put,
    renamed_in,
    sdk,
    shifted,
    swapped_entries,
    tail_after_signature,
    together,
    wide_gap,
)
from tests.machos import TARGETS
from tests.wheel_files import WheelFiles, record_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.machos import Toolchain

    Files = dict[str, bytes]
    Break = Callable[["WheelBreaker"], Path]
    Edit = Callable[[Files, str], object]

BASE = "int base(void) { return 1; } int other(void) { return 2; }"
USER = "extern int base(void); int answer(void) { return base() + 1; }"
WEAK_USER = (
    "extern int base(void) __attribute__((weak_import)); int answer(void) { return base(); }"
)
PLAIN = "int plain(void) { return 3; }"
HERE = ("-rpath", "@loader_path")
ARCHES = tuple(TARGETS)


class WheelBreaker:
    """A sound wheel's parts, and the means to break them."""

    def __init__(self, tools: Toolchain, folder: Path) -> None:
        self.tools = tools
        self.folder = folder
        self.base = self.both("libbase.dylib", BASE)
        self.mod = self.both("mod.so", USER, *HERE, uses=self.base)

    def both(
        self,
        name: str,
        source: str,
        *flags: str,
        uses: dict[str, Path] | None = None,
        minimum: str | None = None,
        install_name: str | None = None,
    ) -> dict[str, Path]:
        return {
            arch: self.tools.dylib(
                name, source, arch, *flags, *([uses[arch]] if uses else []),
                minimum=minimum, install_name=install_name,
            )
            for arch in ARCHES
        }  # fmt: skip

    def files(self, **changed: dict[str, Path] | bytes | None) -> Files:
        """Return the sound wheel's files; `base=…` and `mod=…` replace or drop a binary."""
        parts = {"base": self.base, "mod": self.mod, **changed}
        names = {"base": "tiny/libbase.dylib", "mod": "tiny/mod.so"}
        members = {"tiny/__init__.py": b"from . import mod\n"}
        for key, part in parts.items():
            if isinstance(part, dict):
                members[names[key]] = self.fused(part)
            elif part is not None:
                members[names[key]] = part
        return members

    def fused(self, part: dict[str, Path]) -> bytes:
        """Join two thin files; llvm-lipo would refuse the broken ones."""
        slices = [path.read_bytes() for path in part.values()]
        kinds = [(CPU_TYPE_X86_64, 3, 12), (CPU_TYPE_ARM64, 0, 14)]
        laid = lipo.layout(
            [
                lipo.NewSlice(cputype, cpusubtype, len(content), align)
                for (cputype, cpusubtype, align), content in zip(kinds, slices, strict=True)
            ]
        )
        made = bytearray(laid.header)
        for arch, index in zip(laid.arches, laid.order, strict=True):
            made += bytes(arch.offset - len(made)) + slices[index]
        return bytes(made)

    def wheel(self, files: Files | None = None, **options: str) -> Path:
        return WheelFiles(self.files() if files is None else files, **options).write(self.folder)

    def rewritten(self, change: Edit) -> Path:
        """Make the wheel after `change` has seen all members and the name of dist-info."""
        wheel = WheelFiles(self.files())
        contents = wheel.contents()
        change(contents, wheel.dist_info)
        return wheel.write(self.folder, contents)

    def patched(self, change: Callable[[bytearray], None], arch: str = "") -> Path:
        """Make the wheel with libbase patched: one slice of it, or the universal file."""
        return self.wheel(self.files(base=self.patch(self.base, change, arch)))

    def patch(
        self, part: dict[str, Path], change: Callable[[bytearray], None], arch: str
    ) -> bytes | dict[str, Path]:
        content = bytearray(part[arch].read_bytes() if arch else self.fused(part))
        change(content)
        if not arch:
            return bytes(content)
        path = self.tools.path("patched.dylib")
        path.write_bytes(content)
        return {**part, arch: path}


TWO_RPATHS = ("-rpath", "@loader_path/../tiny", "-rpath", "@loader_path/./././.")
"""Two rpaths of one length, so that one can be written over the other."""


def rpath_twice(content: bytearray) -> None:
    renamed_in(content, b"@loader_path/./././.", b"@loader_path/../tiny")


def more(change: Callable[[bytearray], None], *flags: str) -> Break:
    """Add a dylib that was linked against SDK 26 and is patched, in its x86_64 slice."""

    def make(breaker: WheelBreaker) -> Path:
        part = breaker.both("libmore.dylib", PLAIN, *HERE, *flags)
        changed = breaker.patch(part, together(sdk(26), change), "x86_64")
        assert isinstance(changed, dict)
        return breaker.wheel({**breaker.files(), "tiny/libmore.dylib": breaker.fused(changed)})

    return make


def base_twice(breaker: WheelBreaker) -> Path:
    """Link against two libraries, then write the name of one over the other's."""
    second = breaker.both("libbose.dylib", PLAIN, install_name="@rpath/libbose.dylib")
    both = "extern int base(void), plain(void); int sum(void) { return base() + plain(); }"
    part = {
        arch: breaker.tools.dylib(
            "libmore.dylib", both, arch, *HERE, breaker.base[arch], second[arch]
        )
        for arch in ARCHES
    }
    change = together(sdk(26), lambda c: renamed_in(c, b"libbose", b"libbase"))
    changed = breaker.patch(part, change, "x86_64")
    assert isinstance(changed, dict)
    files = breaker.files(base=breaker.both("libbase.dylib", BASE + PLAIN))
    files["tiny/libmore.dylib"] = breaker.fused(changed)
    files["tiny/libbose.dylib"] = breaker.fused(second)
    return breaker.wheel(files)


def fallback(breaker: WheelBreaker) -> Path:
    """Link against what claims to be the system's zlib, and do not ship it."""
    zlib = breaker.both("libz.1.dylib", BASE, install_name="@rpath/libz.1.dylib")
    return breaker.wheel(breaker.files(mod=breaker.both("mod.so", USER, uses=zlib)))


def record_row(
    name: str, change: Callable[[list[str]], str | None]
) -> Callable[[Files, str], None]:
    def edit(files: Files, dist_info: str) -> None:
        path = f"{dist_info}/RECORD"
        rows = files[path].decode().splitlines()
        edited = [change(row.split(",")) if row.startswith(name) else row for row in rows]
        files[path] = "".join(f"{row}\n" for row in edited if row is not None).encode()

    return edit


def replaced(name: str, old: str, new: str) -> Edit:
    """Edit a text of dist-info, and RECORD so that it agrees."""

    def edit(files: Files, dist_info: str) -> None:
        path = f"{dist_info}/{name}"
        before = files[path]
        assert old.encode() in before
        files[path] = before.replace(old.encode(), new.encode())
        files[f"{dist_info}/RECORD"] = record_of(files, dist_info)

    return edit


def no_callable(files: Files, dist_info: str) -> None:
    files[f"{dist_info}/entry_points.txt"] = b"[console_scripts]\ntiny = tiny\n"
    files[f"{dist_info}/RECORD"] = record_of(files, dist_info)


def renamed(breaker: WheelBreaker, name: str) -> Path:
    return breaker.wheel().rename(breaker.folder / name)


def cut(breaker: WheelBreaker) -> Path:
    path = breaker.wheel()
    path.write_bytes(path.read_bytes()[:-30])
    return path


def damaged_member(breaker: WheelBreaker) -> Path:
    path = breaker.wheel()
    content = bytearray(path.read_bytes())
    content[content.index(b"tiny/libbase.dylib") + 60] ^= 0xFF
    path.write_bytes(bytes(content))
    return path


def one_sided_by_rule(breaker: WheelBreaker) -> Path:
    """Make the wheel of which fuse's record says that a module is for one architecture."""
    return breaker.wheel(
        {**breaker.files(mod=breaker.mod["arm64"].read_bytes()), **one_sided_record()}
    )


def one_sided_record() -> Files:
    """Return fuse's record that the module is for arm64 alone, as a file of the wheel."""
    halves = {arch: fused_json.FusedHalf("", "") for arch in ARCHES}
    record = fused_json.FusedRecord(
        halves,
        only=dict.fromkeys(ARCHES, ()),
        executable=dict.fromkeys(ARCHES, ()),
        one_sided={"arm64": ("tiny/mod.so",), "x86_64": ()},
        renamed={arch: {} for arch in ARCHES},
    )
    return {f"{WheelFiles({}).dist_info}/{fused_json.NAME}": fused_json.dump(record)}


def archive_with_stranger(breaker: WheelBreaker) -> Path:
    objects = [breaker.tools.object(PLAIN, arch, f"{arch}.o") for arch in ARCHES]
    files = breaker.files()
    files["tiny/libmixed.a"] = breaker.tools.archive("libmixed.a", *objects).read_bytes()
    return breaker.wheel(files)


def bundle_and_dylib(breaker: WheelBreaker) -> Path:
    mixed = {**breaker.both("mod.so", PLAIN)}
    mixed["arm64"] = breaker.tools.bundle("mod.so", PLAIN, "arm64")
    return breaker.wheel(breaker.files(mod=mixed))


def elsewhere(name: str, *flags: str) -> Break:
    """Link mod against libbase under another install name, and ship libbase as it was."""
    return lambda breaker: breaker.wheel(
        breaker.files(
            mod=breaker.both(
                "mod.so", USER, *flags, uses=breaker.both("libbase.dylib", BASE, install_name=name)
            )
        )
    )


def without_base(breaker: WheelBreaker) -> Path:
    return breaker.wheel(breaker.files(base=None))


def weak_library(breaker: WheelBreaker) -> Path:
    mod = {
        arch: breaker.tools.dylib(
            "mod.so", WEAK_USER, arch, *HERE, "-weak_library", breaker.base[arch]
        )
        for arch in ARCHES
    }
    return breaker.wheel(breaker.files(base=None, mod=mod))


def inherited_rpath(breaker: WheelBreaker) -> Path:
    middle = breaker.both("libmid.dylib", USER, uses=breaker.base)
    mod = breaker.both("mod.so", "extern int answer(void); int top(void) { return answer(); }",
                    *HERE, uses=middle)  # fmt: skip
    files = breaker.files(mod=mod)
    files["tiny/libmid.dylib"] = breaker.fused(middle)
    return breaker.wheel(files)


def bundle_as_library(breaker: WheelBreaker) -> Path:
    """Link mod against a dylib, and ship a bundle in its place."""
    base = {arch: breaker.tools.bundle("libbase.dylib", BASE, arch) for arch in ARCHES}
    return breaker.wheel(breaker.files(base=base))


def library_of_one_arch(breaker: WheelBreaker) -> Path:
    return breaker.wheel(breaker.files(base=breaker.base["x86_64"].read_bytes()))


def weak_symbol(breaker: WheelBreaker) -> Path:
    mod = breaker.both("mod.so", WEAK_USER, *HERE, uses=breaker.base)
    return breaker.wheel(breaker.files(base=breaker.both("libbase.dylib", PLAIN), mod=mod))


def relinked(*flags: str, minimum: str | None = None, install_name: str | None = None) -> Break:
    """Link one more dylib in its own way, into a wheel that is sound otherwise."""
    return lambda breaker: breaker.wheel(
        {
            **breaker.files(),
            "tiny/libmore.dylib": breaker.fused(
                breaker.both(
                    "libmore.dylib", PLAIN, *flags, minimum=minimum, install_name=install_name
                )
            ),
        }
    )


def extra_install_name(breaker: WheelBreaker) -> Path:
    part = breaker.both("libmore.dylib", PLAIN)
    part["arm64"] = breaker.tools.dylib("libless.dylib", PLAIN, "arm64")
    return breaker.wheel({**breaker.files(), "tiny/libmore.dylib": breaker.fused(part)})


MUTATIONS: list[tuple[Code, Break]] = [
    (Code.ARCHIVE_BROKEN, cut),
    (Code.MEMBER_BROKEN, damaged_member),
    (Code.FILENAME, lambda s: renamed(s, "tiny.whl")),
    (Code.DIST_INFO, lambda s: renamed(s, f"big-1.0-{WheelFiles({}).tag}.whl")),
    (Code.DATA_FOLDER, lambda s: s.wheel({**s.files(), "tiny-1.0.data/other/x": b""})),
    (Code.METADATA_MISMATCH, lambda s: s.rewritten(replaced("METADATA", "1.0", "1.1"))),
    (Code.ENTRY_POINTS, lambda s: s.rewritten(no_callable)),
    (Code.WHEEL_TAGS, lambda s: s.rewritten(replaced("WHEEL", "cp311-mac", "abi3-mac"))),
    (Code.WHEEL_BUILD, lambda s: renamed(s, f"tiny-1.0-1-{WheelFiles({}).tag}.whl")),
    (Code.WHEEL_FILE, lambda s: s.rewritten(replaced("WHEEL", "Version: 1", "Version: 2"))),
    (Code.RECORD_MALFORMED, lambda s: s.rewritten(record_row("tiny/_", lambda r: ",".join(r[:2])))),
    (Code.RECORD_MISSING, lambda s: s.rewritten(record_row("tiny/_", lambda r: None))),
    (Code.RECORD_STRAY, lambda s: s.rewritten(lambda files, _: files.pop("tiny/__init__.py"))),
    (Code.RECORD_HASH, lambda s: s.rewritten(
        record_row("tiny/_", lambda r: f"{r[0]},{r[1][:-1]}_,{r[2]}"))),
    (Code.RECORD_SIZE, lambda s: s.rewritten(record_row("tiny/_", lambda r: f"{r[0]},{r[1]},1"))),
    (Code.RECORD_SELF, lambda s: s.rewritten(
        record_row("tiny-1.0.dist-info/RECORD", lambda r: f"{r[0]},sha256=x,1"))),
    (Code.RECORD_ORDER, lambda s: s.rewritten(
        lambda files, _: files.update({"tiny/__init__.py": files.pop("tiny/__init__.py")}))),
    (Code.MACHO_MALFORMED, lambda s: s.patched(put("<I", 20, 1 << 20), "x86_64")),
    (Code.FAT_EMPTY, lambda s: s.patched(put(">I", 4, 0))),
    (Code.FAT_DUPLICATE, lambda s: s.patched(put(">II", FAT_SECOND, 0x01000007, 3))),
    (Code.FAT_OVERLAP, lambda s: s.patched(put(">I", FAT_FIRST + 12, 0x4000))),
    (Code.FAT_ORDER, lambda s: s.patched(swapped_entries)),
    (Code.FAT_ALIGNMENT, lambda s: s.patched(put(">I", FAT_FIRST + 8, 0x1008))),
    (Code.FAT_ALIGN_VALUE, lambda s: s.patched(put(">I", FAT_SECOND + 16, 15))),
    (Code.FAT_GAP_WIDE, lambda s: s.patched(wide_gap)),
    (Code.FAT_GAP_DIRTY, lambda s: s.patched(put("B", 100, 1))),
    (Code.FAT_TAIL, lambda s: s.patched(lambda content: content.extend(b"x"))),
    (Code.FAT_CPUTYPE, lambda s: s.patched(put(">I", FAT_FIRST + 4, 8))),
    (Code.SLICE_MISSING, lambda s: s.wheel(s.files(mod=s.mod["arm64"].read_bytes()))),
    (Code.SLICE_ONE_SIDED, one_sided_by_rule),
    (Code.SLICE_EXTRA, lambda s: s.wheel(tag="cp311-cp311-macosx_12_0_arm64")),
    (Code.BINARY_IN_PURE, lambda s: s.wheel(tag="py3-none-any")),
    (Code.FILETYPE_DIFFERS, bundle_and_dylib),
    (Code.INSTALL_NAME_DIFFERS, extra_install_name),
    (Code.INSTALL_NAME_MISSING, lambda s: s.patched(hide(LC.LC_ID_DYLIB), "x86_64")),
    (Code.OBJECT_ARCH, archive_with_stranger),
    (Code.UUID_MISSING, lambda s: s.patched(hide(LC.LC_UUID), "x86_64")),
    (Code.LOAD_COMMANDS, lambda s: s.patched(
        lambda c: put("<I", command_at(c, LC.LC_FUNCTION_STARTS), 0x800000FF)(c), "x86_64")),
    (Code.SEGMENT_LAYOUT, lambda s: s.patched(
        in_segment("__TEXT", 32, "<Q", 0x100), "x86_64")),
    (Code.SEGMENT_PERMISSIONS, lambda s: s.patched(
        in_segment("__TEXT", 60, "<I", 7), "x86_64")),
    (Code.RPATH_DUPLICATE, more(rpath_twice, *TWO_RPATHS)),
    (Code.LIBRARY_DUPLICATE, base_twice),
    (Code.LIBRARY_NONE, more(hide_all(LC.LC_LOAD_DYLIB), "-fixup_chains")),
    (Code.LIBRARY_FALLBACK, fallback),
    (Code.LINKEDIT_LAYOUT, lambda s: s.patched(linkedit_overlap, "x86_64")),
    (Code.PLATFORM, lambda s: s.patched(
        lambda c: put("<I", command_at(c, LC.LC_BUILD_VERSION) + 8, 2)(c), "x86_64")),
    (Code.PLATFORM_TAG, lambda s: s.wheel(
        tag="cp311-cp311-macosx_10_15_x86_64.macosx_12_2_arm64")),
    (Code.MINOS_MISSING, lambda s: s.patched(hide(LC.LC_BUILD_VERSION), "x86_64")),
    (Code.MINOS_ABOVE_TAG, relinked(minimum="13.0")),
    (Code.MINOS_MINOR, lambda s: s.wheel(s.files(
        base=s.both("libbase.dylib", BASE, minimum="12.3")),
        tag="cp311-cp311-macosx_12_0_universal2")),
    (Code.UNSIGNED, relinked("-no_adhoc_codesign")),
    (Code.SIGNATURE_MALFORMED, lambda s: s.patched(in_directory(">I", 0, 1), "arm64")),
    (Code.SIGNATURE_PAGES, lambda s: s.patched(flip_code, "arm64")),
    (Code.SIGNATURE_LIMIT, lambda s: s.patched(in_directory(">I", 32, 0x1000), "arm64")),
    (Code.SIGNATURE_NOT_LAST, lambda s: s.patched(tail_after_signature, "arm64")),
    (Code.LINKEDIT_ALIGNMENT, lambda s: s.patched(shifted(LC.LC_FUNCTION_STARTS, 8), "x86_64")),
    (Code.STRING_POOL_ALIGNMENT, lambda s: s.patched(shifted(LC.LC_SYMTAB, 16), "x86_64")),
    (Code.RPATH_DEAD, relinked("-rpath", "@loader_path/nowhere")),
    (Code.RPATH_ABSOLUTE, relinked("-rpath", "/opt/homebrew/lib")),
    (Code.RPATH_INHERITED, inherited_rpath),
    (Code.RPATH_MISSES, lambda s: s.wheel(s.files(mod=s.both("mod.so", USER, uses=s.base)))),
    (Code.LIBRARY_ABSOLUTE, elsewhere("/opt/homebrew/lib/libbase.dylib")),
    (Code.LIBRARY_MISSING, without_base),
    (Code.LIBRARY_ELSEWHERE, elsewhere("@loader_path/../huge/libbase.dylib")),
    (Code.LIBRARY_WEAK_MISSING, weak_library),
    (Code.LIBRARY_TYPE, bundle_as_library),
    (Code.LIBRARY_SLICE, library_of_one_arch),
    (Code.SYMBOL_MISSING, lambda s: s.wheel(s.files(base=s.both("libbase.dylib", PLAIN)))),
    (Code.SYMBOL_WEAK_MISSING, weak_symbol),
    (Code.MUST_EXPORT, lambda s: s.wheel()),
]  # fmt: skip

NOT_MADE_HERE = {
    # No signer at hand writes special slots; tests/unit/macho/test_signature.py makes them by hand.
    Code.SIGNATURE_SLOTS,
    # These are about a second wheel; tests/unit/wheels/verify/test_plugins.py makes it.
    *(code for code in Code if code.slug.startswith("plugin-")),
}

UNAVOIDABLE = {
    # What a mutation breaks besides, because the one cannot be broken without the other.
    Code.DIST_INFO: {Code.METADATA_MISMATCH},
    Code.RECORD_MALFORMED: {Code.RECORD_MISSING},
    Code.FAT_DUPLICATE: {Code.FAT_ALIGN_VALUE, Code.FAT_CPUTYPE},
    Code.FAT_ALIGNMENT: {Code.MACHO_MALFORMED, Code.FAT_GAP_DIRTY},
    Code.FAT_ALIGN_VALUE: {Code.FAT_ALIGNMENT},
    Code.FAT_GAP_WIDE: {Code.MACHO_MALFORMED, Code.FAT_OVERLAP},
    Code.SLICE_EXTRA: {Code.WHEEL_TAGS},
    Code.INSTALL_NAME_MISSING: {Code.INSTALL_NAME_DIFFERS},
    Code.FILETYPE_DIFFERS: {Code.INSTALL_NAME_DIFFERS},
    Code.LIBRARY_SLICE: {Code.SLICE_MISSING},
    Code.SIGNATURE_LIMIT: {Code.SIGNATURE_PAGES},
}
