"""The densely connected layer."""

from tensorflow.python.framework.constant_op import constant
from tensorflow.python.ops import gen_math_ops


class Dense:
    """y = x @ kernel + bias. The kernel starts at small fixed values, so that runs repeat."""

    def __init__(self, units):
        self.units = units
        self.kernel = None
        self.bias = None
        self._input = None

    def build(self, width):
        """Make the weights for inputs of `width` columns."""
        self.kernel = constant(
            [[0.01 * (row + column + 1) for column in range(self.units)] for row in range(width)]
        )
        self.bias = constant([0.0] * self.units)

    def forward(self, inputs):
        """The output for a batch of inputs."""
        if self.kernel is None:
            self.build(inputs.shape[1])
        self._input = inputs
        return gen_math_ops.bias_add(gen_math_ops.mat_mul(inputs, self.kernel), self.bias)

    def backward(self, gradient, optimizer):
        """Update the weights; give the gradient of the input."""
        kernel_gradient = gen_math_ops.mat_mul(self._input, gradient, transpose_a=True)
        input_gradient = gen_math_ops.mat_mul(gradient, self.kernel, transpose_b=True)
        self.kernel = optimizer.apply(self.kernel, kernel_gradient)
        self.bias = optimizer.apply(self.bias, gen_math_ops.bias_add_grad(gradient))
        return input_gradient
