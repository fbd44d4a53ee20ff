"""The verification of a wheel, from its file to its findings."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed, printable
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.dist_info import folders, install_paths, tags
from tensorflow_macos_build.wheels.dist_info import fused_json as fused
from tensorflow_macos_build.wheels.verify import (
    binding,
    coverage,
    entry_points,
    metadata,
)
from tensorflow_macos_build.wheels.verify.binaries import Binary
from tensorflow_macos_build.wheels.verify.binding import Counts
from tensorflow_macos_build.wheels.verify.examine import Examined, examine
from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity
from tensorflow_macos_build.wheels.verify.must_export import expand
from tensorflow_macos_build.wheels.verify.spool import Kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.dist_info.tags import WheelName

_MINIMUM_WORKERS = 2
_LONGEST = 4000
_PAPERS_LIMIT = 64 << 20


@dataclass(frozen=True)
class VerifyOptions:
    """What a verification asks for beyond what every wheel must hold.

    Attributes:
        must_export: what some binary of every architecture must export: C names, or `@LIST` as
            `must_export.expand` takes it.
        allow: accepted findings, each `CODE` or `CODE:GLOB`, the glob matching members.
        workers: threads; None: one a core, two at least.
    """

    must_export: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
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
    """

    wheel: Path
    findings: tuple[Finding, ...]
    members: int
    binaries: int
    slices: int
    symbols: Counts

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity is severity for finding in self.findings)


def verify(
    wheel: Path, options: VerifyOptions | None = None, ticker: Ticker = silent
) -> Verification:
    """Check a wheel as installers, dyld and the kernel of macOS would, on any host.

    Raises:
        UsageError: there is no such file, or an option is wrong.
        WorkFailed: there is no room for temporary files.
    """
    chosen = options or VerifyOptions()
    chosen = replace(chosen, must_export=expand(chosen.must_export))
    allow = _Allow(chosen.allow)
    try:
        with open_archive(wheel) as archive:
            found = _Verifier(wheel, archive, chosen, ticker).run()
    except BrokenWheel as error:
        message = error.what if error.where == wheel.name else f"{error.where}: {error.what}"
        finding = Finding(Code.ARCHIVE_BROKEN, message)
        found = Verification(wheel, (finding,), 0, 0, 0, Counts())
    except OSError as error:
        raise WorkFailed(
            f"a temporary file could not be written: {error.strerror}",
            hint="the largest binaries of the wheel need their size in the folder TMPDIR names",
        ) from error
    return replace(found, findings=allow.apply(_folded(found.findings)))


def _folded(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Put what is found alike in several slices of a file together, as one finding."""
    groups: dict[Finding, list[str]] = {}
    for one in findings:
        alike = replace(one, slice="", message=_printable(one.message))
        groups.setdefault(alike, []).append(one.slice)
    for alike, slices in groups.items():
        yield replace(alike, slice=", ".join(sorted({arch for arch in slices if arch})))


def _printable(message: str) -> str:
    """Make what a file says harmless: names may be endless, too."""
    shown = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
    return printable(shown)


class _Allow:
    def __init__(self, entries: tuple[str, ...]) -> None:
        split = [entry.partition(":") for entry in entries]
        self._entries = [(Code.named(slug), glob or "*") for slug, _, glob in split]

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        judged = (replace(one, accepted=self._accepts(one)) for one in findings)
        return tuple(sorted(judged, key=lambda finding: finding.order))

    def _accepts(self, finding: Finding) -> bool:
        return any(
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
        record = self._text("RECORD")
        self._listing = None if record is None else metadata.read_record(record, archive.members)

    def run(self) -> Verification:
        findings = list(self._papers())
        with contextlib.closing(Kept()) as kept:
            examined = self._examine(kept)
            held = [one.binary for one in examined.values() if one.binary is not None]
            platforms = frozenset(self._named.platforms if self._named else ())
            promised, stated = tags.promises(platforms), self._one_sided()
            for one in held:
                rules = stated.get(one.name, frozenset())
                findings += coverage.check(one, promised, platforms, rules)
            with kept.reading() as tries:
                must = frozenset(self._options.must_export)
                unread = [
                    Binary(name, {}) for name, one in examined.items() if one.contents is None
                ]
                counts, linked = binding.link([*held, *unread], tries, self._tops(), must)
        findings += linked
        findings += [finding for one in examined.values() for finding in one.findings]
        findings += self._record(examined)
        slices = sum(len(one.slices) for one in held)
        return Verification(self._wheel, tuple(findings), len(examined), len(held), slices, counts)

    def _tops(self) -> frozenset[str]:
        owners = (
            install_paths.owner(install_paths.installed(name)) for name in self._archive.members
        )
        return frozenset(owner for owner in owners if owner is not None)

    def _examine(self, kept: Kept) -> dict[str, Examined]:
        workers = self._options.workers or max(os.cpu_count() or 1, _MINIMUM_WORKERS)
        return examine(self._archive, self._listing, kept, workers, self._ticker)

    def _papers(self) -> Iterator[Finding]:
        if self._named is None:
            yield Finding(Code.FILENAME, self._unnamed)
        else:
            yield from metadata.check_platforms(self._named)
        if len(self._folders) != 1:
            found = ", ".join(self._folders) or "none"
            yield Finding(Code.DIST_INFO, f"one .dist-info folder is needed: {found}")
            return
        for name in ("WHEEL", "METADATA", "RECORD"):
            member = self._archive.members.get(self._path(name))
            if member is None:
                yield Finding(Code.DIST_INFO, "the file is missing", self._path(name))
            elif member.size > _PAPERS_LIMIT:
                message = f"{member.size} bytes are more than the {_PAPERS_LIMIT} that are read"
                yield Finding(Code.DIST_INFO, message, self._path(name))
        if (text := self._text(entry_points.NAME)) is not None:
            yield from entry_points.check(self._path(entry_points.NAME), text)
        if self._named is not None:
            yield from self._named_papers(self._named)

    def _named_papers(self, named: WheelName) -> Iterator[Finding]:
        yield from metadata.check_folder(named, self._folders[0], self._archive.members)
        if (text := self._text("METADATA")) is not None:
            yield from metadata.check_metadata(named, self._path("METADATA"), text)
        if (text := self._text("WHEEL")) is not None:
            yield from metadata.check_wheel(named, self._path("WHEEL"), text)

    def _record(self, examined: Mapping[str, Examined]) -> Iterator[Finding]:
        if self._listing is not None:
            contents = {name: one.contents for name, one in examined.items()}
            yield from metadata.check_record(self._path("RECORD"), self._listing, contents)

    def _one_sided(self) -> Mapping[str, frozenset[str]]:
        """Return the architectures of what rules made one-sided, by path, as fuse recorded it."""
        try:
            found = fused.read(self._archive, self._folders[0]) if len(self._folders) == 1 else None
        except (fused.BadRecord, BrokenWheel):
            return {}
        one_sided = found.one_sided if found is not None else {}
        return {path: frozenset({arch}) for arch, paths in one_sided.items() for path in paths}

    def _path(self, name: str) -> str:
        return f"{self._folders[0]}/{name}"

    def _text(self, name: str) -> bytes | None:
        """Read a file of dist-info; None when a finding elsewhere says that it cannot be."""
        member = self._archive.members.get(self._path(name)) if len(self._folders) == 1 else None
        try:
            return None if member is None else self._archive.read(member, limit=_PAPERS_LIMIT)
        except BrokenWheel:
            return None
