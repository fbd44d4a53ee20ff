"""Plugins' wheels beside a wheel of TensorFlow: what is installed, opened and linked of each.

Source: `load_pluggable_device_library` of tensorflow/python/framework/load_library.py, which opens
every file of site-packages/tensorflow-plugins that ends in .dylib.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.dist_info import folders, install_paths, metadata, tags
from tensorflow_macos_build.wheels.verify import known_symbols, plugin_link
from tensorflow_macos_build.wheels.verify.examine import examine
from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity
from tensorflow_macos_build.wheels.verify.linked_images import first_few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.macho.window import Window
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.dist_info.tags import WheelName
    from tensorflow_macos_build.wheels.verify.binaries import Binary
    from tensorflow_macos_build.wheels.verify.plugin_link import MissingSymbol, PluginLink
    from tensorflow_macos_build.wheels.verify.spool import ExportStore

FOLDER = f"{install_paths.SITE_PACKAGES}/tensorflow-plugins"
_METADATA_LIMIT = 16 << 20

_AS_LOST = {Code.LIBRARY_MISSING, Code.LIBRARY_ELSEWHERE, Code.LIBRARY_ABSOLUTE}
"""What PLUGIN_LIBRARY says of a plugin: nobody looks into a third wheel for it."""


@dataclass(frozen=True)
class Plugin:
    """A plugin's wheel, read.

    Attributes:
        wheel: its file.
        name: the file name's parts; None when it is no wheel's name.
        binaries: its binaries.
        members: the names of its members.
        requires: the versions that it allows of each project it needs, as METADATA states them.
        findings: why it could not be read.
    """

    wheel: Path
    name: WheelName | None
    binaries: tuple[Binary, ...] = ()
    members: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class LinkedPlugin:
    """What becomes of a plugin beside the wheel.

    Attributes:
        wheel: the plugin's file.
        links: what becomes of each of its images on each architecture of the wheel.
        findings: what is wrong; `file` begins with the plugin's file name.
    """

    wheel: Path
    links: tuple[PluginLink, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class HostWheel:
    """The wheel that plugins are linked with.

    Attributes:
        name: the parts of its file name; None when it is no wheel's name.
        binaries: its binaries, and what might be one but cannot be read.
        members: the names of its members.
    """

    name: WheelName | None
    binaries: Sequence[Binary]
    members: frozenset[str]

    @property
    def arches(self) -> tuple[str, ...]:
        """The architectures that it has images for."""
        return tuple(sorted({arch for binary in self.binaries for arch in binary.slices}))


def read(wheel: Path, store: ExportStore, workers: int) -> Plugin:
    """Read a plugin's wheel; what it exports is put into `store`.

    Raises:
        UsageError: there is no such file.
    """
    try:
        named = tags.parse_name(wheel.name)
    except tags.BadName:
        named = None
    try:
        with open_archive(wheel) as archive:
            examined = examine(archive, None, store, workers, silent)
            requires = tuple(_requires(archive))
    except BrokenWheel as error:
        finding = Finding(Code.ARCHIVE_BROKEN, error.what, _below(wheel, error.where))
        return Plugin(wheel, named, findings=(finding,))
    # What is wrong with each binary on its own is for `verify` of the plugin itself to say, but
    # what hides it from the link.
    blinding = {Code.MEMBER_BROKEN, Code.MACHO_MALFORMED}
    findings = [finding for item in examined.values() for finding in item.findings]
    return Plugin(
        wheel,
        named,
        tuple(item.binary for item in examined.values() if item.binary is not None),
        tuple(examined),
        requires,
        tuple(_of(wheel, finding) for finding in findings if finding.code in blinding),
    )


def link(plugin: Plugin, host: HostWheel, tries: Window) -> LinkedPlugin:
    """Link a plugin dry with the wheel, for each of the wheel's architectures."""
    findings = [*plugin.findings, *(_of(plugin.wheel, finding) for finding in _check(plugin, host))]
    links: list[PluginLink] = []
    tops = _tops([*host.members, *plugin.members])
    for arch in host.arches:
        linked, faults = plugin_link.link(arch, host.binaries, plugin.binaries, tries, tops)
        links += linked
        findings += [_of(plugin.wheel, fault) for fault in faults if fault.code not in _AS_LOST]
    findings += [_of(plugin.wheel, finding) for each in links for finding in _unbound(each)]
    return LinkedPlugin(plugin.wheel, tuple(links), tuple(findings))


def _tops(members: Iterable[str]) -> frozenset[str]:
    owners = (install_paths.owner(install_paths.installed(name)) for name in members)
    return frozenset(owner for owner in owners if owner is not None)


def _check(plugin: Plugin, host: HostWheel) -> Iterator[Finding]:
    opened = [binary for binary in plugin.binaries if _is_opened(binary.name)]
    if not opened and not plugin.findings:
        message = "no .dylib in tensorflow-plugins: TensorFlow would open nothing of it"
        yield Finding(Code.PLUGIN_NONE, message)
    for binary in opened:
        yield from _architectures(binary, host.arches)
    installed = {install_paths.installed(name) for name in host.members}
    for member in plugin.members:
        if install_paths.installed(member) in installed:
            yield Finding(Code.PLUGIN_CLASH, "the wheel has a file of this name, too", member)
    if host.name is not None:
        yield from _unmet(plugin.requires, host.name)


def _is_opened(member: str) -> bool:
    folder, _, name = install_paths.installed(member).rpartition("/")
    return folder == FOLDER and name.endswith(".dylib")


def _architectures(binary: Binary, arches: Sequence[str]) -> Iterator[Finding]:
    lacking = [arch for arch in arches if arch not in binary.slices]
    if lacking:
        has = " and ".join(binary.slices) or "none that can be read"
        message = f"the wheel has {' and '.join(arches)}, the plugin {has}"
        # Where it has one of them the others' users have no device, and TensorFlow still works.
        weight = Severity.NOTE if len(lacking) < len(arches) else None
        yield Finding(Code.PLUGIN_ARCHITECTURE, message, binary.name, weight=weight)


def _unmet(requires: Iterable[Requirement], name: WheelName) -> Iterator[Finding]:
    version = name.parsed_version
    for needed in requires:
        # Environment markers that hold on no Mac are the installer's to judge, and rare here.
        alike = tags.canonical(needed.name) == name.project
        if alike and not needed.specifier.contains(version, prereleases=True):
            message = f"it requires {needed.name}{needed.specifier}, and the wheel is {version}"
            yield Finding(Code.PLUGIN_REQUIRES, message)


def _requires(archive: Archive) -> Iterator[Requirement]:
    stated = folders.folders(archive.members)
    member = archive.members.get(f"{stated[0]}/METADATA") if len(stated) == 1 else None
    if member is None:
        return
    try:
        fields = metadata.parse_fields(archive.read(member, limit=_METADATA_LIMIT))
    except metadata.BadMetadata:
        return  # `verify` of the plugin itself says so
    for text in fields.get_all("Requires-Dist") or ():
        try:
            yield Requirement(str(text))
        except InvalidRequirement:
            continue


def _unbound(link: PluginLink) -> Iterator[Finding]:
    for library in link.lost:
        message = f"{library} is in neither wheel"
        yield Finding(Code.PLUGIN_LIBRARY, message, link.member, link.arch)
    groups: dict[tuple[str, bool], list[MissingSymbol]] = {}
    for symbol in link.missing:
        groups.setdefault((symbol.library, symbol.is_weak), []).append(symbol)
    for (library, weak), symbols in groups.items():
        code = Code.PLUGIN_SYMBOL_WEAK if weak else Code.PLUGIN_SYMBOL
        yield Finding(code, _message(library, symbols, link.arch), link.member, link.arch)


def _message(library: str, symbols: Sequence[MissingSymbol], arch: str) -> str:
    source = library or "any image"
    text = f"{len(symbols)} expected from {source}: {first_few([each.name for each in symbols])}"
    elsewhere = sum(bool(each.elsewhere) for each in symbols)
    if elsewhere:
        text += f"; {elsewhere} of them are exported by other files of the wheel"
    if since := _since(symbols, arch):
        text += f"; {since}"
    return text


def _since(symbols: Iterable[MissingSymbol], arch: str) -> str:
    """Return since which releases they are gone, in words, as far as it is known."""
    gone: dict[str, int] = {}
    for symbol in symbols:
        history = known_symbols.history(arch, symbol.name)
        if history is not None and history.gone is not None and not symbol.elsewhere:
            words = f"not since {history.gone} (in {history.last})"
            gone[words] = gone.get(words, 0) + 1
    return ", ".join(f"{count} {words}" for words, count in sorted(gone.items()))


def _of(wheel: Path, finding: Finding) -> Finding:
    return replace(finding, file=_below(wheel, finding.file))


def _below(wheel: Path, member: str) -> str:
    return f"{wheel.name}/{member}" if member and member != wheel.name else wheel.name
