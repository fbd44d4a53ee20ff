"""What every wheel has to do, the miniature's too: list a device, compute on it, train on it.

These need nothing but the module: its numbers are compared with those of Python itself.
"""

import math
from typing import Any, Callable, Dict, List, Tuple

from ..context import Context
from ..registry import CheckFailed, check

Matrix = List[List[float]]

A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
B = [[1.0, -1.0], [0.5, 2.0], [-3.0, 0.25]]
C = [[2.0, 0.5, -1.0], [1.5, -2.0, 4.0]]

TOLERANCE = 1e-5
"""Of the largest number of a result; 32-bit floats keep 1e-7, and a device may add in any order."""


def flat(value: Any) -> "List[float]":
    """Return the numbers of nested lists, of an array or of a tensor, in order."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in flat(item)]
    return [float(value)]


def product(a: "Matrix", b: "Matrix") -> "Matrix":
    """Return the matrix product."""
    # No `strict=`, here and below: zip takes it from Python 3.10 on.
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def pairs(a: "Matrix", b: "Matrix", op: "Callable[[float, float], float]") -> "Matrix":
    """Return an operation of two matrices, element by element."""
    return [[op(x, y) for x, y in zip(*rows)] for rows in zip(a, b)]


def expectations(tf: Any) -> "List[Tuple[str, Callable[[], Any], Any]]":
    """Return each op's name, how it is called, and what it has to give, computed in Python."""
    a, b, c = tf.constant(A), tf.constant(B), tf.constant(C)
    numbers = flat(A)
    return [
        ("matmul", lambda: tf.matmul(a, b), product(A, B)),
        ("add", lambda: tf.add(a, c), pairs(A, C, lambda x, y: x + y)),
        ("subtract", lambda: tf.subtract(a, c), pairs(A, C, lambda x, y: x - y)),
        ("multiply", lambda: tf.multiply(a, c), pairs(A, C, lambda x, y: x * y)),
        ("square", lambda: tf.square(a), [x * x for x in numbers]),
        ("reduce_sum", lambda: tf.reduce_sum(a), sum(numbers)),
        ("reduce_mean", lambda: tf.reduce_mean(a), sum(numbers) / len(numbers)),
    ]


@check("device", needs=())
def check_device(ctx: "Context") -> "Dict[str, Any]":
    """The module lists the device that is tried, and the one it is compared with."""
    listed = ctx.listed_devices()
    for device in (ctx.device, ctx.reference):
        if device not in listed:
            raise CheckFailed(
                "there is no {}: it lists {}".format(device, ", ".join(listed) or "no device"),
                devices=listed,
            )
    return {"devices": listed, "details": details(ctx)}


def details(ctx: "Context") -> "Dict[str, Any]":
    """Return what the module knows of the device that is tried, such as its name."""
    # From TensorFlow 2.3 on; a plugin's device has details where its code gives them.
    ask = getattr(getattr(ctx.tf.config, "experimental", None), "get_device_details", None)
    if ask is None:
        return {}
    name = "/physical_device:" + ctx.device
    physical = [device for device in ctx.tf.config.list_physical_devices() if device.name == name]
    return dict(ask(physical[0])) if physical else {}


@check("compute", needs=())
def check_compute(ctx: "Context") -> "Dict[str, Any]":
    """Each of seven ops gives the right numbers, and ran on the device that is tried."""
    ran_on = {}
    with ctx.on(ctx.device):
        for name, call, expected in expectations(ctx.tf):
            result = call()
            right, got = flat(expected), flat(result)
            allowed = TOLERANCE * max(map(abs, right))
            # Not `>`: a NaN is neither more nor less.
            if len(got) != len(right) or any(not abs(g - r) <= allowed for g, r in zip(got, right)):
                raise CheckFailed("{} gave {}, not {}".format(name, got, right))
            # `/job:localhost/replica:0/task:0/device:GPU:0`: the device that the op's kernel ran
            # on (EagerTensor.backing_device tells the two apart: where the result lies).
            device = str(result.device)
            if device.partition("device:")[2] != ctx.device:
                raise CheckFailed("{} ran on {!r}, and not on {}".format(name, device, ctx.device))
            ran_on[name] = device
    return {"ran_on": ran_on}


@check("train", needs=())
def check_train(ctx: "Context") -> "Dict[str, Any]":
    """A small model learns: its loss stays finite and falls to less than a tenth."""
    tf = ctx.tf
    # The same 60 steps: an epoch of Keras 3 costs 0.1 s whatever is in it, and the miniature's is
    # one batch.
    is_whole = hasattr(tf.keras, "Model")
    repeats, epochs = (12, 5) if is_whole else (1, 60)
    # What it learns is linear in its two inputs, so that one layer can reach a loss of 0.
    xs = [[0.1 * i, math.sin(i)] for i in range(20)] * repeats
    ys = [[0.7 * x - 1.3 * y + 0.2] for x, y in xs]
    arguments = {"batch_size": 20, "verbose": 0} if is_whole else {}
    ctx.soft_placement(True)  # the data set that `fit` makes has no kernels for a GPU
    with ctx.on(ctx.device):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse", **no_compiler(ctx))
        history = model.fit(tf.constant(xs), tf.constant(ys), epochs=epochs, **arguments).history
    losses = [float(loss) for loss in history["loss"]]
    first, last = losses[0], losses[-1]
    if not all(map(math.isfinite, losses)) or last > 0.1 * first:
        raise CheckFailed("the loss went from {:g} to {:g}".format(first, last))
    return {"first_loss": first, "last_loss": last, "epochs": len(losses)}


def no_compiler(ctx: "Context") -> "Dict[str, Any]":
    """Return the arguments of `Model.compile` that keep XLA away.

    Keras 3 asks for it by itself where a GPU is listed, and no plugin's device has it.
    """
    return {"jit_compile": False} if ctx.keras_version >= 3 else {}
