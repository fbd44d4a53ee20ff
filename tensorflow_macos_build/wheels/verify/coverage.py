"""Whether each binary has what the wheel's platform tags promise: its slices, old enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.dist_info.tags import MacosVersion
    from tensorflow_macos_build.wheels.verify.binaries import Binary

_FIRST_WITH_MAJORS = 11
"""From macOS 11 on, releases are told apart by their first number."""


def check(
    binary: Binary,
    promised: Mapping[str, MacosVersion],
    platforms: frozenset[str],
    stated: frozenset[str] = frozenset(),
) -> Iterator[Finding]:
    """Compare a binary's slices with the promised architectures and their oldest macOS.

    `stated` names the architectures that the wheel's own record has the binary for, by a rule.
    """
    if not binary.slices:
        return
    has = " and ".join(binary.slices)
    if {platform.lower() for platform in platforms} == {"any"}:
        yield Finding(Code.BINARY_IN_PURE, f"holds {has} code", binary.name)
    # A record of other architectures than the file has is about another file, and excuses nothing.
    missing = Code.SLICE_ONE_SIDED if stated == binary.slices.keys() else Code.SLICE_MISSING
    for arch in promised.keys() - binary.slices.keys():
        yield Finding(missing, f"the tags promise it; it has {has}", binary.name, arch)
    for arch, part in binary.slices.items():
        if promised and arch not in promised:
            yield Finding(Code.SLICE_EXTRA, "no platform tag promises it", binary.name, arch)
        elif arch in promised and part.image is not None:
            yield from _minos(binary.name, part.image, promised[arch])


def _minos(name: str, image: Image, promised: MacosVersion) -> Iterator[Finding]:
    for build in image.builds:
        oldest, oldest_promised = _release(build.minos[:2]), _release(promised)
        if build.is_macos and oldest > oldest_promised:
            same_release = oldest[0] == oldest_promised[0] >= _FIRST_WITH_MAJORS
            code = Code.MINOS_MINOR if same_release else Code.MINOS_ABOVE_TAG
            needed, tagged = ".".join(map(str, build.minos)), ".".join(map(str, promised))
            yield Finding(code, f"needs macOS {needed}, the tag says {tagged}", name, image.arch)


def _release(version: MacosVersion) -> MacosVersion:
    """Return the version by its true name."""
    # 10.16 is what macOS 11 called itself to programs of older SDKs.
    return (11, 0) if version == (10, 16) else version
