"""The program that measures one workload: `python -I FOLDER SPEC.json`.

It is started by the environment's own Python, which may be as old as 3.6, and imports nothing of
the package that starts it; the folder around it is the package `inside` (see its `__main__.py`).
"""

import importlib
import os
import sys
import types


def main() -> None:
    """Measure what the specification asks for."""
    folder = os.path.dirname(os.path.abspath(__file__))
    # Python puts the folder that it runs first on sys.path, where our modules would hide others.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder]
    package = types.ModuleType("inside")
    package.__path__ = [os.path.dirname(folder)]
    sys.modules["inside"] = package
    importlib.import_module("inside.bench.measuring").main(sys.argv[1])


if __name__ == "__main__":
    main()
