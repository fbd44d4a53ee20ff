"""Arithmetic on tensors."""

from tensorflow.python.ops import gen_math_ops


def matmul(a, b, transpose_a=False, transpose_b=False):
    """The matrix product of `a` and `b`, each transposed first when that is asked for."""
    return gen_math_ops.mat_mul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)


def add(x, y):
    """x + y, element by element."""
    return gen_math_ops.add_v2(x, y)


def subtract(x, y):
    """x - y, element by element."""
    return gen_math_ops.sub(x, y)


def multiply(x, y):
    """x * y, element by element."""
    return gen_math_ops.mul(x, y)


def square(x):
    """x * x, element by element."""
    return gen_math_ops.square(x)


def reduce_sum(input_tensor):
    """The sum of all elements."""
    return gen_math_ops.sum(input_tensor)


def reduce_mean(input_tensor):
    """The mean of all elements."""
    return gen_math_ops.mean(input_tensor)
