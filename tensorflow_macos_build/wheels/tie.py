"""A plugin's wheel tied to one wheel of TensorFlow: it names that version, and the macOS it needs.

A build names its Python's macOS in the wheel's tag, not that which the compiler was told; and a
source names the releases of TensorFlow that it may be built for, not the one that it was built for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from tensorflow_macos_build.macho import fat, image
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.open_wheel import read_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel

_TENSORFLOW = frozenset({"tensorflow", "tensorflow-macos", "tensorflow-cpu", "tf-nightly"})
"""Projects that plugins require TensorFlow by."""

_LARGEST = 1 << 30
"""Bytes of a plugin's library beyond which it is refused; Apple's has 5 MB."""

_FIELD = re.compile(rb"^Requires-Dist:[ \t]*(.*(?:\r?\n[ \t].*)*)\r?\n", re.M | re.I)
_END_OF_FIELDS = re.compile(rb"^\r?\n", re.M)


@dataclass(frozen=True)
class TiedPlugin:
    """A plugin's wheel as it is shipped: its file, and the file's SHA-256."""

    wheel: Path
    sha256: str


def tie(wheel: Path, host: tags.WheelName, out: Path) -> TiedPlugin:
    """Write a plugin's wheel that requires just one wheel of TensorFlow, truly tagged, into `out`.

    Args:
        wheel: what the plugin's build made.
        host: the name of TensorFlow's wheel.
        out: a folder.

    Raises:
        UsageError: there is no such file, or it is no wheel.
        BrokenWheel: it is damaged, or holds no code of a Mac's, which a tag could be made of.
    """
    with open_archive(wheel) as archive:
        # A build on a Mac may name any platform; what counts is what the libraries say.
        opened = read_wheel(archive, any_platform=True)
        needs = _needs(opened)
        if not needs:
            raise archive.broken("", "it holds no library that names a macOS")
        name = replace(opened.name, platforms=tags.platform_tags(needs))
        file = replace(opened.wheel_file, tags=name.tags, build=name.build)
        metadata = f"{opened.dist_info}/METADATA"
        own = record.own_paths(opened.dist_info)
        with new_wheel(out / str(name)) as made:
            for path in order(archive.members.keys() - own, opened.dist_info):
                if path == f"{opened.dist_info}/WHEEL":
                    made.store(path, format_wheel(file))
                elif path == metadata:
                    made.store(path, requiring(opened.content("METADATA"), host))
                else:
                    made.copy(opened, archive.members[path], path)
            digest = made.finish(f"{opened.dist_info}/RECORD")
        return TiedPlugin(out / str(name), digest)


def requiring(metadata: bytes, host: tags.WheelName) -> bytes:
    """Return METADATA that requires one version of TensorFlow in place of those it may have."""
    end = _END_OF_FIELDS.search(metadata)
    fields, rest = (metadata[: end.start()], metadata[end.start() :]) if end else (metadata, b"")
    if not fields.endswith(b"\n"):
        fields += b"\n"
    projects = _TENSORFLOW | {host.project}

    def kept(match: re.Match[bytes]) -> bytes:
        try:
            # A long field may go on in the next line.
            needed = Requirement(" ".join(match[1].decode("utf-8", "replace").split()))
        except InvalidRequirement:
            return match[0]
        return b"" if tags.canonical(needed.name) in projects else match[0]

    required = f"Requires-Dist: {host.project}=={host.parsed_version}\n".encode()
    return _FIELD.sub(kept, fields) + required + rest


def _needs(opened: OpenWheel) -> dict[str, tags.MacosVersion]:
    """Return the oldest macOS that runs all libraries of a wheel, by architecture."""
    needs: dict[str, tags.MacosVersion] = {}
    for member in opened.archive.members.values():
        if member.name.endswith((".so", ".dylib")):
            for part in _images(opened.read(member, limit=_LARGEST)):
                if part.minos is not None:
                    needs[part.arch] = max(part.minos, needs.get(part.arch, (0, 0)))
    # From macOS 11 on a tag's minor number is always 0: what needs 12.3 is for 12.0 by its tag.
    return {arch: tags.rounded(version) for arch, version in needs.items()}


def _images(content: bytes) -> Iterator[Image]:
    window = Window.whole(content)
    if not fat.is_fat(content[:8]):
        yield image.parse(window)
        return
    for arch in fat.parse(window).arches:
        yield image.parse(window.part(arch.offset, arch.size, "slice"))
