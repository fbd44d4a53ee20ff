"""The wheel's name against what it says of itself: dist-info and data folders, METADATA, WHEEL.

Source: PyPA's binary distribution format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.dist_info import data_folders, folders, install_paths, tags
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata, name_faults
from tensorflow_macos_build.wheels.dist_info.wheel_file import expanded_tags, parse_wheel
from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tensorflow_macos_build.wheels.dist_info.tags import WheelName


def check_folder(named: WheelName, folder: str, members: Collection[str]) -> Iterator[Finding]:
    """Compare the names of the dist-info and data folders with the file name."""
    if reason := folders.fault(folder, named):
        yield Finding(Code.DIST_INFO, reason, folder)
    for path in data_folders.outside_schemes(members):
        message = f"a data folder holds {', '.join(data_folders.SCHEMES)}, and nothing else"
        yield Finding(Code.DATA_FOLDER, message, path)
    for path in data_folders.folders_of_scripts(members):
        message = "it is a folder; uv takes only files for scripts"
        yield Finding(Code.DATA_FOLDER, message, path)
    for later, earlier in _installed_twice(members):
        message = f"it is installed at the same path as {earlier}"
        yield Finding(Code.DATA_FOLDER, message, later, weight=Severity.WARNING)
    for data in data_folders.misspelled(members, folder):
        message = f"it is not spelled like {folder}"
        yield Finding(Code.DATA_FOLDER, message, data, weight=Severity.WARNING)


def _installed_twice(members: Collection[str]) -> Iterator[tuple[str, str]]:
    # Without a data folder files are installed as they are unpacked, which `open_archive` checks.
    if data_folders.data_folders(members):
        yield from member_names.collisions(members, install_paths.installed)


def check_platforms(named: WheelName) -> Iterator[Finding]:
    """Find platform tags that no installer on a Mac asks for."""
    known = {platform for platform in named.platforms if tags.is_asked_for(platform)}
    for platform in named.platforms:
        if tags.is_of_mac(platform) and platform not in known:
            # A tag in vain does no harm beside one that installers ask for.
            promised = tags.promises([platform]).keys()
            spared = promised and promised <= tags.promises(known).keys()
            instead = tags.nearest(platform)
            hint = f"; they ask for {instead}" if instead else ""
            message = f"no installer asks for {platform}{hint}"
            weight = Severity.WARNING if spared else None
            yield Finding(Code.PLATFORM_TAG, message, weight=weight)


def check_metadata(named: WheelName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare METADATA's Name and Version with the file name."""
    for fault in name_faults(text, named):
        yield Finding(Code.METADATA_MISMATCH, fault, path)


def check_wheel(named: WheelName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare WHEEL's Tag and Build with the file name, and check its version."""
    try:
        file = parse_wheel(text)
        stated = expanded_tags(file.tags)
    except BadMetadata as error:
        yield Finding(Code.WHEEL_FILE, str(error), path)
        return
    # As sets of single tags: their order says nothing, and both may be compressed.
    if stated != named.expanded:
        only_file, only_name = (
            ", ".join(sorted(map(str, stated - named.expanded))) or "none",
            ", ".join(sorted(map(str, named.expanded - stated))) or "none",
        )
        message = f"tags only in WHEEL: {only_file}; only in the file name: {only_name}"
        yield Finding(Code.WHEEL_TAGS, message, path)
    if file.build != named.build:
        message = f"Build is `{file.build or ''}`, the file name says `{named.build or ''}`"
        yield Finding(Code.WHEEL_BUILD, message, path)
