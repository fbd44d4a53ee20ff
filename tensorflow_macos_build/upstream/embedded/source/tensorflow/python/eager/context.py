"""Where ops run, and what ran."""

import collections
import contextlib

from tensorflow.python import _pywrap_tensorflow_internal

NodeExecStats = collections.namedtuple("NodeExecStats", ["device", "op", "kernel"])

_requested = [""]


@contextlib.contextmanager
def device(name):
    """Run the ops of the body on the device called `name`, such as "/device:CPU:0"."""
    _requested.append(name or "")
    try:
        yield
    finally:
        _requested.pop()


def requested_device():
    """The device that the innermost `device` asks for; empty for any."""
    return _requested[-1]


def step_stats():
    """What ran since the last call, in order: the device and the kernel of each op."""
    return [NodeExecStats(*step) for step in _pywrap_tensorflow_internal.step_stats()]
