"""Gradient descent."""

from tensorflow.python.ops import gen_math_ops


class SGD:
    """Plain gradient descent at one learning rate."""

    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def apply(self, variable, gradient):
        """The variable after one step against its gradient."""
        return gen_math_ops.apply_gradient_descent(variable, gradient, scalar=self.learning_rate)
