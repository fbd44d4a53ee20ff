"""The sweep inside an environment, as a program: `list OUT` or `run SPEC`, or its own `work SPEC`.

`list` writes the kernels and OpDefs that this TensorFlow has; `run` calls the cases of a
specification and writes their outcomes, a line each; `work` is what `run` starts where a process
cannot be forked.
"""

import importlib
import importlib.util
import os
import sys


def load_package() -> None:
    """Make this folder importable as the package `sweep`, and only so.

    Python puts a program's folder first on its path, where a module of this folder would hide one
    of the same name from everything that TensorFlow imports.
    """
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != folder]
    spec = importlib.util.spec_from_file_location(
        "sweep", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["sweep"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_package()
    command, path = sys.argv[1:3]
    module = {"list": "listing", "run": "driver", "work": "driver"}[command]
    getattr(importlib.import_module("sweep." + module), command + "_file")(path)
