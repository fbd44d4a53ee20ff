"""Linear algebra."""

from tensorflow.python.ops.math_ops import matmul

__all__ = ["matmul"]
