"""The formats' numbers under their C names.

Sources: <mach/machine.h>, <mach-o/fat.h>, <mach-o/loader.h>, <mach-o/nlist.h>,
<mach-o/fixup-chains.h>, and cs_blobs.h of XNU.
"""

from __future__ import annotations

from enum import IntEnum

# <mach-o/fat.h>
FAT_MAGIC = 0xCAFEBABE
FAT_MAGIC_64 = 0xCAFEBABF

# <mach/machine.h>
CPU_ARCH_ABI64 = 0x01000000
CPU_ARCH_ABI64_32 = 0x02000000
CPU_TYPE_I386 = 7
CPU_TYPE_ARM = 12
CPU_TYPE_POWERPC = 18
CPU_TYPE_X86_64 = CPU_TYPE_I386 | CPU_ARCH_ABI64
CPU_TYPE_ARM64 = CPU_TYPE_ARM | CPU_ARCH_ABI64
CPU_TYPE_ARM64_32 = CPU_TYPE_ARM | CPU_ARCH_ABI64_32
CPU_TYPE_POWERPC64 = CPU_TYPE_POWERPC | CPU_ARCH_ABI64
CPU_SUBTYPE_MASK = 0x00FFFFFF
"""What of a subtype names the processor; the high byte holds capability bits."""
CPU_SUBTYPE_X86_64_ALL = 3
CPU_SUBTYPE_X86_64_H = 8
CPU_SUBTYPE_ARM64_ALL = 0
CPU_SUBTYPE_ARM64E = 2

_ARCH_NAMES = {
    CPU_TYPE_I386: "i386",
    CPU_TYPE_X86_64: "x86_64",
    CPU_TYPE_ARM: "arm",
    CPU_TYPE_ARM64: "arm64",
    CPU_TYPE_ARM64_32: "arm64_32",
    CPU_TYPE_POWERPC: "ppc",
    CPU_TYPE_POWERPC64: "ppc64",
}


def arch_name(cputype: int, cpusubtype: int) -> str:
    """Return the name of an architecture as lipo writes it; of an unknown one its numbers."""
    match cputype, cpusubtype & CPU_SUBTYPE_MASK:
        # The subtypes that change what runs: other ones of a type go by the type's own name.
        case 0x01000007, 8:  # CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_H
            return "x86_64h"
        case 0x0100000C, 2:  # CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64E
            return "arm64e"
        case _:
            return _ARCH_NAMES.get(cputype, f"cputype {cputype} subtype {cpusubtype}")


# <mach-o/loader.h>
MH_MAGIC = 0xFEEDFACE
MH_MAGIC_64 = 0xFEEDFACF
MH_OBJECT = 1
MH_EXECUTE = 2
MH_DYLIB = 6
MH_BUNDLE = 8
MH_DYLIB_STUB = 9
MH_DSYM = 10
MH_DYLDLINK = 0x4
MH_TWOLEVEL = 0x80
MH_PIE = 0x200000
SG_READ_ONLY = 0x10
PLATFORM_MACOS = 1
PLATFORM_IOS = 2
PLATFORM_TVOS = 3
PLATFORM_WATCHOS = 4
PLATFORM_MACCATALYST = 6

FILETYPE_NAMES = {
    MH_OBJECT: "MH_OBJECT",
    MH_EXECUTE: "MH_EXECUTE",
    MH_DYLIB: "MH_DYLIB",
    MH_BUNDLE: "MH_BUNDLE",
    MH_DYLIB_STUB: "MH_DYLIB_STUB",
    MH_DSYM: "MH_DSYM",
}

PLATFORM_NAMES = {
    PLATFORM_MACOS: "macOS",
    PLATFORM_IOS: "iOS",
    PLATFORM_TVOS: "tvOS",
    PLATFORM_WATCHOS: "watchOS",
    5: "bridgeOS",
    PLATFORM_MACCATALYST: "Mac Catalyst",
    7: "iOS simulator",
    8: "tvOS simulator",
    9: "watchOS simulator",
    10: "DriverKit",
    11: "visionOS",
    12: "visionOS simulator",
}


class LC(IntEnum):
    """The load commands that the readers of this package understand."""

    # Two are read by nobody: LC_LOAD_DYLINKER is here for its name in findings, LC_FILESET_ENTRY
    # because a required command that is not here counts as unknown to dyld (verify/commands.py).
    LC_SEGMENT = 0x1
    LC_SYMTAB = 0x2
    LC_UNIXTHREAD = 0x5
    LC_DYSYMTAB = 0xB
    LC_LOAD_DYLIB = 0xC
    LC_ID_DYLIB = 0xD
    LC_LOAD_DYLINKER = 0xE
    LC_SEGMENT_64 = 0x19
    LC_UUID = 0x1B
    LC_CODE_SIGNATURE = 0x1D
    LC_SEGMENT_SPLIT_INFO = 0x1E
    LC_LAZY_LOAD_DYLIB = 0x20
    LC_ENCRYPTION_INFO = 0x21
    LC_DYLD_INFO = 0x22
    LC_VERSION_MIN_MACOSX = 0x24
    LC_VERSION_MIN_IPHONEOS = 0x25
    LC_FUNCTION_STARTS = 0x26
    LC_DATA_IN_CODE = 0x29
    LC_DYLIB_CODE_SIGN_DRS = 0x2B
    LC_ENCRYPTION_INFO_64 = 0x2C
    LC_LINKER_OPTIMIZATION_HINT = 0x2E
    LC_VERSION_MIN_TVOS = 0x2F
    LC_VERSION_MIN_WATCHOS = 0x30
    LC_BUILD_VERSION = 0x32
    LC_ATOM_INFO = 0x36
    LC_FUNCTION_VARIANTS = 0x37
    LC_FUNCTION_VARIANT_FIXUPS = 0x38
    # From here on with LC_REQ_DYLD.
    LC_LOAD_WEAK_DYLIB = 0x80000018
    LC_RPATH = 0x8000001C
    LC_REEXPORT_DYLIB = 0x8000001F
    LC_DYLD_INFO_ONLY = 0x80000022
    LC_LOAD_UPWARD_DYLIB = 0x80000023
    LC_MAIN = 0x80000028
    LC_DYLD_EXPORTS_TRIE = 0x80000033
    LC_DYLD_CHAINED_FIXUPS = 0x80000034
    LC_FILESET_ENTRY = 0x80000035


LC_REQ_DYLD = 0x80000000
"""The highest bit of a command: a dyld that does not know it must refuse the image."""


def command_name(number: int) -> str:
    """Return the name of a load command in <mach-o/loader.h>; of an unknown one its number."""
    try:
        return LC(number).name
    except ValueError:
        return f"load command {number:#x}"


# <mach/vm_prot.h>
VM_PROT_READ = 1
VM_PROT_WRITE = 2
VM_PROT_EXECUTE = 4

# <mach-o/nlist.h>
N_STAB = 0xE0
N_PEXT = 0x10
N_TYPE = 0x0E
N_EXT = 0x01
N_UNDF = 0x0
N_WEAK_REF = 0x40
# Of the ordinals in n_desc; chained fixups have numbers of their own for these (chained_fixups.py).
SELF_LIBRARY_ORDINAL = 0
DYNAMIC_LOOKUP_ORDINAL = 0xFE
EXECUTABLE_ORDINAL = 0xFF


def nlist_size(is_64: bool) -> int:
    """Return the bytes of one `nlist_64` or `nlist`."""
    return 16 if is_64 else 12


# <mach-o/loader.h>, export tries
EXPORT_SYMBOL_FLAGS_REEXPORT = 0x08

# osfmk/kern/cs_blobs.h of XNU
CSMAGIC_EMBEDDED_SIGNATURE = 0xFADE0CC0
CSMAGIC_CODEDIRECTORY = 0xFADE0C02
CSSLOT_CODEDIRECTORY = 0
CSSLOT_ALTERNATE_CODEDIRECTORIES = 0x1000
CSSLOT_ALTERNATE_CODEDIRECTORY_LIMIT = 0x1005
CS_SUPPORTSCODELIMIT64 = 0x20300
