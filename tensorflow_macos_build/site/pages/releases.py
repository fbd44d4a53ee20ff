"""Releases: for which Macs and Pythons, what was looked at before, and how to install them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tensorflow_macos_build.release.model import SUMS, FileKind, GateOutcome
from tensorflow_macos_build.report.amounts import size
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Cell,
    Column,
    ColumnKind,
    Fact,
    Page,
    Row,
    Section,
    Table,
    Tone,
    number,
    numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.site.pages.published import PublishedRelease, ReleasedWheel

FILE = "releases.html"

_GATES = {
    GateOutcome.PASSED: Tone.GOOD,
    GateOutcome.WAIVED: Tone.WARN,
    GateOutcome.FAILED: Tone.BAD,
}

_CHECKS = {"holds": Tone.GOOD, "broken": Tone.BAD, "unknown": Tone.WARN}

_OUTCOMES = {"passed": Tone.GOOD, "not_run": Tone.SOFT, "not_applicable": Tone.SOFT}
"""The tones of outcomes that are no failures, but for known limits."""

_SEVERITIES = (("error", Tone.BAD), ("warning", Tone.WARN), ("note", Tone.PLAIN))


def page(releases: Sequence[PublishedRelease], index: str) -> Page | None:
    """Return the page; None: nothing was released.

    Args:
        releases: the newest first.
        index: the address of the package index that installs them; "" for none.
    """
    if not releases:
        return None
    return Page(
        name="releases",
        title="Releases",
        lead="Each wheel with the Macs and Pythons that it is for, its hash, and what was checked.",
        cards=tuple(map(_card, releases)),
        sections=tuple(_section(release, index) for release in releases),
    )


def section_address(release: PublishedRelease) -> str:
    """Return where a release stands on its page."""
    return address(release.manifest.tag)


def summary(release: PublishedRelease) -> str:
    """Return in a sentence what a release is for."""
    wheels = [wheel for wheel in release.wheels if wheel.file.kind is FileKind.WHEEL]
    systems = "; ".join(dict.fromkeys(system for wheel in wheels for system in wheel.systems))
    pythons = ", ".join(dict.fromkeys(wheel.python for wheel in wheels if wheel.python))
    return f"For {systems or 'systems that its name does not say'}, with {pythons or 'any Python'}."


def _card(release: PublishedRelease) -> Fact:
    manifest = release.manifest
    href = f"{FILE}#{section_address(release)}"
    waived = [gate.name for gate in manifest.gates if gate.outcome is GateOutcome.WAIVED]
    detail = f" Waived: {', '.join(waived)}." if waived else ""
    return Fact(
        name=f"{manifest.project} {manifest.version}",
        text=manifest.tag,
        tone=Tone.WARN if waived else Tone.GOOD,
        href=href,
        detail=f"{summary(release)}{detail}",
    )


def _section(release: PublishedRelease, index: str) -> Section:
    manifest = release.manifest
    upstream = manifest.upstream
    facts = (
        *((Fact("published", release.time),) if release.time else ()),
        Fact("built of", f"{upstream['ref']} of {upstream['url']}"),
        Fact("commit", upstream["commit"], is_code=True),
        Fact("prepared by", f"tensorflow_macos_build {manifest.tool['version']}"),
    )
    tables = (
        _wheels(release.wheels),
        _gates(release),
        *_evidence(release.wheels),
        *_smoke(release.wheels),
        *_checks(release),
    )
    return Section(
        name=manifest.tag,
        title=f"{manifest.project} {manifest.version}",
        lead=summary(release),
        facts=facts,
        commands=tuple(_commands(release, index)),
        tables=tables,
        folded=(_files(release),),
    )


def _commands(release: PublishedRelease, index: str) -> Iterator[str]:
    """Yield how the wheels are installed and checked, as lines for a shell."""
    manifest = release.manifest
    wheels = [wheel for wheel in release.wheels if wheel.file.kind is FileKind.WHEEL]
    if index:
        requirement = f"{manifest.project}=={manifest.version}"
        yield shlex.join(("python3", "-m", "pip", "install", "--index-url", index, requirement))
    else:
        for wheel in wheels:
            where = f"{wheel.url}#sha256={wheel.file.sha256}" if wheel.url else wheel.file.name
            yield shlex.join(("python3", "-m", "pip", "install", where))
    yield f"shasum -a 256 --check {SUMS}"


def _wheels(wheels: Sequence[ReleasedWheel]) -> Table:
    columns = (
        *map(Column, ("for", "Python", "instruction set")),
        *numbers("size"),
        Column("SHA-256", ColumnKind.CODE),
    )
    return Table("wheels", "Wheels", "file", columns, tuple(map(_wheel, wheels)))


def _wheel(wheel: ReleasedWheel) -> Row:
    requires = wheel.listed and wheel.listed["requires_python"]
    yanked = wheel.listed and wheel.listed["yanked"]
    head = Cell(
        wheel.file.name,
        Tone.BAD if yanked is not None else Tone.PLAIN,
        note="" if yanked is None else f"withdrawn: {yanked}",
        href=wheel.url,
    )
    cells = (
        Cell("; ".join(wheel.systems)),
        Cell(wheel.python, note=f"Python {requires}" if requires else ""),
        Cell("; ".join(wheel.instructions) or "not stated"),
        Cell(size(wheel.file.size)),
        Cell(wheel.file.sha256),
    )
    return Row(head, cells)


def _gates(release: PublishedRelease) -> Table:
    rows = tuple(
        Row(Cell(gate.name), (Cell(gate.outcome.value, _GATES[gate.outcome]), Cell(gate.why)))
        for gate in release.manifest.gates
    )
    columns = (Column("outcome"), Column("seen"))
    return Table("gates", "What had to hold before it was published", "gate", columns, rows)


def _evidence(wheels: Sequence[ReleasedWheel]) -> Iterator[Table]:
    rows = tuple(
        Row(
            Cell(wheel.file.name),
            tuple(
                number(
                    wheel.findings.get(name, 0), tone if wheel.findings.get(name) else Tone.PLAIN
                )
                for name, tone in _SEVERITIES
            ),
        )
        for wheel in wheels
        if wheel.findings is not None
    )
    if rows:
        yield Table(
            "findings", "Findings of verify", "file", numbers("errors", "warnings", "notes"), rows
        )


def _smoke(wheels: Sequence[ReleasedWheel]) -> Iterator[Table]:
    counts = [(wheel, count) for wheel in wheels for count in wheel.smoke]
    names = sorted({name for _, count in counts for name in count.outcomes})
    rows = tuple(
        Row(
            Cell(f"{count.machine}, as {count.target}", note=wheel.file.name),
            tuple(_outcome(name, count.outcomes.get(name, 0)) for name in names),
            f"{wheel.file.name} on {count.machine} as {count.target}",
        )
        for wheel, count in counts
    )
    if rows:
        titles = numbers(*(name.replace("_", " ") for name in names))
        yield Table("smoke", "Checks of trying it", "machine", titles, rows)


def _outcome(name: str, count: int) -> Cell:
    failure = Tone.WARN if name == "known_limit" else Tone.BAD
    return number(count, _OUTCOMES.get(name, failure) if count else Tone.PLAIN)


def _checks(release: PublishedRelease) -> Iterator[Table]:
    """Yield what `release.verify` said of what was published, where that is known."""
    if release.checks:
        rows = tuple(
            Row(
                Cell(check["name"], note=check["file"]),
                (Cell(check["state"], _CHECKS[check["state"]]), Cell(check["words"])),
                f"{check['name']} {check['file']}",
            )
            for check in release.checks
        )
        columns = (Column("state"), Column("seen"))
        yield Table("checks", "Checked after it was published", "check", columns, rows)


def _files(release: PublishedRelease) -> Table:
    rows = tuple(
        Row(Cell(file.name), (Cell(file.kind.value), Cell(size(file.size)), Cell(file.sha256)))
        for file in release.manifest.files
    )
    columns = (Column("what"), *numbers("size"), Column("SHA-256", ColumnKind.CODE))
    return Table("files", f"All {len(rows)} files", "file", columns, rows)
