"""How a verification is asked for and shown: options of flags and configs, a table, a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.wheels.verify import Code, Severity, VerifyOptions
from tensorflow_macos_build.wheels.verify.must_export import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.wheels.verify import Finding, Verification

_LONGEST_LIST = 16 << 20
"""Bytes of the largest file of symbols that is read; TensorFlow exports 12 MB of names."""

_SHOWN = 200
"""Findings of one code that people are shown: a terminal holds no more, and a table takes long."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def options(must_export: Sequence[str], allow: Sequence[str], config: str) -> VerifyOptions:
    """Put together what the flags and the config ask for.

    Raises:
        UsageError: the config is wrong.
    """
    from tensorflow_macos_build import config as configs

    wanted = list(configs.load(config).release.verify.must_export) if config else []
    accepted = list(configs.load(config).release.verify.allow) if config else []
    for entry in must_export:
        is_file = not entry.startswith("@") and Path(entry).is_file()
        wanted += read(files.read_small_text(Path(entry), _LONGEST_LIST)) if is_file else [entry]
    return VerifyOptions(must_export=tuple(wanted), allow=(*accepted, *allow))


def as_document(found: Verification) -> documents.Json:
    """Return the verification as a document of schema verification.v1."""
    symbols = found.symbols
    return documents.document(
        "verification",
        1,
        {
            "wheel": found.wheel.name,
            "ok": found.ok,
            "counts": {severity.value: found.count(severity) for severity in Severity},
            "checked": {
                "members": found.members,
                "binaries": found.binaries,
                "slices": found.slices,
                "symbols": {
                    "bound": symbols.bound,
                    "missing": symbols.missing,
                    "system": symbols.system,
                    "dynamic": symbols.dynamic,
                },
            },
            "findings": [_finding(finding) for finding in found.findings],
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


def code_of(name: str) -> Code | None:
    """Find the code that `--explain` names; None when it names none.

    Raises:
        UsageError: there is no such code.
    """
    return Code.named(name) if name else None


def show(found: Verification, code: Code | None = None) -> None:
    """Print findings as a table to standard output; with `code`, those of that and its page."""
    chosen = [one for one in found.findings if code in (None, one.code)]
    console = Console(stderr=False)
    if chosen:
        console.table(_table(chosen, fold_notes=code is None))
    if code is not None:
        console.line(f"\n{code.explanation()}")
    console.line(_summary(found), "green" if found.ok else "red")


def _table(findings: Sequence[Finding], *, fold_notes: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("severity")
    table.add_column("code")
    table.add_column("where and what", overflow="fold")
    for (slug, severity), alike in _by_code(findings).items():
        most = 0 if fold_notes and severity is Severity.NOTE else _SHOWN
        for one in alike[:most]:
            where = f"{one.file or 'the wheel'}{f' ({one.slice})' if one.slice else ''}"
            cells = (severity.value, slug, f"{where}\n{one.message}")
            table.add_row(*cells, style=_STYLES[severity])
        if len(alike) > most:
            told = f"{len(alike) - most}{' more' if most else ''} of them; --json lists them"
            also = f", as --explain {slug} does" if not most else ""
            table.add_row(severity.value, slug, f"{told}{also}", style=_STYLES[severity])
    return table


def _by_code(findings: Sequence[Finding]) -> dict[tuple[str, Severity], list[Finding]]:
    """Return the findings of one code and severity together, in their order."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.code.slug, one.severity), []).append(one)
    return groups


def _summary(found: Verification) -> str:
    counts = ", ".join(
        f"{found.count(severity)} {severity.value}{'' if found.count(severity) == 1 else 's'}"
        for severity in Severity
    )
    symbols = found.symbols
    return (
        f"{found.wheel.name}: {counts}; {found.members} files, {found.binaries} binaries with"
        f" {found.slices} slices, {symbols.bound} symbols bound inside the wheel,"
        f" {symbols.system} from elsewhere"
    )
