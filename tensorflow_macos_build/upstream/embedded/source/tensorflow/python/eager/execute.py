"""Running one op in the compiled library."""

from tensorflow.python import _pywrap_tensorflow_internal
from tensorflow.python.eager import context
from tensorflow.python.framework.constant_op import convert_to_tensor
from tensorflow.python.framework.ops import Tensor


def execute(op, inputs, transpose_a=0, transpose_b=0, scalar=0.0):
    """Run `op` on the device that is asked for, and give its output.

    Raises:
        ValueError: the inputs do not fit, or no device has a kernel for the op.
    """
    tensors = tuple((tensor.data, tensor.shape) for tensor in map(convert_to_tensor, inputs))
    where = context.requested_device()
    attributes = int(transpose_a), int(transpose_b), float(scalar)
    return Tensor(*_pywrap_tensorflow_internal.execute(op, where, tensors, *attributes))
