"""The table, made of the wheels of an index: TensorFlow's one after the other, each read once.

What one wheel of TensorFlow says is kept in the cache, by the wheels' hashes and this code, so that
an interrupted run goes on, and a later one reads new wheels alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from tensorflow_macos_build import closure, documents, files
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.retry import Retry
from tensorflow_macos_build.wheels.dist_info import install_paths, tags
from tensorflow_macos_build.wheels.matrix import index, reading
from tensorflow_macos_build.wheels.matrix.table import Cell, Matrix, MatrixWheel
from tensorflow_macos_build.wheels.verify import plugin_link
from tensorflow_macos_build.wheels.verify.export_lookup import ExportLookup
from tensorflow_macos_build.wheels.verify.linked_images import linked_images
from tensorflow_macos_build.wheels.verify.spool import ExportStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.verify.binaries import Binary
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer

_CACHED_LIMIT = 64 << 20


@dataclass(frozen=True)
class MatrixRequest:
    """What the table is about.

    Attributes:
        plugins: requirements of plugins, such as `tensorflow-metal>=0.5`.
        hosts: requirements of TensorFlow.
        arches: the architectures, as lipo names them.
        index: the index's address; None: the one that pip is set to use.
        folder: a folder of wheels that is looked into instead.
        cache: where what was found is kept.
        every: whether each release counts, and not only the last one of each minor.
        retry: how patient one is with the index.
    """

    plugins: tuple[str, ...]
    hosts: tuple[str, ...]
    arches: tuple[str, ...]
    cache: Path
    index: str | None = None
    folder: Path | None = None
    every: bool = False
    retry: Retry = field(default_factory=Retry)


def make(request: MatrixRequest, ticker: Ticker) -> Matrix:
    """Make the table.

    Raises:
        UsageError: a requirement or the index is malformed.
        WorkFailed: the index has no such plugin, or is not to be reached.
    """
    plugins = _offered(request, request.plugins, every=True)
    hosts = _offered(request, request.hosts, every=request.every)
    if not plugins or not hosts:
        lacking = request.hosts if plugins else request.plugins
        raise WorkFailed(
            f"no wheel of {', '.join(lacking)} for macOS on {' or '.join(request.arches)} is there",
            where=str(request.folder or request.index or "the index"),
        )
    with contextlib.closing(ExportStore()) as store:
        readers = {wheel: _read(request, offer, store, whole=True) for wheel, offer in plugins}
        maker = _MatrixMaker(request, readers, store)
        columns = []
        for number, (wheel, offer) in enumerate(hosts):
            ticker(number, len(hosts), wheel.name)
            columns.append(maker.column(wheel, offer))
    return _joined([wheel for wheel, _ in plugins], columns)


@dataclass(frozen=True)
class _Column:
    """What one wheel of TensorFlow says; without a library in it, it says nothing."""

    host: MatrixWheel
    cells: tuple[Cell, ...] = ()
    exported: frozenset[str] = frozenset()


def _joined(plugins: Sequence[MatrixWheel], columns: Sequence[_Column]) -> Matrix:
    full = [column for column in columns if column.cells]
    cells = {(cell.plugin, cell.host): cell for column in full for cell in column.cells}
    return Matrix(
        plugins=tuple(plugins),
        hosts=tuple(column.host for column in full),
        cells=tuple(
            cells[plugin, column.host]
            for plugin in plugins
            for column in full
            if (plugin, column.host) in cells
        ),
        exported={column.host: column.exported for column in full},
        passed_over=tuple(column.host.name for column in columns if not column.cells),
    )


def _offered(
    request: MatrixRequest, requirements: Iterable[str], *, every: bool
) -> list[tuple[MatrixWheel, Offer]]:
    """Return the wheels that requirements name, one a release and architecture, in order."""
    chosen: dict[tuple[str, str, str], tuple[MatrixWheel, Offer]] = {}
    for text in requirements:
        needed = _requirement(text)
        for offer in _offers(request, needed.name):
            for wheel in _wheels(offer, request.arches):
                if needed.specifier.contains(wheel.version, prereleases=None):
                    release = wheel.version if every else _minor(wheel.version)
                    key = (wheel.project, release, wheel.arch)
                    if key not in chosen or _rank(chosen[key][0]) < _rank(wheel):
                        chosen[key] = (wheel, offer)
    return sorted(chosen.values(), key=lambda pair: pair[0].order)


def _requirement(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        hint = "write it like tensorflow-metal>=1.0"
        message = f"`{text}` is no requirement: {str(error).splitlines()[0]}"
        raise UsageError(message, hint=hint) from None


def _offers(request: MatrixRequest, project: str) -> list[Offer]:
    if request.folder is not None:
        return index.in_folder(request.folder, project)
    return index.of_index(request.index or index.default(), project, request.retry)


def _wheels(offer: Offer, arches: Sequence[str]) -> Iterator[MatrixWheel]:
    """Yield a wheel once for each architecture of a Mac that it is for."""
    try:
        name = tags.parse_name(offer.name)
    except tags.BadName:
        return
    for arch in tags.promises(name.platforms):
        if arch in arches:
            version = str(name.parsed_version)
            yield MatrixWheel(name.project, version, arch, offer.name, offer.sha256)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _rank(wheel: MatrixWheel) -> tuple[Any, ...]:
    """Return what is greater of the wheel to look at: the later release, then the newer Python."""
    pythons = (tag.interpreter for tag in tags.parse_name(wheel.name).expanded)
    digits = (int(python.lstrip("cpy") or 0) for python in pythons if python[2:].isdigit())
    # cp39 before cp310: by the number of digits first.
    return (wheel.order[1], max((len(str(number)), number) for number in (*digits, 0)))


def _read(request: MatrixRequest, offer: Offer, store: ExportStore, *, whole: bool) -> list[Binary]:
    with reading.opened(offer, request.retry) as wheel:
        return reading.libraries(wheel, store, whole=whole)


class _MatrixMaker:
    def __init__(
        self, request: MatrixRequest, plugins: dict[MatrixWheel, list[Binary]], store: ExportStore
    ) -> None:
        self._request = request
        self._plugins = plugins
        self._store = store

    def column(self, host: MatrixWheel, offer: Offer) -> _Column:
        """Return what a wheel of TensorFlow says, from the cache if it was read before."""
        plugins = [plugin for plugin in self._plugins if plugin.arch == host.arch]
        cached = self._request.cache / f"{_key(host, plugins)}.json"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, UsageError):
            text = files.read_small_text(cached, _CACHED_LIMIT)
            return _loaded(json.loads(text), host, plugins)
        # The tries of all releases together would fill gigabytes.
        mark = self._store.mark()
        column = self._made(host, offer, plugins)
        self._store.rewind(mark)
        cached.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(cached, json.dumps(_dumped(column)).encode())
        return column

    def _made(self, host: MatrixWheel, offer: Offer, plugins: Sequence[MatrixWheel]) -> _Column:
        binaries = _read(self._request, offer, self._store, whole=False)
        if not any(binary.slices for binary in binaries):
            return _Column(host)
        with self._store.reading() as tries:
            cells, taken = [], set[str]()
            for plugin in plugins:
                members = [*binaries, *self._plugins[plugin]]
                tops = frozenset(
                    owner
                    for binary in members
                    if (owner := install_paths.owner(install_paths.installed(binary.name)))
                )
                links, _ = plugin_link.link(host.arch, binaries, self._plugins[plugin], tries, tops)
                cells.append(_cell(plugin, host, links))
                taken |= {name for link in links for name in link.taken}
            lookup = ExportLookup(host.arch, tries)
            wanted = [name.encode() for name in sorted(taken)]
            exported = {
                name.decode()
                for image in linked_images(host.arch, binaries)
                for name in lookup.exports(image, wanted)
            }
        return _Column(host, tuple(cells), frozenset(exported))


def _cell(plugin: MatrixWheel, host: MatrixWheel, links: Sequence[plugin_link.PluginLink]) -> Cell:
    missing = [symbol for link in links for symbol in link.missing]
    return Cell(
        plugin=plugin,
        host=host,
        lost=tuple(dict.fromkeys(name for link in links for name in link.lost)),
        bound=frozenset(name for link in links for name in link.bound),
        missing=frozenset(symbol.name for symbol in missing if not symbol.is_weak),
        weak=frozenset(symbol.name for symbol in missing if symbol.is_weak),
        elsewhere=frozenset(symbol.name for symbol in missing if symbol.elsewhere),
    )


def _key(host: MatrixWheel, plugins: Iterable[MatrixWheel]) -> str:
    """Return what a column is kept under: all that it is made of."""
    made_of = [closure.digest(__name__, frozenset()), host.arch, host.sha256]
    made_of += sorted(plugin.sha256 for plugin in plugins)
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()


def _dumped(column: _Column) -> documents.Json:
    cells = {
        cell.plugin.sha256: [
            list(cell.lost),
            *(sorted(names) for names in (cell.bound, cell.missing, cell.weak, cell.elsewhere)),
        ]
        for cell in column.cells
    }
    return {"cells": cells, "exported": sorted(column.exported)}


def _loaded(saved: Any, host: MatrixWheel, plugins: Iterable[MatrixWheel]) -> _Column:
    if not saved["cells"]:
        return _Column(host)
    cells = []
    for plugin in plugins:
        lost, *names = saved["cells"][plugin.sha256]
        bound, missing, weak, elsewhere = map(frozenset, names)
        cells.append(Cell(plugin, host, tuple(lost), bound, missing, weak, elsewhere))
    return _Column(host, tuple(cells), frozenset(saved["exported"]))
