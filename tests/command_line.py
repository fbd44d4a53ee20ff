"""The command line in a process of its own, without a start of Python for each.

One process imports the package and then only forks: a child gets its words, folder, variables and
files for its output, and runs the program's module as `python -m` does. Tests about the process
itself (signals, closed streams, what a start costs) start Python.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]

_SERVER = """
import gc, importlib, json, os, pkgutil, runpy, sys
import invoke
import tensorflow_macos_build as package

for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith(".__main__") and ".source" not in module.name:
        importlib.import_module(module.name)

# A child's collections, of which one is at its end, pass over what is there already: they would
# write into all of its pages, which the child would have to copy.
gc.collect()
gc.freeze()

answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    child = os.fork()
    if not child:
        break
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
else:
    sys.exit()
request = json.loads(line)
answers.close()
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(os.open(request["out"], os.O_WRONLY), 1)
os.dup2(os.open(request["err"], os.O_WRONLY), 2)
os.chdir(request["cwd"])
os.environ.clear()
os.environ.update(request["env"])
if request["anew"]:
    for name in [name for name in sys.modules if name.partition(".")[0] == package.__name__]:
        del sys.modules[name]
else:
    importlib.reload(package.checkout)  # reads variables when it is imported
module, *words = request["words"]
sys.argv = [module, *words]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def run(
    *words: str | Path,
    module: str = "tensorflow_macos_build",
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    anew: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the command line `python -m MODULE WORDS…` to its end.

    Args:
        words: the task, its arguments and its flags.
        module: the program: this package, or invoke, which finds tasks.py in the folder.
        cwd: the folder that it runs in.
        env: all its variables; by default those of the test.
        anew: import the package anew: some flags' defaults are paths by these variables.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        argv = [module, *map(str, words)]
        request = {
            "words": argv,
            "cwd": str(cwd),
            "env": dict(os.environ if env is None else env),
            "anew": anew,
            "out": out.name,
            "err": err.name,
        }
        print(json.dumps(request), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        texts = (Path(file.name).read_text(encoding="utf-8") for file in (out, err))
        return subprocess.CompletedProcess(argv, status, *texts)


def messages(ended: subprocess.CompletedProcess[str], title: str) -> list[str]:
    """Return the lines on stderr that are not about how far the work called `title` is.

    Those come where the work takes some seconds, so on a slow machine more of them than on another.
    """
    progress = re.compile(rf"{re.escape(title)}( \d+/\d+ .*)?: ")
    return [line for line in ended.stderr.splitlines() if not progress.match(line)]


@functools.cache
def _server() -> subprocess.Popen[str]:
    """Start the process; it ends with this one."""
    server = subprocess.Popen(
        [sys.executable, "-I", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server
