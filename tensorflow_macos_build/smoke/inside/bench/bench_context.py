"""What a workload is built of: the module, its Keras, the device, dimensions, random numbers."""

import importlib
from typing import Any, Callable, Dict, Iterator, List, Sequence

Step = Callable[[], Any]
"""A training step on the next batch; it returns the loss, a tensor of one number."""


def _leaves(model: Any) -> "Iterator[Any]":
    """Yield the layers of a model and of the models in it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        else:
            yield layer


class BenchContext:
    """What a workload is given.

    Attributes:
        tf: the imported module.
        device: the device that is measured, such as `GPU:0`; empty where the module chooses.
        size: the workload's dimensions (`sizes.py`).
    """

    def __init__(self, tf: Any, device: str, size: "Dict[str, Any]") -> None:
        self.tf = tf
        self.device = device
        self.size = size
        self.variables: "List[Any]" = []
        self._rng = self.np.random.RandomState(0)

    @property
    def np(self) -> Any:
        """NumPy, as the environment has it."""
        return importlib.import_module("numpy")

    @property
    def keras(self) -> Any:
        """The Keras that the module brings: Keras 2 or 3."""
        return self.tf.keras

    def on(self, device: str) -> Any:
        """Return a context manager in which ops are placed on a device; "" leaves it to others."""
        return self.tf.device("/device:" + device if device else None)

    def images(self, channels: int = 3) -> Any:
        """Return a batch of images, float32 from 0 to 1."""
        side = self.size["image"]
        return self.uniform([self.size["batch"], side, side, channels])

    def uniform(self, shape: "Sequence[int]") -> Any:
        """Return an array of float32 numbers from 0 to 1."""
        return self._rng.uniform(size=shape).astype("float32")

    def integers(self, bound: int, shape: "Sequence[int]") -> Any:
        """Return an array of int32 numbers from 0 to `bound` - 1."""
        return self._rng.randint(0, bound, size=shape).astype("int32")

    def same_weights(self, model: Any) -> Any:
        """Return a model, its weights set to the same on every device and in every release.

        TensorFlow's own initial numbers depend on the device's generator. Of matrices and kernels
        the scale is that of He et al. 2015; what has one dimension stays as it is.
        """
        # By name: the order of layers and weights is another in Keras 3 than in Keras 2.
        layers = sorted(_leaves(model), key=lambda layer: layer.name.replace("/", "_").lower())
        for weight in [weight for layer in layers for weight in layer.weights]:
            shape = [int(length) for length in weight.shape]
            if len(shape) > 1:
                scale = (2.0 / self.np.prod(shape[:-1])) ** 0.5
                weight.assign((self._rng.standard_normal(shape) * scale).astype("float32"))
        self.variables += list(model.weights)
        return model

    def adam(self, rate: float, variables: "Sequence[Any]") -> Any:
        """Return the release's own Adam, ready for these variables."""
        optimizer = self.keras.optimizers.Adam(rate)
        if hasattr(optimizer, "build"):  # from Keras 2.11 on; in a traced step it would be too late
            optimizer.build(list(variables))
        return optimizer

    def alternating(self, batches: "Sequence[Any]", step: "Callable[..., Any]") -> Step:
        """Return a step that takes batches in turn, which lie in the device's memory already."""
        held = [tuple(self.tf.constant(part) for part in batch) for batch in batches]
        count = [0]

        def next_step() -> Any:
            count[0] += 1
            return step(*held[count[0] % len(held)])

        return next_step
