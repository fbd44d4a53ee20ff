"""The verification of a wheel, from its file to its findings."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import cycles
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed, printable
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.dist_info import folders, fused_json, install_paths, tags
from tensorflow_macos_build.wheels.verify import (
    binding,
    coverage,
    entry_points,
    metadata,
    plugins,
    record,
)
from tensorflow_macos_build.wheels.verify.binaries import Binary
from tensorflow_macos_build.wheels.verify.examine import ExaminedMember, examine
from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity
from tensorflow_macos_build.wheels.verify.must_export import expand
from tensorflow_macos_build.wheels.verify.spool import ExportStore
from tensorflow_macos_build.wheels.verify.symbol_binding import SymbolCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.dist_info.tags import WheelName
    from tensorflow_macos_build.wheels.verify.plugins import LinkedPlugin

_MINIMUM_WORKERS = 2
_LONGEST_MESSAGE = 4000
_DIST_INFO_LIMIT = 64 << 20
"""Bytes of a file of dist-info that are read: these few are held in memory whole."""


@dataclass(frozen=True)
class VerifyOptions:
    """What a verification asks for beyond what every wheel must hold.

    Attributes:
        must_export: what some binary of every architecture must export: C names, or `@LIST` as
            `must_export.expand` takes it.
        allow: accepted findings, each `CODE` or `CODE:GLOB`, the glob matching members.
        plugins: wheels of plugins that TensorFlow must load when they are installed beside it.
        workers: threads; None: one a core, two at least.
    """

    must_export: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    plugins: tuple[Path, ...] = ()
    workers: int | None = None


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what was found.

    Attributes:
        wheel: the wheel's file.
        findings: heaviest first.
        members: files in the wheel.
        binaries: how many of them are Mach-O files or static archives.
        slices: how many architectures these have, summed up.
        symbols: what became of their undefined symbols.
        plugins: what becomes of each plugin beside it.
    """

    wheel: Path
    findings: tuple[Finding, ...]
    members: int
    binaries: int
    slices: int
    symbols: SymbolCounts
    plugins: tuple[LinkedPlugin, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity is severity for finding in self.findings)


@cycles.rarely_sought()
def verify(
    wheel: Path, options: VerifyOptions | None = None, ticker: Ticker = silent
) -> Verification:
    """Check a wheel as installers, dyld and the kernel of macOS would, on any host.

    Raises:
        UsageError: there is no such file, a plugin's neither, or an option is wrong.
        WorkFailed: there is no room for temporary files.
    """
    # Before the wheel is opened, which takes long: a wrong option is said at once.
    chosen = options or VerifyOptions()
    chosen = replace(chosen, must_export=expand(chosen.must_export))
    allow = _Acceptance(chosen.allow)
    for plugin in chosen.plugins:
        if not plugin.is_file():
            raise UsageError("there is no such plugin's wheel", where=str(plugin))
    try:
        with open_archive(wheel) as archive:
            verification = _Verifier(wheel, archive, chosen, ticker).run()
    except BrokenWheel as error:
        message = error.what if error.where == wheel.name else f"{error.where}: {error.what}"
        finding = Finding(Code.ARCHIVE_BROKEN, message)
        verification = Verification(wheel, (finding,), 0, 0, 0, SymbolCounts())
    except OSError as error:
        raise WorkFailed(
            f"a temporary file could not be written: {error.strerror}",
            hint="the largest binaries' tables need their size in the folder that TMPDIR names",
        ) from error
    return replace(verification, findings=allow.apply(_folded(verification.findings)))


def _folded(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Put what is found alike in several slices of a file together, as one finding."""
    # Else a universal wheel would tell nearly everything twice.
    groups: dict[Finding, list[str]] = {}
    for finding in findings:
        alike = replace(finding, slice="", message=_printable(finding.message))
        groups.setdefault(alike, []).append(finding.slice)
    for alike, slices in groups.items():
        yield replace(alike, slice=", ".join(sorted({arch for arch in slices if arch})))


def _printable(message: str) -> str:
    """Return what a file says without what a terminal obeys, and cut off: names may be endless."""
    shown = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
    return printable(shown)


class _Acceptance:
    """What `VerifyOptions.allow` accepts."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        split = [entry.partition(":") for entry in entries]
        self._entries = [(Code.named(slug), glob or "*") for slug, _, glob in split]

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        marked = (replace(finding, accepted=self._accepts(finding)) for finding in findings)
        return tuple(sorted(marked, key=lambda finding: finding.order))

    def _accepts(self, finding: Finding) -> bool:
        return any(
            # fnmatch() alone folds case on some systems, and would accept other findings there.
            finding.code is code and fnmatch.fnmatchcase(finding.file, glob)
            for code, glob in self._entries
        )


def _name(wheel: Path) -> tuple[WheelName | None, str]:
    """Return the parts of the file name, or None and why it is none."""
    try:
        return tags.parse_name(wheel.name), ""
    except tags.BadName as error:
        return None, str(error)


class _Verifier:
    def __init__(
        self, wheel: Path, archive: Archive, options: VerifyOptions, ticker: Ticker
    ) -> None:
        self._wheel = wheel
        self._archive = archive
        self._options = options
        self._ticker = ticker
        self._named, self._unnamed = _name(wheel)
        self._folders = folders.folders(archive.members)
        text = self._text("RECORD")
        # Before the members: RECORD says by which hash each of them is to be read.
        self._listing = None if text is None else record.read_record(text, archive.members)

    def run(self) -> Verification:
        findings = list(self._dist_info())
        with contextlib.closing(ExportStore()) as exports:
            examined = self._examine(exports)
            binaries = [item.binary for item in examined.values() if item.binary is not None]
            findings += self._coverage(binaries)
            # A member whose data is broken might be the library that others look for.
            broken = [Binary(name, {}) for name, item in examined.items() if item.contents is None]
            companions = [
                plugins.read(wheel, exports, self._workers) for wheel in self._options.plugins
            ]
            with exports.reading() as tries:
                must_export = frozenset(self._options.must_export)
                counts, linked = binding.link(
                    [*binaries, *broken], tries, self._tops(), must_export
                )
                host = plugins.HostWheel(self._named, [*binaries, *broken], frozenset(examined))
                beside = tuple(plugins.link(plugin, host, tries) for plugin in companions)
        findings += linked
        findings += [finding for plugin in beside for finding in plugin.findings]
        findings += [finding for item in examined.values() for finding in item.findings]
        findings += self._record(examined)
        return Verification(
            wheel=self._wheel,
            findings=tuple(findings),
            members=len(examined),
            binaries=len(binaries),
            slices=sum(len(binary.slices) for binary in binaries),
            symbols=counts,
            plugins=beside,
        )

    def _coverage(self, binaries: Iterable[Binary]) -> Iterator[Finding]:
        platforms = frozenset(self._named.platforms if self._named else ())
        promised, stated = tags.promises(platforms), self._one_sided()
        for binary in binaries:
            rules = stated.get(binary.name, frozenset())
            yield from coverage.check(binary, promised, platforms, rules)

    def _tops(self) -> frozenset[str]:
        owners = (
            install_paths.owner(install_paths.installed(name)) for name in self._archive.members
        )
        return frozenset(owner for owner in owners if owner is not None)

    def _examine(self, exports: ExportStore) -> dict[str, ExaminedMember]:
        return examine(self._archive, self._listing, exports, self._workers, self._ticker)

    @property
    def _workers(self) -> int:
        return self._options.workers or max(os.cpu_count() or 1, _MINIMUM_WORKERS)

    def _dist_info(self) -> Iterator[Finding]:
        if self._named is None:
            yield Finding(Code.FILENAME, self._unnamed)
        else:
            yield from metadata.check_platforms(self._named)
        if len(self._folders) != 1:
            listed = ", ".join(self._folders) or "none"
            yield Finding(Code.DIST_INFO, f"one .dist-info folder is needed: {listed}")
            return
        for name in ("WHEEL", "METADATA", "RECORD"):
            member = self._archive.members.get(self._path(name))
            if member is None:
                yield Finding(Code.DIST_INFO, "the file is missing", self._path(name))
            elif member.size > _DIST_INFO_LIMIT:
                message = f"{member.size} bytes are more than the {_DIST_INFO_LIMIT} that are read"
                yield Finding(Code.DIST_INFO, message, self._path(name))
        if (text := self._text(entry_points.NAME)) is not None:
            yield from entry_points.check(self._path(entry_points.NAME), text)
        if self._named is not None:
            yield from self._named_dist_info(self._named)

    def _named_dist_info(self, named: WheelName) -> Iterator[Finding]:
        yield from metadata.check_folder(named, self._folders[0], self._archive.members)
        if (text := self._text("METADATA")) is not None:
            yield from metadata.check_metadata(named, self._path("METADATA"), text)
        if (text := self._text("WHEEL")) is not None:
            yield from metadata.check_wheel(named, self._path("WHEEL"), text)

    def _record(self, examined: Mapping[str, ExaminedMember]) -> Iterator[Finding]:
        if self._listing is not None:
            contents = {name: item.contents for name, item in examined.items()}
            yield from record.check_record(self._path("RECORD"), self._listing, contents)

    def _one_sided(self) -> Mapping[str, frozenset[str]]:
        """Return the architectures of what rules made one-sided, by path, as fuse recorded it."""
        if len(self._folders) != 1:
            return {}
        try:
            fused = fused_json.read(self._archive, self._folders[0])
        except (fused_json.BadRecord, BrokenWheel):
            return {}  # what cannot be read excuses nothing
        one_sided = fused.one_sided if fused is not None else {}
        return {path: frozenset({arch}) for arch, paths in one_sided.items() for path in paths}

    def _path(self, name: str) -> str:
        return f"{self._folders[0]}/{name}"

    def _text(self, name: str) -> bytes | None:
        """Read a file of dist-info; None when a finding elsewhere says that it cannot be."""
        member = self._archive.members.get(self._path(name)) if len(self._folders) == 1 else None
        try:
            return None if member is None else self._archive.read(member, limit=_DIST_INFO_LIMIT)
        except BrokenWheel:
            return None
