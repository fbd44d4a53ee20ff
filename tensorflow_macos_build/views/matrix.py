"""Views of the table of plugins and releases of TensorFlow: a document, lines, Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.wheels.matrix import Cell, Matrix, MatrixWheel

MACOS = "tensorflow-macos"
"""The project of Apple's own wheels of TensorFlow."""

LEGEND = (
    "`loads`: every symbol binds. A number: so many symbols are missing where dyld looks for them."
    " `+ library`: a library that the plugin loads is not there, either. `N null`: it loads, and N"
    " weak symbols are null. An `m` marks a release of tensorflow-macos."
)


def as_document(matrix: Matrix) -> documents.Json:
    """Return the table as a document of the schema plugin-matrix.v1."""
    names = {name: index for index, name in enumerate(matrix.names)}
    plugins = {wheel: index for index, wheel in enumerate(matrix.plugins)}
    hosts = {wheel: index for index, wheel in enumerate(matrix.hosts)}
    return documents.document(
        "plugin-matrix",
        1,
        {
            "names": list(names),
            "plugins": [
                {**_wheel(wheel), "takes": _ranges(_indices(matrix.taken(wheel), names))}
                for wheel in plugins
            ],
            "hosts": [
                {**_wheel(wheel), "exported": _ranges(_indices(matrix.exported[wheel], names))}
                for wheel in hosts
            ],
            "cells": [
                {
                    "plugin": plugins[cell.plugin],
                    "host": hosts[cell.host],
                    "loads": cell.loads,
                    "lost": list(cell.lost),
                    "bound": len(cell.bound),
                    "missing": _indices(cell.missing, names),
                    "weak": _indices(cell.weak, names),
                    "elsewhere": _indices(cell.elsewhere, names),
                }
                for cell in matrix.cells
            ],
            "passed_over": list(matrix.passed_over),
        },
    )


def _wheel(wheel: MatrixWheel) -> documents.Json:
    return {
        "project": wheel.project,
        "version": wheel.version,
        "arch": wheel.arch,
        "wheel": wheel.name,
        "sha256": wheel.sha256,
    }


def _indices(symbols: Iterable[str], names: Mapping[str, int]) -> list[int]:
    return sorted(names[symbol] for symbol in symbols)


def _ranges(indices: Iterable[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for index in indices:
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return ranges


def as_lines(matrix: Matrix) -> Iterator[Part]:
    """Yield a table for each architecture, and what the words in it mean."""
    for arch in matrix.arches:
        titles = ("", *map(column_head, matrix.columns(arch)))
        rows = (
            (TableCell(plugin.version), *map(_table_cell, cells))
            for plugin, cells in matrix.rows(arch)
        )
        yield Table.of(titles, rows, arch)
    yield Line(LEGEND.replace("`", ""))
    if matrix.passed_over:
        yield Line(f"without a library, and so left out: {', '.join(matrix.passed_over)}")


def _table_cell(cell: Cell) -> TableCell:
    return TableCell(in_words(cell), "green" if cell.loads else "red")


def as_markdown(matrix: Matrix) -> str:
    """Return a table for each architecture, with TensorFlow's releases downwards."""
    lines: list[str] = []
    for arch in matrix.arches:
        rows = list(matrix.rows(arch))
        lines += [f"### {arch}", ""]
        lines.append(f"| TensorFlow | {' | '.join(plugin.version for plugin, _ in rows)} |")
        lines.append(f"| --- |{' --- |' * len(rows)}")
        for host in matrix.columns(arch):
            cells = (cell for _, row in rows for cell in row if cell.host == host)
            lines.append(f"| {column_head(host)} | {' | '.join(map(in_words, cells))} |")
        lines.append("")
    return "\n".join([*lines, LEGEND, ""])


def column_head(host: MatrixWheel) -> str:
    """Return what a release of TensorFlow is called in a table."""
    return f"{host.version}{' m' if host.project == MACOS else ''}"


def in_words(cell: Cell) -> str:
    """Return what becomes of a plugin, in a few words."""
    if cell.loads:
        return f"loads, {len(cell.weak)} null" if cell.weak else "loads"
    return f"{len(cell.missing)}{' + library' if cell.lost else ''}"
