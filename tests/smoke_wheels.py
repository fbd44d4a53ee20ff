"""A module that looks like TensorFlow to the checks that every wheel has to pass, in a wheel.

Where `matmul` is called it runs the Python of the variable FAULT: what a check has to survive.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeTarget
from tensorflow_macos_build.smoke.environment import make
from tests.wheel_files import WheelFiles

MODULE = """
import collections, os, sys, time
__version__ = "1.0"

class Tensor(list):
    device = "/job:localhost/replica:0/task:0/device:CPU:0"
    def tolist(self):
        return list(self)

def constant(value):
    return Tensor(value)
def _flat(a):
    return [y for x in a for y in (_flat(x) if isinstance(x, list) else [x])]
def matmul(a, b):
    exec(os.environ.get("FAULT", ""), {})
    return Tensor([[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a])
def _pairs(a, b, op):
    return Tensor([[op(x, y) for x, y in zip(*rows)] for rows in zip(a, b)])
def add(a, b):
    return _pairs(a, b, lambda x, y: x + y)
def subtract(a, b):
    return _pairs(a, b, lambda x, y: x - y)
def multiply(a, b):
    return _pairs(a, b, lambda x, y: x * y)
def square(a):
    return _pairs(a, a, lambda x, y: x * y)
def reduce_sum(a):
    return Tensor([sum(_flat(a))])
def reduce_mean(a):
    return Tensor([sum(_flat(a)) / len(_flat(a))])

class device:
    def __init__(self, name): pass
    def __enter__(self): pass
    def __exit__(self, *_): pass

Device = collections.namedtuple("Device", "name device_type")
class config:
    @staticmethod
    def list_physical_devices():
        return [Device("/physical_device:CPU:0", "CPU")]

LOSSES = [1.0, 0.5, 0.01]
class keras:
    class layers:
        Dense = int
    class optimizers:
        SGD = float
    class Sequential:
        def __init__(self, layers): pass
        def compile(self, optimizer, loss): pass
        def fit(self, x, y, epochs):
            return collections.namedtuple("History", "history")({"loss": LOSSES})
"""


def make_wheel(folder: Path, fault: str = "") -> Path:
    """Write the wheel of `tinyflow`, whose module ends by `fault`."""
    files = {"tinyflow/__init__.py": (MODULE + fault).encode()}
    return WheelFiles(files, name="tinyflow", tag="py3-none-any").write(folder)


def make_environment(folder: Path) -> Path:
    """Return the interpreter of an environment with a sound `tinyflow` in it."""
    request = EnvironmentRequest(make_wheel(folder))
    return make(request, SmokeTarget("host"), Path(sys.executable), folder / "env")
