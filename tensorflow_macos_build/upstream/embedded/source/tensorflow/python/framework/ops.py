"""Tensors."""

import struct


class Tensor:
    """A tensor of 32-bit floats that knows which device computed it."""

    __slots__ = ("data", "device", "shape")

    def __init__(self, data, shape, device):
        self.data = data
        self.shape = shape
        self.device = device

    def numpy(self):
        """The values as nested lists (this miniature has no NumPy), or as a float."""
        count = len(self.data) // 4
        values = list(struct.unpack("<%df" % count, self.data))
        for length in reversed(self.shape):
            values = [values[i : i + length] for i in range(0, len(values), length or 1)]
        return values[0]

    def __float__(self):
        return float(self.numpy())

    def __repr__(self):
        return "<tf.Tensor: shape=%s, device=%s, values=%r>" % (
            self.shape,
            self.device,
            self.numpy(),
        )
