"""Sweep whole environments and count: outcomes, seconds, ops called, and a plugin's ops among them.

    .venv/bin/python -m benchmarks.smoke_sweep PYTHON… [--device D] [--plugin LIBRARY] [--out DIR]

Each PYTHON is the interpreter of an environment with TensorFlow. LIBRARY is a plugin's library
(libmetal_plugin.dylib): every name in it that is an op of that TensorFlow is looked up in the
sweep of the reference's kernels. With --out the documents, tables and pictures are kept there.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

_NAME = re.compile(rb"_?[A-Z][A-Za-z0-9]{2,}")


def swept(python: str, device: str, out: Path) -> dict[str, Any]:
    """Return the document of a whole sweep."""
    name = f"{Path(python).parents[1].name}-{device.replace(':', '')}"
    kept = [f"--svg={out / name}.svg", f"--markdown={out / name}.md"]
    own = [sys.executable, "-m", "tensorflow_macos_build", "smoke.sweep", "--json"]
    argv = [*own, f"--python={python}", f"--device={device}", *kept]
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE)
    document: dict[str, Any] = json.loads(done.stdout)
    (out / f"{name}.json").write_bytes(done.stdout)
    if "counts" not in document:
        sys.exit(f"{name}: {document}")
    return document


def of_plugin(library: Path, document: dict[str, Any]) -> dict[str, list[str]]:
    """Return what became of the ops that a plugin's library names: called, excluded, neither."""
    names = {name.decode() for name in _NAME.findall(library.read_bytes())}
    known = {"equal", "differ"}
    called = {row["op"] for row in document["results"] if row["outcome"] in known}
    planned = {row["op"] for row in document["results"]}
    excluded = {row["op"]: row["reason"] for row in document["excluded_ops"]}
    return {
        "called": sorted(names & called),
        "not called": sorted(names & planned - called),
        "excluded": sorted(f"{op} ({excluded[op]})" for op in names & set(excluded) - planned),
    }


def main() -> None:
    """Sweep and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pythons", nargs="+")
    parser.add_argument("--device", default="GPU:0")
    parser.add_argument("--plugin", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/sweep"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for python in arguments.pythons:
        started, before = time.monotonic(), _cpu()
        document = swept(python, arguments.device, arguments.out)
        seconds, cpu = time.monotonic() - started, _cpu() - before
        print(
            f"TensorFlow {document['tensorflow']}, {document['device']}: {seconds:.0f} s, "
            f"{cpu:.0f} s of CPU; {document['ops']['called']} ops called of "
            f"{document['ops']['planned']} planned"
        )
        print("  outcomes:", document["counts"])
        print("  excluded:", {name: row["count"] for name, row in document["excluded"].items()})
        print("  registrations:", dict(Counter(row["kind"] for row in document["registrations"])))
        print("  laws:", dict(Counter(row["law"] for row in document["results"])))
        if arguments.plugin:
            for what, ops in of_plugin(arguments.plugin, document).items():
                shown = "" if what == "called" else " ".join(ops)
                print(f"  plugin's ops {what}: {len(ops)} {shown}")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
