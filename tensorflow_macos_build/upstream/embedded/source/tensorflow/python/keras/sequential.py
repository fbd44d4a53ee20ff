"""A chain of layers."""

import collections

from tensorflow.python.framework.constant_op import convert_to_tensor
from tensorflow.python.keras.optimizers import SGD
from tensorflow.python.ops import gen_math_ops

History = collections.namedtuple("History", ["history"])


class Sequential:
    """Layers that run one after the other."""

    def __init__(self, layers):
        self.layers = list(layers)
        self.optimizer = SGD()

    def compile(self, optimizer=None, loss="mse"):
        """Choose the optimizer. The loss is the mean squared error."""
        if loss != "mse":
            raise ValueError("the only loss is 'mse'")
        self.optimizer = optimizer or self.optimizer

    def __call__(self, inputs):
        """The output for a batch of inputs."""
        values = convert_to_tensor(inputs)
        for layer in self.layers:
            values = layer.forward(values)
        return values

    def train_on_batch(self, inputs, targets):
        """One step of training; gives the loss before it."""
        error = gen_math_ops.sub(self(inputs), targets)
        loss = gen_math_ops.mean(gen_math_ops.square(error))
        count = error.shape[0] * error.shape[1]
        gradient = gen_math_ops.mul(error, 2.0 / count)
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient, self.optimizer)
        return float(loss)

    def fit(self, inputs, targets, epochs=1):
        """Train on the whole of the inputs, `epochs` times; gives the loss of each epoch."""
        inputs, targets = convert_to_tensor(inputs), convert_to_tensor(targets)
        return History({"loss": [self.train_on_batch(inputs, targets) for _ in range(epochs)]})
