"""Training: each step against the reference, and all that a user does with a model afterwards."""

import os
from typing import Any, Dict, List

from .. import numbers
from ..context import Context
from ..layering import variable
from ..lazy import np
from ..models import (
    accuracy,
    batch_norm_model,
    compiled,
    fitted,
    image_data,
    image_forward,
    image_model,
    reseeded,
)
from ..registry import CheckFailed, NotApplicable, check

Json = Dict[str, Any]

NEEDS = ("keras.Sequential", "GradientTape", "function")
LOSS = "sparse_categorical_crossentropy"

LOSS_ALLOWED, WEIGHT_ALLOWED = 1e-4, 2e-3
"""Of a step: of its loss, and of the largest change of a weight. Two CPU devices differ by 1e-7."""


def _on_both(ctx: Context, build: Any, optimizer: Any) -> "List[Any]":
    models = []
    for device in (ctx.device, ctx.reference):
        with ctx.on(device):
            model = build(ctx)
            reseeded(model, 1)
            compiled(ctx, model, optimizer(), LOSS)
        models.append(model)
    return models


def _step(ctx: Context, model: Any, device: str, x: Any, y: Any) -> float:
    with ctx.on(device):
        return float(np.ravel(model.train_on_batch(x, y))[0])


def _differences(before: "List[Any]", tried: "List[Any]", right: "List[Any]") -> float:
    """Return the largest difference of a weight, relative to the largest change of its tensor."""
    worst = 0.0
    for start, got, wanted in zip(before, tried, right):
        moved = float(np.abs(wanted - start).max()) if wanted.size else 0.0
        off = np.abs(got - wanted)
        if not np.isfinite(off).all():
            return float("inf")
        # Where next to nothing moved, the rounding of the weight itself is what differs.
        worst = max(worst, float(off.max()) / (moved + 1e-5))
    return worst


def _stepwise(ctx: Context, build: Any, optimizer: Any, sizes: "List[int]") -> Json:
    """Return the losses of a step at each size, which are those of the reference.

    Raises:
        CheckFailed: a step's loss, or any weight after it, is not that of the reference.
    """
    # As users train: `placement` and `training_on_device` hold what must not run elsewhere.
    ctx.soft_placement(True)
    data = image_data(ctx.rng(2), max(sizes))
    tried, reference = _on_both(ctx, build, optimizer)
    losses = []  # type: List[Any]
    for size in sizes:
        x, y = data["x"][:size], data["y"][:size]
        before = reference.get_weights()
        pair = [
            _step(ctx, model, device, x, y)
            for model, device in ((tried, ctx.device), (reference, ctx.reference))
        ]
        losses.append((size, pair[0], pair[1]))
        if not abs(pair[0] - pair[1]) <= LOSS_ALLOWED * max(1.0, abs(pair[1])):
            raise CheckFailed(
                "the loss at batch {} is {:g}, and on {} {:g}".format(
                    size, pair[0], ctx.reference, pair[1]
                ),
                losses=losses,
            )
        after = reference.get_weights()
        difference = _differences(before, tried.get_weights(), after)
        if not difference < WEIGHT_ALLOWED:
            message = "the weights after batch {} are off by {:g} of their largest change"
            raise CheckFailed(message.format(size, difference), losses=losses)
        # Each step starts from the same weights, so that rounding does not add up.
        tried.set_weights(after)
    return {"sizes": sizes, "last_losses": losses[-3:]}


def batch_sizes(quick: bool) -> "List[int]":
    """Return the sizes that are trained on: apple#25 had NaN at 1250 alone."""
    some = [1, 2, 3, 7, 8, 15, 16, 17, 20, 31, 32, 33, 50, 64, 100, 128, 1000, 1250, 18]
    return some if quick else [*range(1, 131), 255, 256, 257, 511, 512, 513, 1000, 1024, 1250]


@check("training.batch_sizes", group="training", issue="apple#25", needs=NEEDS)
def check_batch_sizes(ctx: Context) -> Json:
    """Each step of a convolutional network has the reference's loss and weights, at any batch."""
    sgd = ctx.keras.optimizers.SGD
    return _stepwise(ctx, image_model, lambda: sgd(0.02), batch_sizes(ctx.quick))


@check("training.batch_norm", group="training", issue="apple#231", needs=NEEDS)
def check_batch_norm(ctx: Context) -> Json:
    """With batch normalisation, losses are finite and moving averages are the reference's."""
    sgd = ctx.keras.optimizers.SGD
    sizes = [4, 16, 17, 20, 32, 33, 64, 1250] * (1 if ctx.quick else 3)
    return _stepwise(ctx, batch_norm_model, lambda: sgd(0.02), sizes)


@check("training.round_trip", group="training", issue="apple#145", needs=NEEDS)
def check_round_trip(ctx: Context) -> Json:
    """After fit, evaluate and predict are what NumPy computes, and a loaded model predicts it."""
    ctx.soft_placement(True)
    data = image_data(ctx.rng(3), 330)
    x, y, held, labels = data["x"][:230], data["y"][:230], data["x"][230:], data["y"][230:]
    with ctx.on(ctx.device):
        model = image_model(ctx)
        reseeded(model, 2)
        compiled(ctx, model, ctx.keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
        losses = fitted(ctx, model, x, y, epochs=6, batch_size=32)
        measured = [float(each) for each in model.evaluate(held, labels, batch_size=32, verbose=0)]
        predicted = np.asarray(model.predict(held, batch_size=32, verbose=0))
        again = [float(each) for each in model.evaluate(held, labels, batch_size=32, verbose=0)]
    right = image_forward(model, held)
    wrong = _wrong_results(predicted, right, measured, labels)
    if not max(abs(a - b) for a, b in zip(measured, again)) < 1e-5:
        wrong.append("it evaluates {} at first, and {} after predict".format(measured, again))
    if not (losses[-1] < 0.5 * losses[0] and accuracy(right, labels) > 0.8):
        wrong.append("it has not learnt: losses {}".format(losses))
    wrong += _saved(ctx, model, held, predicted)
    if wrong:
        raise CheckFailed("; ".join(wrong), losses=losses, evaluated=measured)
    return {"losses": losses, "evaluated": measured}


def _wrong_results(predicted: Any, right: Any, measured: "List[float]", labels: Any) -> "List[str]":
    """Return what is wrong with predictions and with an evaluation of them."""
    wrong = []
    difference = float(np.abs(predicted - right).max())
    if not difference < 1e-4:
        wrong.append("it predicts what is off by {:.3g}".format(difference))
    loss = float(-np.log(right[np.arange(len(labels)), labels]).mean())
    if not abs(measured[0] - loss) < 1e-3:
        wrong.append("it evaluates a loss of {:g}, which is {:g}".format(measured[0], loss))
    if not abs(measured[1] - accuracy(right, labels)) < 0.011:  # one of 100 may be a tie
        known = accuracy(right, labels)
        wrong.append("it evaluates an accuracy of {:g}, which is {:g}".format(measured[1], known))
    return wrong


def _saved(ctx: Context, model: Any, x: Any, predicted: Any) -> "List[str]":
    """Return what is wrong with a model that was saved and loaded, in each format."""
    wrong = []
    for name in _formats(ctx):
        path = os.path.join(os.getcwd(), name)
        model.save(path)
        with ctx.on(ctx.device):
            loaded = ctx.keras.models.load_model(path)
            if ctx.keras_version >= 3:
                compiled(ctx, loaded, "sgd", LOSS)
            difference = float(np.abs(loaded.predict(x, verbose=0) - predicted).max())
        if not difference < 1e-5:
            wrong.append("loaded from {} it predicts what is off by {:g}".format(name, difference))
    path = os.path.join(os.getcwd(), "exported")
    with ctx.on(ctx.device):
        # Keras 2 of 2.12 has an `export` that fails at gradients that it cannot trace.
        if ctx.keras_version >= 3:
            model.export(path, verbose=False)
            loaded = ctx.tf.saved_model.load(path)
            served = loaded.serve(ctx.tf.constant(x)).numpy()
        else:
            model.save(path)
            loaded = ctx.tf.saved_model.load(path)
            signature = loaded.signatures["serving_default"](ctx.tf.constant(x))
            served = next(iter(signature.values())).numpy()
    if not float(np.abs(served - predicted).max()) < 1e-5:
        wrong.append("served from a SavedModel it predicts something else")
    return wrong


def _formats(ctx: Context) -> "List[str]":
    return ["model.keras", "model.h5"] if ctx.tf_version >= (2, 13) else ["model.h5"]


@check("training.adversarial", group="training", issue="apple#186", needs=NEEDS)
def check_adversarial(ctx: Context) -> Json:
    """A step with two tapes, as adversarial networks have, gives the reference's losses."""
    runs = [_adversarial(ctx, device) for device in (ctx.device, ctx.reference)]
    difference = float(np.abs(np.array(runs[0]) - np.array(runs[1])).max())
    if not difference < 1e-3:
        raise CheckFailed("losses differ by {:g}".format(difference), losses=runs)
    return {"losses": runs[0]}


def _adversarial(ctx: Context, device: str) -> "List[List[float]]":
    ctx.soft_placement(True)
    tf, keras = ctx.tf, ctx.keras
    layers, noise = keras.layers, ctx.rng(4).normal(size=(8, 20, 3)).astype("float32")
    real = ctx.rng(5).normal(2.0, 0.5, (8, 20, 4)).astype("float32")
    with ctx.on(device):
        generator = keras.Sequential([layers.Input((3,)), layers.Dense(6, "elu"), layers.Dense(4)])
        critic = keras.Sequential([layers.Input((4,)), layers.Dense(6, "elu"), layers.Dense(1)])
        networks = (generator, critic)
        for network in networks:
            reseeded(network, 3)

    def loss(logits: Any, label: float) -> Any:
        labels = label * tf.ones_like(logits)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))

    def step(z: Any, x: Any) -> Any:
        with ctx.on(device), tf.GradientTape() as first, tf.GradientTape() as second:
            made = generator(z, training=True)
            judged = critic(made, training=True)
            losses = (loss(judged, 1.0), loss(critic(x), 1.0) + loss(judged, 0.0))
        with ctx.on(device):
            for network, tape, value in zip(networks, (first, second), losses):
                weights = [variable(each) for each in network.trainable_weights]
                for weight, gradient in zip(weights, tape.gradient(value, weights)):
                    weight.assign_sub(0.05 * gradient)
            return losses

    run = tf.function(step, autograph=False)
    return [
        [float(value) for value in run(tf.constant(z), tf.constant(x))] for z, x in zip(noise, real)
    ]


@check("training.nested_tapes", group="training", issue="apple#167", needs=("GradientTape",))
def check_nested_tapes(ctx: Context) -> Json:
    """Gradients of gradients are right, eager and in a graph."""
    tf = ctx.tf
    ctx.soft_placement(True)
    x = ctx.rng(6).uniform(0.5, 1.5, (3, 4)).astype("float32")
    w = ctx.rng(7).normal(size=(4, 2)).astype("float32")

    def twice(x: Any, w: Any) -> Any:
        with ctx.on(ctx.device), tf.GradientTape() as outer:
            outer.watch(w)
            with tf.GradientTape() as inner:
                inner.watch(x)
                result = tf.reduce_sum(tf.tanh(tf.matmul(x * x, w)))
            gradient = inner.gradient(result, x)
            penalty = tf.reduce_sum(gradient * gradient)
        with ctx.on(ctx.device):
            return [gradient, outer.gradient(penalty, w)]

    def first(x: Any, w: Any) -> Any:
        slope = 1 - np.tanh((x * x).dot(w)) ** 2
        return slope.dot(w.T) * 2 * x

    def judged(x: Any, w: Any) -> Any:
        return numbers.gradient(lambda v: first(x, v) ** 2, [w], 0, np.ones(x.shape))

    exact = x.astype("float64"), w.astype("float64")
    for run in (twice, tf.function(twice, autograph=False)):
        gradient, second = run(tf.constant(x), tf.constant(w))
        numbers.compare(gradient, first(*exact), "float32", 64.0, "the gradient")
        numbers.compare(second, judged(*exact), "float32", 512.0, "the gradient's gradient")
    return {"shape": [3, 4]}


@check("training.mixed_precision", group="training", needs=NEEDS, virtual=False)
def check_mixed_precision(ctx: Context) -> Json:
    """In mixed_float16, weights are float32, and the first losses are near those of float32."""
    policy = getattr(ctx.keras, "mixed_precision", None)
    if policy is None or not hasattr(policy, "set_global_policy"):
        raise NotApplicable("this release's Keras has no policy of mixed precision")
    data = image_data(ctx.rng(8), 128)
    runs = {}  # type: Dict[str, List[float]]
    for name in ("float32", "mixed_float16"):
        policy.set_global_policy(name)
        with ctx.on(ctx.device):
            model = image_model(ctx)
            reseeded(model, 4)
            compiled(ctx, model, ctx.keras.optimizers.SGD(0.05), LOSS)
            runs[name] = fitted(ctx, model, data["x"], data["y"], epochs=4, batch_size=32)
    types = {str(weight.dtype) for weight in model.get_weights()}
    computed = str(model.layers[0].compute_dtype)
    if types != {"float32"} or computed != "float16":
        raise CheckFailed("weights are {}, computed in {}".format(types, computed))
    off = max(abs(a - b) / max(b, 0.1) for a, b in zip(runs["mixed_float16"], runs["float32"]))
    if not off < 0.03:
        raise CheckFailed("losses are off by {:.3g}".format(off), losses=runs)
    return {"losses": runs, "off": off}


@check("training.soak", group="training", issue="tensorflow#62361", sets=("soak",), needs=NEEDS)
def check_soak(ctx: Context) -> Json:
    """Thirty epochs with Adam end where the reference does: no loss explodes late."""
    data = image_data(ctx.rng(9), 2000)
    runs = []
    for device in (ctx.device, ctx.reference):
        with ctx.on(device):
            model = image_model(ctx)
            reseeded(model, 5)
            compiled(ctx, model, ctx.keras.optimizers.Adam(0.003), LOSS)
            runs.append(fitted(ctx, model, data["x"], data["y"], epochs=30, batch_size=64))
    lowest = [min(run[: epoch + 1]) for run in runs[:1] for epoch in range(len(run))]
    exploded = [e for e, loss in enumerate(runs[0]) if not loss < 3 * lowest[e] + 0.05]
    if exploded or not runs[0][-1] < 0.2 * runs[0][0]:
        raise CheckFailed("the loss rose at epochs {}".format(exploded), losses=runs)
    if not abs(runs[0][-1] - runs[1][-1]) < 0.05:
        raise CheckFailed("it ends at {:g}, the reference at {:g}".format(runs[0][-1], runs[1][-1]))
    return {"losses": runs}
