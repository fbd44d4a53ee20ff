"""The formats' numbers under their C names.

Sources: <mach/machine.h>, <mach-o/fat.h>, <mach-o/loader.h>, <mach-o/nlist.h>,
<mach-o/fixup-chains.h>, and cs_blobs.h of XNU.
"""

from __future__ import annotations

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
CPU_SUBTYPE_X86_64_H = 8
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
    """Name an architecture as lipo does; an unknown one by its numbers."""
    match cputype, cpusubtype & CPU_SUBTYPE_MASK:
        case 0x01000007, 8:  # CPU_SUBTYPE_X86_64_H
            return "x86_64h"
        case 0x0100000C, 2:  # CPU_SUBTYPE_ARM64E
            return "arm64e"
        case _:
            return _ARCH_NAMES.get(cputype, f"cputype {cputype} subtype {cpusubtype}")
