"""The table of plugins and releases of TensorFlow, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class MatrixWheel:
    """A wheel of the table.

    Attributes:
        project: its project, in normal form.
        version: its version.
        arch: the architecture that it is looked at for.
        name: its file name.
        sha256: its hash, as the index states it.
    """

    project: str
    version: str
    arch: str
    name: str
    sha256: str

    @property
    def order(self) -> tuple[str, Version, str]:
        """The place in a table: by architecture, then by version."""
        return self.arch, Version(self.version), self.project


@dataclass(frozen=True, slots=True)
class Cell:
    """What becomes of a plugin beside a release of TensorFlow.

    Attributes:
        plugin: the plugin's wheel.
        host: TensorFlow's.
        lost: install names of libraries that it loads and that are nowhere.
        bound: the symbols that it gets from the two wheels.
        missing: the symbols that it lacks and cannot do without.
        weak: those that it lacks and does without.
        elsewhere: those of both that other libraries of TensorFlow export.
    """

    plugin: MatrixWheel
    host: MatrixWheel
    lost: tuple[str, ...]
    bound: frozenset[str]
    missing: frozenset[str]
    weak: frozenset[str]
    elsewhere: frozenset[str]

    @property
    def loads(self) -> bool:
        """Whether dyld loads the plugin."""
        return not self.lost and not self.missing


@dataclass(frozen=True)
class Matrix:
    """The table.

    Attributes:
        plugins: the plugins' wheels, in order.
        hosts: TensorFlow's wheels, in order.
        cells: one for each plugin and each host of its architecture, by plugin, then by host.
        exported: for each host, which of the symbols that some plugin takes it exports.
        passed_over: wheels that hold no library, by file name.
    """

    plugins: tuple[MatrixWheel, ...]
    hosts: tuple[MatrixWheel, ...]
    cells: tuple[Cell, ...]
    exported: dict[MatrixWheel, frozenset[str]]
    passed_over: tuple[str, ...]

    @property
    def arches(self) -> tuple[str, ...]:
        """The architectures that it is about."""
        return tuple(sorted({plugin.arch for plugin in self.plugins}))

    def taken(self, plugin: MatrixWheel) -> frozenset[str]:
        """Return the symbols that a plugin takes of TensorFlow, whether it gets them or not."""
        cells = [cell for cell in self.cells if cell.plugin == plugin]
        lacked = frozenset[str]().union(*(cell.missing | cell.weak for cell in cells))
        # What no release exports it has got of itself.
        given = frozenset[str]().union(*self.exported.values())
        return lacked | (given & frozenset[str]().union(*(cell.bound for cell in cells)))

    @property
    def names(self) -> tuple[str, ...]:
        """Every symbol that it names, sorted."""
        lacked = (cell.missing | cell.weak for cell in self.cells)
        return tuple(sorted(frozenset().union(*lacked, *self.exported.values())))

    def columns(self, arch: str) -> tuple[MatrixWheel, ...]:
        """Return the hosts of an architecture."""
        return tuple(wheel for wheel in self.hosts if wheel.arch == arch)

    def rows(self, arch: str) -> Iterator[tuple[MatrixWheel, tuple[Cell, ...]]]:
        """Yield the plugins of an architecture, each with its cells."""
        for plugin in self.plugins:
            if plugin.arch == arch:
                yield plugin, tuple(cell for cell in self.cells if cell.plugin == plugin)
