"""Hold every cell of the table of plugins against what llvm-nm and llvm-objdump see.

    .venv/bin/python -m benchmarks.plugins FOLDER [TABLE.json]

FOLDER has the wheels that the table names, and TABLE.json is what `scripts/inv plugins.matrix
--json` printed (by default the table that comes with the package). Nothing of the package is used
but that document: wheels are unpacked by zipfile, symbols come from llvm-nm, install names, loads
and export tries from llvm-objdump.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tensorflow_macos_build/wheels/verify/plugins.json"
_UNDEFINED = re.compile(
    r"\(undefined\) (weak )?external (?:\[[^]]*\] )?(\S+) \((?:from (\S+)|dynamically looked up)\)"
)
_SYSTEM = re.compile(r"_objc_|_OBJC_|_?_Py")
"""Flat symbols of Objective-C's runtime and of Python, which no wheel of TensorFlow has."""


@dataclass(frozen=True)
class Needed:
    """A symbol that a plugin needs: from which library, empty for any, and whether weakly."""

    name: str
    library: str
    weak: bool


def llvm(*argv: str | Path, check: bool = True) -> str:
    """Return what a tool of LLVM prints; nothing where it fails and `check` is off."""
    done = subprocess.run(argv, check=check, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def unpacked(wheel: Path, folder: Path) -> list[Path]:
    """Unpack a wheel's libraries."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".so", ".dylib"))]
        for number, name in enumerate(names):
            target = folder / str(number) / Path(name).name
            target.parent.mkdir(parents=True)
            with archive.open(name) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 22)
    return sorted(folder.glob("*/*"))


def install_names(libraries: list[Path]) -> dict[Path, str]:
    """Return libraries' install names, by llvm-objdump; empty where one has none."""
    return {
        library: lines[0] if lines else ""
        for library, lines in by_file(libraries, "--dylib-id").items()
    }


def loads(libraries: list[Path]) -> dict[Path, list[str]]:
    """Return the install names that libraries load, by llvm-objdump, which lists their own, too."""
    names = install_names(libraries)
    return {
        library: [
            name for line in lines if (name := line.rpartition(" (comp")[0]) != names[library]
        ]
        for library, lines in by_file(libraries, "--dylibs-used").items()
    }


def by_file(libraries: list[Path], flag: str) -> dict[Path, list[str]]:
    """Return what llvm-objdump prints of each library, under its name and a colon."""
    listed: dict[Path, list[str]] = {library: [] for library in libraries}
    heads = {f"{library}:": library for library in libraries}
    current = libraries[0]
    for line in llvm("llvm-objdump", "--macho", flag, *libraries).splitlines():
        if line in heads:
            current = heads[line]
        elif line.strip():
            listed[current].append(line.strip())
    return listed


def exported(library: Path) -> set[str]:
    """Return the names in a library's export trie by llvm-objdump, else those of llvm-nm.

    LLVM 19's llvm-objdump prints nothing of LC_DYLD_EXPORTS_TRIE, which stands beside chained
    fixups, and stops at the re-export from any image that TensorFlow 2.9 has.
    """
    listed = llvm("llvm-objdump", "--macho", "--exports-trie", library, check=False)
    trie = set(re.findall(r"^(?:0x[0-9A-F]+ +|\[re-export\] )(\S+)", listed, re.M))
    return trie or set(llvm("llvm-nm", "-gUj", library).split())


def needed(plugin: Path) -> list[Needed]:
    """Return what a plugin needs, by llvm-nm."""
    rows = _UNDEFINED.findall(llvm("llvm-nm", "-um", plugin))
    # llvm-nm calls what is not below a folder of the wheel by its short name: the system's.
    kept = [(name, library, weak) for weak, name, library in rows if library[:1] in ("", "@")]
    return [
        Needed(name, library, bool(weak))
        for name, library, weak in kept
        if library or not _SYSTEM.match(name)
    ]


class HostView:
    """What LLVM's tools see of a wheel of TensorFlow."""

    def __init__(self, wheel: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            libraries = unpacked(wheel, Path(folder))
            used = {name for names in loads(libraries).values() for name in names}
            self.by_name = {
                name: exported(library)
                for library, name in install_names(libraries).items()
                if name in used
            }

    def missing(self, symbol: Needed) -> bool:
        """Whether a symbol is not where dyld looks."""
        if symbol.library:
            return symbol.name not in self.by_name.get(symbol.library, set())
        return not any(symbol.name in names for names in self.by_name.values())


def compare(cell: Any, names: list[str], host: HostView, symbols: list[Needed]) -> str:
    """Return where a cell differs from what LLVM's tools see; empty where it does not."""
    lacking = [symbol for symbol in symbols if host.missing(symbol)]
    lost = {symbol.library for symbol in symbols} - {"", *host.by_name}
    views = {
        "missing": {symbol.name for symbol in lacking if not symbol.weak},
        "weak": {symbol.name for symbol in lacking if symbol.weak},
    }
    differing = [
        f"{kind} by {sorted({names[index] for index in cell[kind]} ^ view)[:3]}"
        for kind, view in views.items()
        if {names[index] for index in cell[kind]} != view
    ]
    if set(cell["lost"]) != lost:
        differing.append(f"lost {cell['lost']} and {sorted(lost)}")
    if cell["loads"] != (not views["missing"] and not lost):
        differing.append("the verdict")
    return "; ".join(differing)


def main(folder: Path, table: Path) -> int:
    """Compare every cell, and print how many agree; 1 when one does not."""
    document = json.loads(table.read_text(encoding="utf-8"))
    plugins: list[list[Needed]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, plugin in enumerate(document["plugins"]):
            images = unpacked(folder / plugin["wheel"], Path(scratch) / str(number))
            plugins.append([symbol for image in images for symbol in needed(image)])
    agreeing = disagreeing = 0
    for number, host in enumerate(document["hosts"]):
        view = HostView(folder / host["wheel"])
        for cell in document["cells"]:
            if cell["host"] != number:
                continue
            symbols = plugins[cell["plugin"]]
            difference = compare(cell, document["names"], view, symbols)
            agreeing, disagreeing = agreeing + (not difference), disagreeing + bool(difference)
            if difference:
                plugin = document["plugins"][cell["plugin"]]
                print(f"  {plugin['wheel']} in {host['wheel']}: {difference}")
        print(f"{host['wheel']}: {agreeing} cells agree, {disagreeing} do not", flush=True)
    return int(disagreeing > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else TABLE))
