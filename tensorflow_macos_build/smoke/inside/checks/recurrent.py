"""Recurrent layers: each state of each step against NumPy, and training that generalises."""

import importlib
from typing import Any, Callable, Dict, List

from .. import judges, layering
from ..context import Context
from ..layering import Layer
from ..lazy import np
from ..models import compiled, fitted
from ..registry import CheckFailed, check

Json = Dict[str, Any]

NEEDS = ("keras.layers", "function", "GradientTape")
STEPS, FEATURES, UNITS = 4, 2, 3


def has_fused_kernel(ctx: Context) -> bool:
    """Whether the device has the kernel of a whole LSTM that Keras takes where a GPU is listed."""
    # Private, and the only list of kernels that Python has.
    kernels = importlib.import_module("tensorflow.python.framework.kernels")
    kind = ctx.device.partition(":")[0]
    registered = kernels.get_registered_kernels_for_op("CudnnRNNV3").kernel
    return any(kernel.device_type == kind for kernel in registered)


def options(ctx: Context) -> Json:
    """Return the arguments of a recurrent layer for what the device can compute."""
    if ctx.device.startswith("CPU") or has_fused_kernel(ctx):
        return {}
    # Keras 2 takes the fused kernel unless the layer is unlike it; unrolled layers are.
    return {"use_cudnn": False} if ctx.keras_version >= 3 else {"unroll": True}


def judged(ctx: Context, layers: "List[Layer]") -> Json:
    """Return the evidence of recurrent layers that are right; else as `layering.judged`."""
    return dict(layering.judged(ctx, layers), fused=not options(ctx))


def recurrent(ctx: Context, name: str, judge: "Callable[..., Any]") -> "List[Layer]":
    """Return a recurrent layer and the same made of its cell."""
    layers = ctx.keras.layers
    shape = (STEPS, FEATURES)
    plain = {} if name == "SimpleRNN" else options(ctx)
    return [
        Layer(
            name,
            lambda: getattr(layers, name)(UNITS, return_sequences=True, **plain),
            judge,
            [shape],
            64.0,
        ),
        Layer(
            name + "Cell",
            lambda: layers.RNN(getattr(layers, name + "Cell")(UNITS), return_sequences=True),
            judge,
            [shape],
            64.0,
        ),
    ]


@check("recurrent.simple", group="recurrent", issue="apple#255", needs=NEEDS)
def check_simple(ctx: Context) -> Json:
    """A simple recurrent layer runs, and is right in every step."""
    return judged(ctx, recurrent(ctx, "SimpleRNN", judges.simple_rnn))


@check("recurrent.lstm", group="recurrent", issue="tensorflow#48237", needs=NEEDS)
def check_lstm(ctx: Context) -> Json:
    """An LSTM is right in every step, and so are its gradients through time."""
    return judged(ctx, recurrent(ctx, "LSTM", judges.lstm))


@check("recurrent.gru", group="recurrent", needs=NEEDS)
def check_gru(ctx: Context) -> Json:
    """A GRU is right in every step, and so are its gradients through time."""
    return judged(ctx, recurrent(ctx, "GRU", judges.gru))


@check("recurrent.bidirectional", group="recurrent", needs=NEEDS)
def check_bidirectional(ctx: Context) -> Json:
    """A bidirectional LSTM is right in both directions."""
    layers = ctx.keras.layers

    def judge(x: Any, *weights: Any) -> Any:
        forward = judges.lstm(x, *weights[:3])
        backward = judges.lstm(x[:, ::-1], *weights[3:])[:, ::-1]
        return np.concatenate([forward, backward], axis=2)

    def build() -> Any:
        inner = layers.LSTM(2, return_sequences=True, **options(ctx))
        return layers.Bidirectional(inner)

    return judged(ctx, [Layer("Bidirectional", build, judge, [(3, FEATURES)], 64.0)])


@check("recurrent.training", group="recurrent", issue="apple#55", needs=("keras.Sequential",))
def check_training(ctx: Context) -> Json:
    """An LSTM that has learnt predicts, evaluates and computes in NumPy the same.

    In the issue it trained well, and was at chance on its test set.
    """
    keras, rng = ctx.keras, ctx.rng(5)
    x = rng.normal(size=(256, 6, 2)).astype("float32")
    y = (x[:, :, 0].sum(axis=1) > 0).astype("float32")
    with ctx.on(ctx.device):
        layers = [keras.layers.LSTM(8, **options(ctx)), keras.layers.Dense(1, activation="sigmoid")]
        model = keras.Sequential([keras.layers.Input((6, 2)), *layers])
        compiled(ctx, model, keras.optimizers.Adam(0.02), "binary_crossentropy")
        losses = fitted(ctx, model, x[:192], y[:192], epochs=8, batch_size=50)
        predicted = np.asarray(model.predict(x[192:], verbose=0, batch_size=20))
    weights = [each.astype("float64") for each in model.get_weights()]
    states = judges.lstm(x[192:].astype("float64"), *weights[:3])
    right = judges.sigmoid(states[:, -1].dot(weights[3]) + weights[4])
    accuracy = float(((predicted[:, 0] > 0.5) == (y[192:] > 0.5)).mean())
    evidence = {"losses": losses, "accuracy": accuracy}
    difference = float(np.abs(predicted - right).max())
    if not difference < 1e-4:
        raise CheckFailed("it predicts what is off by {:.3g}".format(difference), **evidence)
    if not (accuracy > 0.8 and losses[-1] < 0.6 * losses[0]):
        raise CheckFailed("it has not learnt: accuracy {}".format(accuracy), **evidence)
    return evidence
