"""The program that the environment's own Python runs: `python -I FOLDER SPEC.json`.

That Python may be as old as 3.6, and nothing of the package that starts it is imported: this folder
is a package of its own, called `inside`, whose modules import each other by relative imports.
"""

import importlib
import os
import sys
import types


def main() -> None:
    """Run the program that the specification asks for."""
    folder = os.path.dirname(os.path.abspath(__file__))
    # Python puts the folder that it runs first on sys.path; there, numbers.py would hide the
    # standard library's module of that name, which NumPy imports.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder]
    package = types.ModuleType("inside")
    package.__path__ = [folder]
    sys.modules["inside"] = package
    importlib.import_module("inside.zygote").main(sys.argv[1])


if __name__ == "__main__":
    main()
