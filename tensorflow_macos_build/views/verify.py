"""A verification as a document, and as a table and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, in_style
from tensorflow_macos_build.wheels.verify import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.views.tables import Cells
    from tensorflow_macos_build.wheels.verify import Code, Finding, Verification
    from tensorflow_macos_build.wheels.verify.plugin_link import PluginLink
    from tensorflow_macos_build.wheels.verify.plugins import LinkedPlugin

_SHOWN = 200
"""Findings of one code that people are shown: a terminal holds no more, and a table takes long."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def as_document(verification: Verification) -> documents.Json:
    """Return a verification as a document of the schema verification.v1."""
    symbols = verification.symbols
    return documents.document(
        "verification",
        1,
        {
            "wheel": verification.wheel.name,
            "ok": verification.ok,
            "counts": {severity.value: verification.count(severity) for severity in Severity},
            "checked": {
                "members": verification.members,
                "binaries": verification.binaries,
                "slices": verification.slices,
                "symbols": {
                    "bound": symbols.bound,
                    "missing": symbols.missing,
                    "system": symbols.system,
                    "dynamic": symbols.dynamic,
                },
            },
            "findings": [_finding(finding) for finding in verification.findings],
            "plugins": [_plugin(plugin) for plugin in verification.plugins],
        },
    )


def _finding(finding: Finding) -> documents.Json:
    return {
        "code": finding.code.slug,
        "severity": finding.severity.value,
        "file": finding.file,
        "slice": finding.slice,
        "message": finding.message,
        "accepted": finding.accepted,
    }


def _plugin(plugin: LinkedPlugin) -> documents.Json:
    return {"wheel": plugin.wheel.name, "links": [_link(link) for link in plugin.links]}


def _link(link: PluginLink) -> documents.Json:
    return {
        "file": link.member,
        "slice": link.arch,
        "loads": link.loads,
        "lost": list(link.lost),
        "bound": len(link.bound),
        "others": link.others,
        "missing": [
            {
                "name": symbol.name,
                "library": symbol.library,
                "weak": symbol.is_weak,
                "elsewhere": list(symbol.elsewhere),
            }
            for symbol in link.missing
        ],
    }


def as_lines(
    verification: Verification, code: Code | None = None, page: str = ""
) -> Iterator[Part]:
    """Yield the findings as a table, and a summary; with `code`, those of that and its `page`."""
    chosen = [finding for finding in verification.findings if code in (None, finding.code)]
    if chosen:
        # Who asks for one code, by --explain, is to see all of its findings, notes too.
        yield _table(chosen, fold_notes=code is None)
    if code is not None:
        yield Line(f"\n{page}")
    for plugin in verification.plugins:
        yield from _plugin_lines(plugin)
    yield Line(_summary(verification), "green" if verification.ok else "red")


def _plugin_lines(plugin: LinkedPlugin) -> Iterator[Line]:
    for link in plugin.links:
        weak = sum(symbol.is_weak for symbol in link.missing)
        verdict = "loads" if link.loads else "does not load"
        counts = f"{len(link.bound)} symbols bound, {len(link.missing) - weak} missing"
        also = f", {weak} weak ones null" if weak else ""
        yield Line(
            f"{plugin.wheel.name} ({link.arch}): {link.member} {verdict}: {counts}{also}",
            "green" if link.loads else "red",
        )


def _table(findings: Sequence[Finding], *, fold_notes: bool) -> Table:
    rows: list[Cells] = []
    for (slug, severity), alike in _by_code(findings).items():
        # notes ask nothing of anybody, and would bury what does
        most = 0 if fold_notes and severity is Severity.NOTE else _SHOWN
        for finding in alike[:most]:
            where = f"{finding.file or 'the wheel'}{f' ({finding.slice})' if finding.slice else ''}"
            cells = (severity.value, slug, f"{where}\n{finding.message}")
            rows.append(in_style(_STYLES[severity], *cells))
        if len(alike) > most:
            rest = f"{len(alike) - most}{' more' if most else ''} of them; --json lists them"
            also = f", as --explain {slug} does" if not most else ""
            rows.append(in_style(_STYLES[severity], severity.value, slug, f"{rest}{also}"))
    return Table.of(("", "", ""), rows)


def _by_code(findings: Sequence[Finding]) -> dict[tuple[str, Severity], list[Finding]]:
    """Return the findings of one code and severity together, in their order."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code.slug, finding.severity), []).append(finding)
    return groups


def _summary(verification: Verification) -> str:
    counts = ((verification.count(severity), severity.value) for severity in Severity)
    listed = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    symbols = verification.symbols
    return (
        f"{verification.wheel.name}: {listed}; {verification.members} files,"
        f" {verification.binaries} binaries with {verification.slices} slices,"
        f" {symbols.bound} symbols bound inside the wheel, {symbols.system} from elsewhere"
    )
