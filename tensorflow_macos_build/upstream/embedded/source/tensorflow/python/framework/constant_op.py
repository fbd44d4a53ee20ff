"""Tensors made of Python values."""

import struct

from tensorflow.python.framework.ops import Tensor

_HOST = "/job:localhost/replica:0/task:0/device:CPU:0"


def _shape(value):
    if not isinstance(value, (list, tuple)):
        return ()
    inner = {_shape(item) for item in value}
    if len(inner) > 1:
        raise ValueError("the rows of a tensor must have one length")
    return (len(value), *(inner.pop() if inner else ()))


def _flat(value):
    if not isinstance(value, (list, tuple)):
        return [float(value)]
    return [number for item in value for number in _flat(item)]


def constant(value):
    """A tensor of the numbers in `value`: a number, or lists of lists of them."""
    numbers = _flat(value)
    return Tensor(struct.pack("<%df" % len(numbers), *numbers), _shape(value), _HOST)


def convert_to_tensor(value):
    """`value` itself when it is a tensor, else a tensor of it."""
    return value if isinstance(value, Tensor) else constant(value)
