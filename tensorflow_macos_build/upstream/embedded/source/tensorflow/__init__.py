"""TensorFlow in miniature: the public API."""

from tensorflow.python import keras
from tensorflow.python.eager.context import device
from tensorflow.python.framework import config, constant_op, ops, test_util, versions
from tensorflow.python.ops import linalg_ops as linalg
from tensorflow.python.ops import math_ops

Tensor = ops.Tensor
constant = constant_op.constant
convert_to_tensor = constant_op.convert_to_tensor

add = math_ops.add
matmul = math_ops.matmul
multiply = math_ops.multiply
reduce_mean = math_ops.reduce_mean
reduce_sum = math_ops.reduce_sum
square = math_ops.square
subtract = math_ops.subtract

test = test_util
__version__ = versions.VERSION

del constant_op, ops, versions
